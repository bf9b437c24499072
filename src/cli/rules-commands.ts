import { type LoadedRules, loadRules } from '../alert/rule-files.ts'
import type { Config } from '../config/schema.ts'
import { readRoutes } from '../notify/rehearsal.ts'
import { routingPath } from '../notify/routing-file.ts'
import { systemClock } from '../time/clock.ts'
import { parseDuration } from '../time/duration.ts'
import { parseInstant } from '../time/instant.ts'
import { backtestCommand } from './backtest.ts'
import { dryRunCommand } from './dry-run.ts'
import {
  type Add,
  ConfigProblems,
  configOption,
  dataOption,
  defined,
  examples,
  type Flags,
  loadedOf,
  misused,
  text,
  tokenOption,
  untilInterrupted,
  urlOption,
} from './flags.ts'
import { rulesCheckCommand } from './rules.ts'
import { rulesTestCommand } from './rules-test.ts'
import { type OpenStore, openStore } from './store.ts'
import { whyNotCommand } from './why-not.ts'

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
  addDryRun(rules, terminal, done)
}

const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

const addBacktest: Add = (rules, terminal, done) => {
  rules
    .command('backtest')
    .description('what rules would have done over history')
    .requiredOption('--rules <file>', 'a rule file, or `shipped`; may be repeated', several)
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

const addDryRun: Add = (rules, terminal, done) => {
  rules
    .command('dry-run')
    .description('evaluates rules on what a running daemon reads, and prints what would be sent')
    .requiredOption('--rules <file>', 'a rule file, or `shipped`; may be repeated', several)
    .option('--notify <file>', 'routes that messages would take; those of the settings, or the shipped ones')
    .option('--warm-up <duration>', 'history that the rules learn from first', '1d')
    .option('--delay <duration>', 'how long after its end a minute is complete', '90s')
    .addOption(configOption())
    .addOption(dataOption())
    .addOption(urlOption())
    .addOption(tokenOption())
    .addHelpText(
      'after',
      examples([['tollwatch rules dry-run --rules new.rules.yaml', 'nothing is sent; Ctrl-C ends it with a summary']]),
    )
    .action(async (flags: Flags) => {
      const { config, store, notify } = await historyOf(flags)
      const { signal, end } = untilInterrupted()
      try {
        const args = {
          rules: rulesOf(loadRules(list(flags, 'rules'), process.cwd())),
          routing: routesOf(notify),
          silences: await store.silences(),
          ...{ warmUpMs: durationOf(flags, 'warmUp', 'warm-up'), delayMs: durationOf(flags, 'delay', 'delay') },
          baselineSeriesLimit: config.alerts.baseline_series_limit,
        }
        done(await dryRunCommand(args, { queries: store.queries, terminal, clock: systemClock, signal }))
      } finally {
        end()
        await store.close()
      }
    })
}

export const addWhyNot: Add = (program, terminal, done) => {
  program
    .command('why-not')
    .description('why there was no alert: what the rule saw, its gates, and who was told or why nobody was')
    .requiredOption('--rule <name>', 'the rule')
    .option('--labels <labels>', 'which series, such as tenant=acme,api=chat', '')
    .option('--at <time>', 'the moment', 'now')
    .option('--rules <file>', 'rule files other than those of the settings; may be repeated', several, [])
    .option('--notify <file>', 'routes other than those of the settings')
    .option('--warm-up <duration>', 'history before it that the rules learn from', '1d')
    .option('--json', 'as JSON')
    .addOption(configOption())
    .addOption(dataOption())
    .addOption(urlOption())
    .addOption(tokenOption())
    .addHelpText(
      'after',
      examples([
        [
          'tollwatch why-not --rule PaymentRefusalSpike --labels tenant=acme --at 2026-03-02T10:15:00Z --data ./data',
          'nobody was told at a quarter past ten; why?',
        ],
      ]),
    )
    .action(async (flags: Flags) => {
      const at = parseInstant(String(flags['at']), systemClock.now())
      if (at === null) throw misused('--at is no time: write ISO 8601, epoch milliseconds, or relative such as -2h')
      const { config, folder, store, notify } = await historyOf(flags)
      try {
        const given = list(flags, 'rules')
        const args = {
          rules: rulesOf(given.length > 0 ? loadRules(given, process.cwd()) : loadRules(config.alerts.rules, folder)),
          ...{ rule: String(flags['rule']), labels: String(flags['labels']), json: flags['json'] === true },
          atMs: Math.min(at, systemClock.now()),
          routing: routesOf(notify),
          silences: await store.silences(),
          warmUpMs: durationOf(flags, 'warmUp', 'warm-up'),
          baselineSeriesLimit: config.alerts.baseline_series_limit,
        }
        done(await whyNotCommand(args, { queries: store.queries, terminal }))
      } finally {
        await store.close()
      }
    })
}

/** @throws ConfigProblems */
function rulesOf(loaded: LoadedRules) {
  if (!loaded.ok) throw new ConfigProblems(loaded.problems)
  return loaded.rules
}

/** @throws ConfigProblems */
function routesOf(file: string) {
  const read = readRoutes(file)
  if (!read.ok) throw new ConfigProblems(read.problems)
  return read.routing
}

function durationOf(flags: Flags, key: string, name: string): number {
  const ms = parseDuration(String(flags[key]))
  if (ms === null) throw misused(`--${name} is no duration: write one such as 1d or 90s`)
  return ms
}

/** History to read, and the routes of the settings. */
async function historyOf(flags: Flags): Promise<{ config: Config; folder: string; store: OpenStore; notify: string }> {
  const { config, folder } = loadedOf(flags, { history: defined({ data_dir: flags['data'] }) ?? {} })
  const [url, token, given] = [text(flags, 'url'), text(flags, 'token'), text(flags, 'notify')]
  const notify = given ?? routingPath(config.notify.file, folder)
  const where = { ...(url === null ? {} : { url }), ...(token === null ? {} : { token }) }
  return { config, folder, store: await openStore({ config, ...where }), notify }
}

function list(flags: Flags, name: string): readonly string[] {
  const value = flags[name]
  return Array.isArray(value) ? value : []
}
