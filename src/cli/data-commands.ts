import { systemClock } from '../time/clock.ts'
import { decodeCommand } from './decode.ts'
import {
  type Add,
  configOf,
  configOption,
  dataOption,
  defined,
  examples,
  type Flags,
  formatOption,
  loadedOf,
  text,
  tokenOption,
  urlOption,
} from './flags.ts'
import { type QueryArguments, queryCommand, subjects } from './query.ts'
import { replayCommand } from './replay.ts'
import { sqlCommand } from './sql.ts'

export const addDecode: Add = (program, terminal, done) => {
  program
    .command('decode [file...]')
    .description('shows what Tollwatch reads in log lines: one JSON object per access record')
    .addOption(configOption())
    .addOption(formatOption())
    .option('--strict', 'exit 1 if any line cannot be read')
    .option('--explain', 'how records were read instead: by which keys, from which places, why refused')
    .option('--json', 'the summary as JSON, and with --explain one explanation per record')
    .addHelpText(
      'after',
      examples([
        ['head -100 access.log | tollwatch decode', 'is the layout recognised, are the causes right?'],
        [
          'head -1000 access.log | tollwatch decode --explain',
          'where tenant, API and cause come from, what would make it better, which of your rules decide',
        ],
        [
          'tollwatch decode -c tollwatch.yaml --explain --json kong.ndjson',
          'the same for programs, with your settings',
        ],
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
        explain: flags['explain'] === true,
        options: decode,
        classify,
      }
      done(await decodeCommand(args, terminal))
    })
}

export const addReplay: Add = (program, terminal, done) => {
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

export const addQuery: Add = (program, terminal, done) => {
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
        const loaded = loadedOf(flags, { history: defined({ data_dir: flags['data'] }) ?? {} })
        done(await queryCommand(subject, flags as unknown as QueryArguments, loaded, systemClock.now(), terminal))
      })
  }
}

export const addSql: Add = (program, terminal, done) => {
  program
    .command('sql [statement]')
    .description('one statement on the tables of history, which it cannot change; from standard input without one')
    .addOption(configOption())
    .addOption(dataOption())
    .option('--format <name>', 'table, json, csv or ndjson')
    .option('--json', 'the same as --format json')
    .addHelpText(
      'after',
      examples([
        [
          'tollwatch sql "SELECT tenant, sum(payment_required) AS refused FROM tollwatch.rollup_1m WHERE bucket >= now() - INTERVAL 1 HOUR GROUP BY tenant HAVING refused > 0 ORDER BY refused DESC LIMIT 10"',
          'who: the ten tenants that were refused most in the last hour',
        ],
        [
          "tollwatch sql \"SELECT cause, cause_code, count() AS calls FROM tollwatch.events_402 FINAL WHERE tenant = 'acme' AND kind = 'payment_required' AND ts >= now() - INTERVAL 1 DAY GROUP BY cause, cause_code ORDER BY calls DESC\"",
          'why: what acme was refused for today, and the word in the log that says so',
        ],
        [
          'tollwatch sql "SELECT toStartOfHour(bucket) AS hour, sum(payment_required) AS refused, sum(requests) AS calls FROM tollwatch.rollup_1h WHERE tenant = \'acme\' AND bucket >= now() - INTERVAL 3 DAY GROUP BY hour ORDER BY hour"',
          'since when: hour by hour',
        ],
        ['tollwatch sql --data ./data/demo --format csv < question.sql', 'from a file, for a spreadsheet'],
      ]),
    )
    .action(async (statement: string | undefined, flags: Flags) => {
      const [format, json] = [text(flags, 'format'), flags['json'] === true]
      const config = configOf(flags, { history: defined({ data_dir: flags['data'] }) ?? {} })
      done(
        await sqlCommand(
          { statement: statement ?? null, json, ...(format === null ? {} : { format }) },
          config,
          terminal,
        ),
      )
    })
}
