import { resolve } from 'node:path'
import type { Overrides } from '../config/load.ts'
import { checkConfigCommand } from './check-config.ts'
import { type Add, configOption, dataOption, defined, examples, type Flags, formatOption, text } from './flags.ts'
import { runCommand } from './run.ts'
import { version } from './version.ts'

export const addRun: Add = (program, terminal, done) => {
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
  // Paths in the file start from its folder, those on the command line from here.
  const paths = Array.isArray(flags['file']) ? flags['file'].map((path) => resolve(path)) : undefined
  const files = defined({ paths, follow: flags['follow'] })
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

export const addCheckConfig: Add = (program, terminal, done) => {
  program
    .command('check-config')
    .description('checks settings, rules and routes: every problem at once, with its place and its fix')
    .addOption(configOption())
    .addHelpText('after', examples([['tollwatch check-config -c tollwatch.yaml', 'exit code 0, or 2 with problems']]))
    .action(async (flags: Flags) => done(await checkConfigCommand(text(flags, 'config'), {}, terminal)))
}
