import type { Config } from '../config/schema.ts'
import { Fault } from '../fault/fault.ts'
import type { Repaired, RepairOrder } from '../history/repair.ts'
import type { EpochMs } from '../time/clock.ts'
import { parseInstant } from '../time/instant.ts'
import { printRows } from './output.ts'
import { stepsOn } from './progress-steps.ts'
import { openStoreAlone } from './store.ts'
import { exitCode, type Terminal } from './terminal.ts'

export interface RepairArguments {
  readonly from: string
  readonly to: string
  /** `1m`, `1h` or `all`. */
  readonly tier: string
  readonly dryRun?: boolean
  readonly settled?: boolean
  readonly json?: boolean
}

/** In the order in which one mends the next. */
const tiers = { '1m': ['rollup_1m'], '1h': ['rollup_1h'], all: ['rollup_1m', 'rollup_1h'] } as const

/**
 * `tollwatch history repair`: rebuilds a coarser tier from the finer one over a span. Where the finest tier itself is
 * wrong, only reading the range again from its source helps: that would be another way to repair, beside `--tier`.
 *
 * @returns 0 when nothing differs any more, else 1
 */
export async function repairCommand(
  args: RepairArguments,
  config: Config,
  now: EpochMs,
  terminal: Terminal,
): Promise<number> {
  const orders = ordersOf(args, now)
  const history = await openStoreAlone(config)
  const results: Repaired[] = []
  try {
    for (const order of orders) {
      const { steps, done } = stepsOn(terminal, order.tier)
      results.push(await history.repair(order, steps).finally(done))
    }
  } finally {
    await history.close()
  }
  if (args.json === true) terminal.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
  else for (const result of results) print(result, terminal)
  const open = results.some(({ hours, dry_run }) => hours.some(({ left }) => dry_run || left !== null))
  return open ? exitCode.failed : exitCode.ok
}

function ordersOf(args: RepairArguments, now: EpochMs): readonly RepairOrder[] {
  const fromMs = instant('--from', args.from, now)
  const toMs = instant('--to', args.to, now)
  if (fromMs >= toMs) throw misused('--from must be earlier than --to')
  const names = tiers[args.tier as keyof typeof tiers]
  if (names === undefined) throw misused(`--tier must be one of ${Object.keys(tiers).join(', ')}`)
  return names.map((tier) => ({
    ...{ tier, fromMs, toMs },
    ...{ dryRun: args.dryRun === true, settled: args.settled === true },
  }))
}

function instant(flag: string, text: string, now: EpochMs): EpochMs {
  const at = parseInstant(text, now)
  if (at === null) throw misused(`${flag} is no time; write it like 2026-11-21T14:00:00Z or -6h`)
  return at
}

function misused(message: string): Fault {
  return new Fault('argument-invalid', message, { retryable: false })
}

function print(result: Repaired, terminal: Terminal): void {
  const { stdout } = terminal
  stdout.write(`${result.tier} from ${result.from_tier}, ${result.from} to ${result.to}\n`)
  if (result.hours.length === 0) {
    stdout.write('  nothing differs\n')
    return
  }
  const rows = result.hours.map(({ hour, before, after, left }) => ({
    hour,
    requests: before.requests,
    'of the finer': after.requests,
    payment_required: before.payment_required,
    ' of the finer': after.payment_required,
    result: left === null ? (result.dry_run ? 'would be repaired' : 'repaired') : 'LEFT',
  }))
  printRows(rows, Object.keys(rows[0] ?? {}), 'table', terminal)
  for (const { hour, left } of result.hours) if (left !== null) stdout.write(`LEFT ${hour}: ${left}\n`)
}
