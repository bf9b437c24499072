import type { Config } from '../config/schema.ts'
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
    if (args.json === true) {
      terminal.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
      return report.ok ? exitCode.ok : exitCode.failed
    }
    const columns = [
      'source',
      'lane',
      'ranges',
      'lo',
      'hi',
      'requests',
      'payment_required',
      'skipped',
      'dead_letters',
      'missing',
      'doubled',
      'declared_gaps',
    ]
    printRows(
      report.lanes.map((lane) => ({ ...lane })),
      columns,
      'table',
      terminal,
    )
    for (const [table, { requests, payment_required }] of Object.entries(report.totals)) {
      const base = requests === null ? '' : `${requests.toLocaleString('en-US')} requests, `
      terminal.stdout.write(`${table}: ${base}${payment_required.toLocaleString('en-US')} payment required\n`)
    }
    for (const problem of report.problems) terminal.stdout.write(`PROBLEM ${problem}\n`)
    terminal.stdout.write(
      report.ok ? 'History is whole: no gap, no overlap, the tiers agree.\n' : 'History is NOT whole.\n',
    )
    return report.ok ? exitCode.ok : exitCode.failed
  } finally {
    await store.close()
  }
}
