import { isAbsolute, join, resolve } from 'node:path'
import { shippedFolder } from '../alert/rule-files.ts'
import type { Config } from '../config/schema.ts'
import { systemClock } from '../time/clock.ts'
import { backtestCommand } from './backtest.ts'
import { explainCommand } from './explain.ts'
import {
  type Add,
  configOption,
  daemonOf,
  dataOption,
  defined,
  examples,
  type Flags,
  loadedOf,
  text,
  tokenOption,
  urlOption,
} from './flags.ts'
import { rulesCheckCommand } from './rules.ts'
import { rulesTestCommand } from './rules-test.ts'
import { scoreCommand } from './score.ts'
import { type SilenceArguments, silenceCommand } from './silence.ts'
import { type OpenStore, openStore } from './store.ts'
import { testReceiverCommand } from './test-receiver.ts'

export const addRules: Add = (program, terminal, done) => {
  const rules = program.command('rules').description('checks and tests alert rules')
  rules
    .command('check <file...>')
    .description('every problem of rule files at once, each with its line and its fix')
    .option('--strict', 'warnings are problems')
    .addHelpText('after', examples([['tollwatch rules check alerts/*.rules.yaml', 'exit code 0, or 2 with problems']]))
    .action((files: string[], flags: Flags) => {
      const options = { baseFolder: process.cwd(), strict: flags['strict'] === true }
      done(rulesCheckCommand(files, terminal, options))
    })
  rules
    .command('test <file...>')
    .description('unit tests of rules: what fires when, and who is told, over made-up traffic')
    .option('--coverage', 'lists rules without a test in which they fire, or one in which they do not')
    .option('--mutate', 'changes every bound in turn and lists the changes that no test notices')
    .addHelpText(
      'after',
      examples([
        ['tollwatch rules test alerts/tests/*.yaml', 'exit code 0, 1 when a test fails, 2 when a file cannot be used'],
      ]),
    )
    .action(async (files: string[], flags: Flags) => {
      const options = { coverage: flags['coverage'] === true, mutate: flags['mutate'] === true }
      done(await rulesTestCommand(files, terminal, options))
    })
  addBacktest(rules, terminal, done)
}

const several = (value: string, before: readonly string[]): readonly string[] => [...before, value]

const addBacktest: Add = (rules, terminal, done) => {
  rules
    .command('backtest')
    .description('what rules would have done over history')
    .requiredOption('--rules <file>', 'a rule file, or `shipped`; may be repeated', several, [])
    .requiredOption('--from <time>', 'where the report begins, such as -30d')
    .option('--to <time>', 'where it ends', 'now')
    .option('--warm-up <duration>', 'history before it that the rules learn from', '1d')
    .option('--tenant <name>', 'only this tenant; rules about all tenants then see no other')
    .option('--compare <file>', 'rules as they were: shows only what the change adds and takes away', several, [])
    .option('--sweep <variants>', 'RULE.FIELD=VALUE,VALUE: the rule with each value; may be repeated', several, [])
    .option('--incidents <file>', 'what really happened, as start,end,labels: found, missed, delay, precision')
    .option('--notify <file>', 'routes that messages would take; those of the settings, or the shipped ones')
    .option('--max-episodes-per-week <n>', 'exit code 1 when a rule has more')
    .option('--format <name>', 'table or json', 'table')
    .addOption(configOption())
    .addOption(dataOption())
    .addOption(urlOption())
    .addOption(tokenOption())
    .addHelpText(
      'after',
      examples([
        ['tollwatch rules backtest --rules shipped --from -7d --data ./data', 'how often would they have woken you?'],
        [
          'tollwatch rules backtest --rules my.rules.yaml --from -30d --sweep PaymentRefusalSpike.condition.min_ratio=2,3,5',
          'which value is quiet enough?',
        ],
        [
          'tollwatch rules backtest --rules new.yaml --compare old.yaml --from -7d --max-episodes-per-week 5',
          'a gate for a change of rules in CI',
        ],
      ]),
    )
    .action(async (flags: Flags) => {
      const { config, store, notify } = await historyOf(flags)
      try {
        const args = {
          notify,
          ...{ rules: list(flags, 'rules'), compare: list(flags, 'compare'), sweep: list(flags, 'sweep') },
          ...{ from: String(flags['from']), to: String(flags['to']), warmUp: String(flags['warmUp']) },
          tenant: text(flags, 'tenant') ?? undefined,
          incidents: text(flags, 'incidents') ?? undefined,
          maxEpisodesPerWeek: text(flags, 'maxEpisodesPerWeek') ?? undefined,
          format: String(flags['format']),
          baselineSeriesLimit: config.alerts.baseline_series_limit,
        }
        done(await backtestCommand(args, store.queries, systemClock.now(), terminal))
      } finally {
        await store.close()
      }
    })
}

/** History to read, and the routes of the settings. */
async function historyOf(flags: Flags): Promise<{ config: Config; store: OpenStore; notify: string }> {
  const { config, folder } = loadedOf(flags, { history: defined({ data_dir: flags['data'] }) ?? {} })
  const [url, token, given] = [text(flags, 'url'), text(flags, 'token'), text(flags, 'notify')]
  const { file } = config.notify
  const notify = given ?? (file === undefined ? join(shippedFolder, 'notify.yaml') : resolve(folder, file))
  const where = { ...(url === null ? {} : { url }), ...(token === null ? {} : { token }) }
  return { config, store: await openStore({ config, ...where }), notify }
}

function list(flags: Flags, name: string): readonly string[] {
  const value = flags[name]
  return Array.isArray(value) ? value : []
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
