import { type Command, Option } from 'commander'
import { systemClock } from '../time/clock.ts'
import {
  type Add,
  configOf,
  configOption,
  dataOption,
  defined,
  examples,
  type Flags,
  formatOption,
  text,
  tokenOption,
  urlOption,
} from './flags.ts'
import { verifyCommand } from './history.ts'
import { type BackfillArguments, backfillCommand } from './history-backfill.ts'
import { forgetCommand } from './history-forget.ts'
import { type RepairArguments, repairCommand } from './history-repair.ts'
import { schemaCommand } from './schema.ts'
import type { Terminal } from './terminal.ts'

export const addHistory: Add = (program, terminal, done) => {
  const history = program.command('history').description('looks after history')
  addVerify(history, terminal, done)
  addRepair(history, terminal, done)
  addBackfill(history, terminal, done)
  addForget(history, terminal, done)
}

const addVerify: Add = (history, terminal, done) => {
  history
    .command('verify')
    .description('proves that history is whole: per lane no gap and no overlap, all tables agree')
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
    .action(async (flags: Flags) => done(await verifyCommand(flags, settingsOf(flags), terminal)))
}

const addRepair: Add = (history, terminal, done) => {
  withSource(history.command('repair'))
    .description(
      'rebuilds the 10 s tier from Kafka, and each coarser tier from the finer one, where verify finds them wrong',
    )
    .requiredOption('--from <time>', 'ISO 8601, epoch milliseconds or relative')
    .option('--to <time>', 'end, exclusive', 'now')
    .addOption(new Option('--tier <name>', 'what to rebuild').choices(['10s', '1m', '1h', 'all']).default('all'))
    .option('--dry-run', 'only say what differs')
    .option('--settled', 'also the newest hours: the daemon has ended with exit code 0')
    .option('--with-present-settings', 'read again also what landed under other settings of decode and classify')
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      examples([
        ['tollwatch history repair --from -6h --dry-run', 'exit code 0, or 1 when something differs'],
        [
          'tollwatch history repair -c tollwatch.yaml --from 2026-11-20 --to 2026-11-21',
          'while no daemon runs; may be run again, also after it was killed',
        ],
        ['tollwatch history repair -c tollwatch.yaml --from -2d --tier 10s', 'only what has to be read from Kafka'],
      ]),
    )
    .action(async (flags: Flags) => {
      const args = flags as unknown as RepairArguments
      done(await repairCommand(args, sourceSettingsOf(flags), systemClock.now(), terminal))
    })
}

const addBackfill: Add = (history, terminal, done) => {
  withSource(history.command('backfill'))
    .description('brings into history what Kafka still has of a span of time and the ledger does not')
    .requiredOption('--from <time>', 'when Kafka took the records: ISO 8601, epoch milliseconds or relative')
    .option('--to <time>', 'end, exclusive', 'now')
    .option('--dry-run', 'only say what is missing')
    .option('--declare-lost', 'enter offsets of holes that Kafka has no more into the ledger as a gap')
    .option('--with-present-settings', 'complete an interrupted backfill with other settings of decode and classify')
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      examples([
        [
          'tollwatch history backfill -c tollwatch.yaml --from -7d --dry-run',
          'exit code 0, or 1 when something is missing',
        ],
        [
          'tollwatch history backfill -c tollwatch.yaml --from 2026-11-14 --to 2026-11-21',
          'while no daemon runs; may be run again, also after it was killed',
        ],
      ]),
    )
    .action(async (flags: Flags) => {
      const args = flags as unknown as BackfillArguments
      done(await backfillCommand(args, sourceSettingsOf(flags), systemClock.now(), terminal))
    })
}

const addForget: Add = (history, terminal, done) => {
  history
    .command('forget')
    .description('erases one tenant from every table, for good')
    .addOption(configOption())
    .addOption(dataOption())
    .requiredOption('--tenant <name>', 'whom')
    .option('--yes', 'do it; without it the rows are only counted')
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      examples([
        ['tollwatch history forget --tenant acme', 'how many rows there are'],
        [
          'tollwatch history forget --tenant acme --yes',
          'while no daemon runs; run it again if it was killed, verify says so too',
        ],
      ]),
    )
    .action(async (flags: Flags) => {
      const args = { tenant: text(flags, 'tenant') ?? '', yes: flags['yes'] === true, json: flags['json'] === true }
      done(await forgetCommand(args, settingsOf(flags), terminal))
    })
}

export const addSchema: Add = (program: Command, terminal: Terminal, done) => {
  program
    .command('schema')
    .description('prints the statements that make the tables in ClickHouse')
    .addOption(configOption())
    .option('--cluster <name>', 'Replicated tables on this cluster of ClickHouse')
    .addHelpText(
      'after',
      examples([
        ['tollwatch schema -c tollwatch.yaml > schema.sql', 'with the retention of the settings'],
        ['tollwatch schema --cluster main | clickhouse-client --multiquery', 'on every replica of the cluster'],
      ]),
    )
    .action((flags: Flags) => {
      const cluster = text(flags, 'cluster')
      done(schemaCommand(cluster === null ? {} : { cluster }, configOf(flags), terminal))
    })
}

/** What a command needs that reads from Kafka again. */
function withSource(command: Command): Command {
  return command
    .addOption(configOption())
    .addOption(dataOption())
    .option('--kafka <brokers>', 'host:port, several separated by commas')
    .option('--topic <topic>', 'only these topics, several separated by commas')
    .addOption(formatOption())
}

function sourceSettingsOf(flags: Flags) {
  const kafka = defined({ brokers: flags['kafka'], topic: flags['topic'] })
  const overrides = defined({
    source: defined({ kafka }),
    decode: defined({ format: flags['format'] }),
    history: defined({ data_dir: flags['data'] }),
  })
  return configOf(flags, overrides ?? {})
}

function settingsOf(flags: Flags) {
  return configOf(flags, { history: defined({ data_dir: flags['data'] }) ?? {} })
}
