import { Command, CommanderError } from 'commander'
import { Fault, messageOf } from '../fault/fault.ts'
import { addDrill, addExplain, addScore, addSilence, addTestReceiver } from './alert-commands.ts'
import { addCheckConfig, addRun } from './daemon-commands.ts'
import { addDecode, addQuery, addReplay, addSql } from './data-commands.ts'
import { type Add, ConfigProblems } from './flags.ts'
import { addHistory, addSchema } from './history-commands.ts'
import { addMcp } from './mcp-commands.ts'
import { addRules, addWhyNot } from './rules-commands.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'
import { version } from './version.ts'

const commands: readonly Add[] = [
  ...[addRun, addCheckConfig, addDecode, addReplay, addQuery, addSql, addMcp, addHistory, addSchema],
  ...[addRules, addScore, addSilence, addExplain, addWhyNot, addTestReceiver, addDrill],
]

/** Parses the command line and runs the command. @returns the exit code; it never throws */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = exitCode.ok
  const done = (result: number): void => {
    code = result
  }
  const program = build(terminal, done)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.misused
    if (error instanceof ConfigProblems) {
      printProblems(error.problems, terminal)
      return exitCode.misused
    }
    terminal.stderr.write(`tollwatch: ${messageOf(error)}\n`)
    if (!(error instanceof Fault) && process.env['TOLLWATCH_DEBUG'] !== undefined) {
      terminal.stderr.write(`${error instanceof Error ? error.stack : ''}\n`)
    }
    return error instanceof Fault && ['argument-invalid', 'config-invalid'].includes(error.code)
      ? exitCode.misused
      : exitCode.failed
  }
}

function build(terminal: Terminal, done: (code: number) => void): Command {
  const program = new Command('tollwatch')
    .description('Sees HTTP 402 on API gateways before customers call: rolling rates, exact history, alerts.')
    .version(version)
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    })
    .exitOverride()
    .showHelpAfterError('(--help shows every option with examples)')
  for (const add of commands) add(program, terminal, done)
  return program
}
