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
  text,
  tokenOption,
  urlOption,
} from './flags.ts'
import { verifyCommand } from './history.ts'
import { forgetCommand } from './history-forget.ts'
import { type RepairArguments, repairCommand } from './history-repair.ts'
import { schemaCommand } from './schema.ts'
import type { Terminal } from './terminal.ts'

export const addHistory: Add = (program, terminal, done) => {
  const history = program.command('history').description('looks after history')
  addVerify(history, terminal, done)
  addRepair(history, terminal, done)
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
  history
    .command('repair')
    .description('rebuilds a coarser tier of the rollups from the finer one, where verify says that they disagree')
    .addOption(configOption())
    .addOption(dataOption())
    .requiredOption('--from <time>', 'ISO 8601, epoch milliseconds or relative')
    .option('--to <time>', 'end, exclusive', 'now')
    .addOption(new Option('--tier <name>', 'what to rebuild').choices(['1m', '1h', 'all']).default('all'))
    .option('--dry-run', 'only say what differs')
    .option('--settled', 'also the newest hours: the daemon has ended with exit code 0')
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      examples([
        ['tollwatch history repair --from -6h --dry-run', 'exit code 0, or 1 when something differs'],
        [
          'tollwatch history repair -c tollwatch.yaml --from 2026-11-20 --to 2026-11-21',
          'while no daemon runs; may be run again, also after it was killed',
        ],
      ]),
    )
    .action(async (flags: Flags) => {
      const args = flags as unknown as RepairArguments
      done(await repairCommand(args, settingsOf(flags), systemClock.now(), terminal))
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

function settingsOf(flags: Flags) {
  return configOf(flags, { history: defined({ data_dir: flags['data'] }) ?? {} })
}
