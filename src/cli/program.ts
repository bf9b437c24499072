import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { loadConfig, type Overrides } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { formatNames } from '../decode/decode.ts'
import { Fault, messageOf } from '../fault/fault.ts'
import { systemClock } from '../time/clock.ts'
import { checkConfigCommand } from './check-config.ts'
import { decodeCommand } from './decode.ts'
import { verifyCommand } from './history.ts'
import { type QueryArguments, queryCommand, subjects } from './query.ts'
import { replayCommand } from './replay.ts'
import { runCommand } from './run.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'

type Flags = Record<string, string | boolean | string[] | undefined>

const version: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version

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

class ConfigProblems extends Error {
  readonly problems: Extract<ReturnType<typeof loadConfig>, { ok: false }>['problems']

  constructor(problems: Extract<ReturnType<typeof loadConfig>, { ok: false }>['problems']) {
    super('the settings have problems')
    this.problems = problems
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
  addRun(program, terminal, done)
  addCheckConfig(program, terminal, done)
  addDecode(program, terminal, done)
  addReplay(program, terminal, done)
  addQuery(program, terminal, done)
  addHistory(program, terminal, done)
  return program
}

const configOption = () => new Option('-c, --config <file>', 'settings; ./tollwatch.yaml if it is there')
const dataOption = () => new Option('--data <dir>', 'directory of the embedded store')
const formatOption = () => new Option('--format <name>', 'log layout of the gateway').choices(['auto', ...formatNames])
const urlOption = () => new Option('--url <address>', 'ask a running daemon, such as http://127.0.0.1:8402')
const tokenOption = () => new Option('--token <token>', 'for the daemon; better in TOLLWATCH_TOKEN')

type Add = (program: Command, terminal: Terminal, done: (code: number) => void) => void

const addRun: Add = (program, terminal, done) => {
  program
    .command('run')
    .description('the daemon: reads gateway logs, keeps rates and history, alerts')
    .addOption(configOption())
    .option('--demo', 'simulated gateway traffic with scripted incidents, in ./data/demo')
    .option('--kafka <brokers>', 'host:port, several separated by commas')
    .option('--topic <topic>', 'topic with the access logs, several separated by commas')
    .option('--group <group>', 'consumer group')
    .option('--file <path...>', 'read files')
    .option('--follow', 'wait for more at the end of the files')
    .option('--stdin', 'read standard input')
    .addOption(formatOption())
    .addOption(dataOption())
    .option('--http <address:port>', 'where page and API listen')
    .option('--metrics <address:port>', 'where Prometheus scrapes')
    .addHelpText(
      'after',
      examples([
        ['tollwatch run --demo', 'look at it with simulated traffic'],
        ['tollwatch run --kafka localhost:9092 --topic gateway-logs', 'read a topic, history in ./data/tollwatch'],
        ['tollwatch run -c tollwatch.yaml', 'everything from a file; check it with check-config first'],
        ['tail -f access.log | tollwatch run --stdin --format nginx', 'from a pipe'],
      ]),
    )
    .action(async (flags: Flags) => {
      const demo = flags['demo'] === true
      done(
        await runCommand(
          { file: text(flags, 'config'), overrides: runOverrides(flags, demo), demo, version },
          terminal,
        ),
      )
    })
}

function runOverrides(flags: Flags, demo: boolean): Overrides {
  const kafka = defined({ brokers: flags['kafka'], topic: flags['topic'], group: flags['group'] })
  const files = defined({ paths: flags['file'], follow: flags['follow'] })
  const source = defined({ kafka, files, stdin: flags['stdin'] })
  const directory = flags['data'] ?? (demo ? './data/demo' : undefined)
  return (
    defined({
      source,
      decode: defined({ format: flags['format'] }),
      history: defined({ data_dir: directory }),
      http: defined({ listen: flags['http'] }),
      telemetry: defined({ listen: flags['metrics'] }),
    }) ?? {}
  )
}

const addCheckConfig: Add = (program, terminal, done) => {
  program
    .command('check-config')
    .description('checks settings, rules and routes: every problem at once, with its place and its fix')
    .addOption(configOption())
    .addHelpText('after', examples([['tollwatch check-config -c tollwatch.yaml', 'exit code 0, or 2 with problems']]))
    .action(async (flags: Flags) => done(await checkConfigCommand(text(flags, 'config'), {}, terminal)))
}

const addDecode: Add = (program, terminal, done) => {
  program
    .command('decode [file...]')
    .description('shows what Tollwatch reads in log lines: one JSON object per access record')
    .addOption(configOption())
    .addOption(formatOption())
    .option('--strict', 'exit 1 if any line cannot be read')
    .option('--json', 'the summary as JSON')
    .addHelpText(
      'after',
      examples([
        ['head -100 access.log | tollwatch decode', 'is the layout recognised, are the causes right?'],
        ['tollwatch decode --format kong --strict kong.ndjson', 'fail when a line cannot be read'],
      ]),
    )
    .action(async (files: string[], flags: Flags) => {
      const { decode, classify } = configOf(flags, {})
      const args = {
        files,
        format: text(flags, 'format') ?? decode.format,
        strict: flags['strict'] === true,
        json: flags['json'] === true,
        options: decode,
        classify,
      }
      done(await decodeCommand(args, terminal))
    })
}

const addReplay: Add = (program, terminal, done) => {
  program
    .command('replay <file...>')
    .description('brings old log files into history; the same file twice counts once')
    .addOption(configOption())
    .addOption(formatOption())
    .addOption(dataOption())
    .option('--json', 'the summary as JSON')
    .addHelpText(
      'after',
      examples([['tollwatch replay --format nginx --data ./data/tollwatch access.log.*.gz', 'also compressed files']]),
    )
    .action(async (files: string[], flags: Flags) => {
      const overrides = defined({
        decode: defined({ format: flags['format'] }),
        history: defined({ data_dir: flags['data'] }),
      })
      done(await replayCommand({ files, json: flags['json'] === true }, configOf(flags, overrides ?? {}), terminal))
    })
}

const addQuery: Add = (program, terminal, done) => {
  const query = program.command('query').description('asks history')
  const about = {
    trends: 'requests and refusals over time',
    summary: 'who was refused, on which API, why',
    events: 'refused calls one by one',
    alerts: 'what fired and when',
    'dead-letters': 'records that could not be read',
  } as const
  for (const subject of subjects) {
    query
      .command(subject)
      .description(about[subject])
      .addOption(configOption())
      .addOption(dataOption())
      .addOption(urlOption())
      .addOption(tokenOption())
      .option('--from <time>', 'ISO 8601, epoch milliseconds or relative', '-1h')
      .option('--to <time>', 'end, exclusive', 'now')
      .option('--step <duration>', 'time between points, such as 5m')
      .option('--by <keys>', 'tenant, api, cause; several separated by commas')
      .option('--tenant <name>', 'only this tenant')
      .option('--api <name>', 'only this API')
      .option('--cause <name>', 'only this cause')
      .option('--limit <n>', 'most rows', '100')
      .option('--format <name>', 'table, json, csv or ndjson')
      .option('--json', 'the same as --format json')
      .addHelpText(
        'after',
        examples([
          ['tollwatch query summary --from -24h --by tenant,cause', 'the last day'],
          ['tollwatch query trends --tenant acme --by cause --step 5m --format csv', 'for a spreadsheet'],
          ['tollwatch query events --url http://127.0.0.1:8402 --tenant acme', 'from a running daemon'],
        ]),
      )
      .action(async (flags: Flags) => {
        const config = configOf(flags, { history: defined({ data_dir: flags['data'] }) ?? {} })
        done(await queryCommand(subject, flags as unknown as QueryArguments, config, systemClock.now(), terminal))
      })
  }
}

const addHistory: Add = (program, terminal, done) => {
  program
    .command('history')
    .description('looks after history')
    .command('verify')
    .description('proves that history is whole: per lane no gap and no overlap, the tiers agree')
    .addOption(configOption())
    .addOption(dataOption())
    .addOption(urlOption())
    .addOption(tokenOption())
    .option('--json', 'the report as JSON')
    .addHelpText(
      'after',
      examples([
        ['tollwatch history verify --data ./data/tollwatch', 'exit code 0, or 1 when something is missing or doubled'],
      ]),
    )
    .action(async (flags: Flags) => {
      const config = configOf(flags, { history: defined({ data_dir: flags['data'] }) ?? {} })
      done(await verifyCommand(flags, config, terminal))
    })
}

function configOf(flags: Flags, overrides: Overrides): Config {
  const loaded = loadConfig(text(flags, 'config'), overrides, process.env)
  if (!loaded.ok) throw new ConfigProblems(loaded.problems)
  return loaded.config
}

function text(flags: Flags, name: string): string | null {
  const value = flags[name]
  return typeof value === 'string' ? value : null
}

/** Leaves out what was not given; undefined when nothing was. */
function defined(values: Record<string, unknown>): Record<string, unknown> | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

function examples(lines: readonly (readonly [string, string])[]): string {
  return `\nExamples:\n${lines.map(([command, why]) => `  $ ${command}\n      ${why}`).join('\n')}\n`
}
