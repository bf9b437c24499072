import { isAbsolute, resolve } from 'node:path'
import { Option } from 'commander'
import { type Severity, severities } from '../alert/alert.ts'
import { loadRules } from '../alert/rule-files.ts'
import { silentLog } from '../fault/log.ts'
import { openReceivers } from '../notify/receivers.ts'
import { loadRouting, routingPath } from '../notify/routing-file.ts'
import { systemClock } from '../time/clock.ts'
import { parseDuration } from '../time/duration.ts'
import { askerOf } from './ask-daemon.ts'
import { type DrillPlace, drillCommand } from './drill.ts'
import { daemonDrill, ownDrill } from './drill-place.ts'
import { explainCommand } from './explain.ts'
import {
  type Add,
  ConfigProblems,
  configOption,
  daemonOf,
  examples,
  type Flags,
  loadedOf,
  misused,
  text,
  tokenOption,
  untilInterrupted,
  urlOption,
} from './flags.ts'
import { scoreCommand } from './score.ts'
import { type SilenceArguments, silenceCommand } from './silence.ts'
import type { Terminal } from './terminal.ts'
import { testReceiverCommand } from './test-receiver.ts'

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
    .description('why an alert is what it is, who is told of it, who was, and what comes next')
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

export const addDrill: Add = (program, terminal, done) => {
  program
    .command('drill [receiver]')
    .description('a fire drill: a marked alert goes the way of a real one; who is told, and after how long?')
    .option('--rule <name>', 'as this rule would raise it')
    .addOption(new Option('--severity <name>', 'where no rule decides it').choices(severities).default('page'))
    .option('--wait <duration>', 'how long to watch it', '10m')
    .option('-c, --config <file>', 'in this process, with these settings and without a daemon')
    .addOption(urlOption())
    .addOption(tokenOption())
    .option('--json', 'at the end, as JSON')
    .addHelpText(
      'after',
      examples([
        ['tollwatch drill --rule FleetWideSpike', 'whom does the running daemon wake, and how fast?'],
        ['tollwatch drill oncall', 'past the routes, to one receiver'],
        ['tollwatch drill -c tollwatch.yaml', 'before there is a daemon'],
      ]),
    )
    .action(async (receiver: string | undefined, flags: Flags) => {
      const waitMs = parseDuration(String(flags['wait']))
      if (waitMs === null) throw misused('--wait is no duration: write one such as 10m')
      const place =
        text(flags, 'config') === null
          ? daemonDrill(askerOf(daemonOf(flags), { terminal, fetch }))
          : await ownPlace(flags, terminal)
      const { signal, end } = untilInterrupted()
      try {
        const severity = severities.find((one) => one === flags['severity']) ?? ('page' satisfies Severity)
        const asked = {
          receiver: receiver ?? null,
          rule: text(flags, 'rule'),
          severity,
          waitMs,
          json: flags['json'] === true,
        }
        done(await drillCommand(asked, { place, terminal, clock: systemClock, signal }))
      } finally {
        end()
        await place.close()
      }
    })
}

/** @throws ConfigProblems */
async function ownPlace(flags: Flags, terminal: Terminal): Promise<DrillPlace> {
  const { config, folder } = loadedOf(flags)
  const { file } = config.notify
  const path = routingPath(file, folder)
  const [routes, rules] = [await loadRouting(path, process.env), loadRules(config.alerts.rules, folder)]
  if (!routes.ok || !rules.ok) {
    throw new ConfigProblems([...(routes.ok ? [] : routes.problems), ...(rules.ok ? [] : rules.problems)])
  }
  const { routing } = routes
  const log = { ...silentLog, info: (message: string) => void terminal.stderr.write(`log: ${message}\n`) }
  const receivers = openReceivers(routing, { log })
  const words = { file: file ?? 'the built-in routing', runbookUrl: config.notify.runbook_url }
  return ownDrill({ routing, receivers, rules: rules.rules, clock: systemClock, ...words })
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
