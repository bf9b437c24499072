import { isAbsolute, resolve } from 'node:path'
import { systemClock } from '../time/clock.ts'
import { explainCommand } from './explain.ts'
import {
  type Add,
  configOption,
  daemonOf,
  examples,
  type Flags,
  loadedOf,
  text,
  tokenOption,
  urlOption,
} from './flags.ts'
import { rulesCheckCommand, rulesTestCommand } from './rules.ts'
import { scoreCommand } from './score.ts'
import { type SilenceArguments, silenceCommand } from './silence.ts'
import { testReceiverCommand } from './test-receiver.ts'

export const addRules: Add = (program, terminal, done) => {
  const rules = program.command('rules').description('checks and tests alert rules')
  rules
    .command('check <file...>')
    .description('every problem of rule files at once, each with its line and its fix')
    .addHelpText('after', examples([['tollwatch rules check alerts/*.rules.yaml', 'exit code 0, or 2 with problems']]))
    .action((files: string[]) => done(rulesCheckCommand(files, terminal, process.cwd())))
  rules
    .command('test <file...>')
    .description('unit tests of rules: what fires when, over made-up traffic')
    .addHelpText(
      'after',
      examples([
        ['tollwatch rules test alerts/tests/*.yaml', 'exit code 0, 1 when a test fails, 2 when a file cannot be used'],
      ]),
    )
    .action((files: string[]) => done(rulesTestCommand(files, terminal)))
}

export const addScore: Add = (program, terminal, done) => {
  program
    .command('score')
    .description('runs the spike detector over your own numbers')
    .requiredOption('--csv <file>', 'columns time,count and, better, exposure (the requests)')
    .option('--window <duration>', 'what is looked at as one', '5m')
    .option('--direction <name>', 'up, down or both', 'up')
    .option('--false-alerts-per-week <n>', 'how many false alarms are acceptable', '1')
    .option('--json', 'one JSON object a row')
    .addHelpText(
      'after',
      examples([['tollwatch score --csv refusals.csv --window 5m --json', 'would it have fired, and when?']]),
    )
    .action((flags: Flags) => {
      const { csv, window, direction, falseAlertsPerWeek, json } = flags
      done(
        scoreCommand(
          {
            csv: String(csv),
            window: word(window),
            direction: word(direction),
            falseAlertsPerWeek: word(falseAlertsPerWeek),
            json: json === true,
          },
          terminal,
        ),
      )
    })
}

function word(value: Flags[string]): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export const addSilence: Add = (program, terminal, done) => {
  const silence = program
    .command('silence')
    .description('mutes alerts for a while; who was told of a start is told of the end all the same')
  const ask = async (args: SilenceArguments): Promise<void> => done(await silenceCommand(args, { terminal, fetch }))
  silence
    .command('add <matcher...>')
    .description('such as tenant=acme or cause=~"quota.*"; all must match')
    .option('--duration <duration>', 'how long, such as 2h')
    .option('--starts <time>', 'when it begins')
    .option('--ends <time>', 'when it ends, instead of a duration')
    .option('--comment <text>', 'why')
    .option('--created-by <name>', 'who to ask')
    .addOption(urlOption())
    .addOption(tokenOption())
    .option('--json', 'the silence as JSON')
    .addHelpText(
      'after',
      examples([
        [
          'tollwatch silence add tenant=acme --duration 2h --comment "invoice is being paid"',
          'two hours of quiet about acme',
        ],
      ]),
    )
    .action((matchers: string[], flags: Flags) => {
      const given = { duration: text(flags, 'duration'), starts: text(flags, 'starts'), ends: text(flags, 'ends') }
      const why = { comment: text(flags, 'comment'), createdBy: text(flags, 'createdBy') }
      return ask({ ...daemonOf(flags), json: flags['json'] === true, action: 'add', matchers, ...given, ...why })
    })
  silence
    .command('list')
    .description('what is muted now and soon')
    .option('--expired', 'also those that ended lately')
    .addOption(urlOption())
    .addOption(tokenOption())
    .option('--json', 'as JSON')
    .action((flags: Flags) =>
      ask({ ...daemonOf(flags), json: flags['json'] === true, action: 'list', expired: flags['expired'] === true }),
    )
  silence
    .command('expire <id...>')
    .description('ends silences now')
    .addOption(urlOption())
    .addOption(tokenOption())
    .option('--json', 'as JSON')
    .action((ids: string[], flags: Flags) =>
      ask({ ...daemonOf(flags), json: flags['json'] === true, action: 'expire', ids }),
    )
}

export const addExplain: Add = (program, terminal, done) => {
  program
    .command('explain <fingerprint>')
    .description('why an alert is what it is: inputs, baseline, test and clocks')
    .addOption(urlOption())
    .addOption(tokenOption())
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples([['tollwatch explain 3d84f564f63e2c22', 'the fingerprint stands on the page and in every message']]),
    )
    .action(async (fingerprint: string, flags: Flags) => {
      done(await explainCommand({ ...daemonOf(flags), fingerprint, json: flags['json'] === true }, { terminal, fetch }))
    })
}

export const addTestReceiver: Add = (program, terminal, done) => {
  program
    .command('test-receiver <name>')
    .description('sends one marked test message through a receiver of notify.yaml')
    .addOption(configOption())
    .addHelpText(
      'after',
      examples([['tollwatch test-receiver oncall -c tollwatch.yaml', 'does the mail arrive, is the webhook right?']]),
    )
    .action(async (name: string, flags: Flags) => {
      const { config, folder } = loadedOf(flags)
      const { file } = config.notify
      const path = file === undefined ? null : isAbsolute(file) ? file : resolve(folder, file)
      const args = { name, file: path, environment: process.env, runbookUrl: config.notify.runbook_url }
      done(await testReceiverCommand(args, { terminal, clock: systemClock }))
    })
}
