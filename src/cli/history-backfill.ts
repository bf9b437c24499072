import { readingOf } from '../config/reading.ts'
import type { Config } from '../config/schema.ts'
import { silentLog } from '../fault/log.ts'
import type { BackfilledLane, BackfillOrder } from '../history/backfill.ts'
import { openTopics, type RereadableTopics } from '../source/kafka-range.ts'
import type { EpochMs } from '../time/clock.ts'
import { misused } from './flags.ts'
import { cutLimitsOf, spanOf } from './history-span.ts'
import { printRows } from './output.ts'
import { stepsOn } from './progress-steps.ts'
import { openStoreAlone } from './store.ts'
import { exitCode, type Terminal } from './terminal.ts'

export interface BackfillArguments {
  readonly from: string
  readonly to: string
  readonly dryRun?: boolean
  readonly declareLost?: boolean
  readonly withPresentSettings?: boolean
  readonly json?: boolean
}

/**
 * `tollwatch history backfill`: lands what Kafka still has of a span of time and the ledger does not.
 *
 * @returns 0 when nothing is missing any more, else 1
 */
export async function backfillCommand(
  args: BackfillArguments,
  config: Config,
  now: EpochMs,
  terminal: Terminal,
): Promise<number> {
  const span = spanOf(args, now)
  const { kafka } = config.source
  if (kafka === undefined) {
    throw misused('the settings have no source.kafka: name them with -c, or give --kafka BROKERS --topic TOPIC')
  }
  const history = await openStoreAlone(config)
  let topics: RereadableTopics | null = null
  try {
    topics = await openTopics(kafka, { epoch: config.history.epoch, log: silentLog })
    const order: BackfillOrder = {
      ...{ ...span, lanes: topics.lanes, reading: readingOf(config), limits: cutLimitsOf(config) },
      ...{ dryRun: args.dryRun === true, declareLost: args.declareLost === true },
      withPresentSettings: args.withPresentSettings === true,
    }
    const { steps, done } = stepsOn(terminal, 'backfill')
    const lanes = await history.backfill(order, steps).finally(done)
    if (args.json === true) terminal.stdout.write(`${JSON.stringify(lanes, null, 2)}\n`)
    else print(lanes, order.dryRun, terminal)
    const isOpen = lanes.some(({ left, missing }) => left !== null || (order.dryRun && missing.length > 0))
    return isOpen ? exitCode.failed : exitCode.ok
  } finally {
    await topics?.close()
    await history.close()
  }
}

function print(lanes: readonly BackfilledLane[], isDry: boolean, terminal: Terminal): void {
  const { stdout } = terminal
  const rows = lanes.map((lane) => ({
    lane: lane.lane,
    'ledger before': lane.ledger === null ? 'nothing' : `${lane.ledger.lo} to ${lane.ledger.hi}`,
    missing: lane.missing.reduce((sum, { lo, hi }) => sum + hi - lo + 1, 0),
    landed: lane.offsets,
    records: lane.records,
    payment_required: lane.payment_required,
    unreadable: Object.values(lane.unreadable).reduce((sum, count) => sum + count, 0),
    result: lane.left === null ? resultOf(lane, isDry) : 'LEFT',
  }))
  printRows(rows, Object.keys(rows[0] ?? {}), 'table', terminal)
  for (const lane of lanes) {
    for (const { lo, hi } of lane.missing) stdout.write(`${lane.lane}: missing were offsets ${lo} to ${hi}\n`)
    if (lane.resumed) stdout.write(`${lane.lane}: a backfill that was interrupted was completed first\n`)
  }
  for (const [name, count] of sums(lanes, (lane) => lane.causes)) stdout.write(`402 ${name}: ${number(count)}\n`)
  for (const [name, count] of sums(lanes, (lane) => lane.unreadable)) {
    stdout.write(`unreadable ${name}: ${number(count)}\n`)
  }
  for (const { lane, left } of lanes) if (left !== null) stdout.write(`LEFT ${lane}: ${left}\n`)
}

function resultOf({ missing, resumed, lost }: BackfilledLane, isDry: boolean): string {
  if (isDry) return missing.length > 0 ? 'would be read' : 'whole'
  return missing.length > 0 || resumed || lost.length > 0 ? 'filled' : 'whole'
}

function sums(
  lanes: readonly BackfilledLane[],
  of: (lane: BackfilledLane) => Readonly<Partial<Record<string, number>>>,
): readonly (readonly [string, number])[] {
  const all = new Map<string, number>()
  for (const lane of lanes) {
    for (const [name, count = 0] of Object.entries(of(lane))) all.set(name, (all.get(name) ?? 0) + count)
  }
  return [...all].sort((a, b) => b[1] - a[1])
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
