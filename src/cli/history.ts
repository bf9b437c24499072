import type { Config } from '../config/schema.ts'
import type { VerifyReport } from '../history/ledger.ts'
import { printRows } from './output.ts'
import { openStore } from './store.ts'
import { exitCode, type Terminal } from './terminal.ts'

/** `tollwatch history verify`: proves that history is whole, or says where it is not. */
export async function verifyCommand(
  args: { url?: string; token?: string; json?: boolean },
  config: Config,
  terminal: Terminal,
): Promise<number> {
  const { url, token } = args
  const store = await openStore({
    config,
    ...(url === undefined ? {} : { url }),
    ...(token === undefined ? {} : { token }),
  })
  try {
    const report = await store.verify()
    if (args.json === true) terminal.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
    else printReport(report, terminal)
    return report.ok ? exitCode.ok : exitCode.failed
  } finally {
    await store.close()
  }
}

const laneColumns = [
  ...['source', 'lane', 'ranges', 'lo', 'hi', 'requests', 'payment_required', 'skipped', 'dead_letters'],
  ...['missing', 'doubled', 'declared_gaps'],
]
const checkColumns = ['compared', 'since', 'hours', 'unequal', 'left_out', 'result']

function printReport(report: VerifyReport, terminal: Terminal): void {
  const { stdout } = terminal
  if (report.lanes.length === 0) stdout.write('The ledger is empty: nothing was ever written.\n')
  else
    printRows(
      report.lanes.map((lane) => ({ ...lane })),
      laneColumns,
      'table',
      terminal,
    )
  if (report.lane_count > report.lanes.length) {
    stdout.write(`and ${number(report.lane_count - report.lanes.length)} more lanes without a gap or an overlap\n`)
  }
  stdout.write('\n')
  const checks = report.checks.map(({ name, ok, since, ...check }) => {
    return { compared: name, ...check, since: since ?? 'not kept', result: ok ? 'equal' : 'UNEQUAL' }
  })
  printRows(checks, checkColumns, 'table', terminal)
  stdout.write('\n')
  for (const [table, { requests, payment_required }] of Object.entries(report.totals)) {
    const base = requests === null ? '' : `${number(requests)} requests, `
    stdout.write(`${table}: ${base}${number(payment_required)} payment required\n`)
  }
  if (report.erasures > 0) stdout.write(`${number(report.erasures)} erasures of tenants are accounted for\n`)
  for (const problem of report.problems) stdout.write(`PROBLEM ${problem}\n`)
  stdout.write(report.ok ? 'History is whole: no gap, no overlap, the tables agree.\n' : 'History is NOT whole.\n')
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
