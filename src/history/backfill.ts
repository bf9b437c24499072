import type { Cause } from '../classify/cause.ts'
import type { RereadableLane } from '../source/kafka-range.ts'
import type { EpochMs } from '../time/clock.ts'
import { type Cover, coverOf, type Owed, owedOf, type Span, widthOf } from './backfill-cover.ts'
import { announce, type BackfillIntent, intentFor, isRemembered, openIntents, settle } from './backfill-intent.ts'
import { type CutLimits, RangeReader } from './backfill-reading.ts'
import { UnequalHours } from './check-hours.ts'
import type { Database } from './database.ts'
import type { Reading } from './intake.ts'
import { gapRange, type Range } from './range.ts'
import { noSteps, type Steps } from './repair.ts'
import { type Kept, keptOf } from './retention.ts'
import type { StateStore } from './state.ts'

export interface BackfillOrder {
  readonly lanes: readonly RereadableLane[]
  readonly reading: Reading
  readonly limits: CutLimits
  /** Span of the time at which Kafka took the records. */
  readonly fromMs: EpochMs
  readonly toMs: EpochMs
  /** Reads and writes nothing, only tells what would be read. */
  readonly dryRun: boolean
  /** Enters offsets of holes that cannot be read any more into the ledger as declared gaps. */
  readonly declareLost: boolean
  /** Completes an interrupted write also with other settings than it was begun with. */
  readonly withPresentSettings: boolean
}

export interface BackfilledLane {
  readonly lane: string
  /** What the ledger had before, and what it lacked; both inclusive. Null when it had nothing of the lane. */
  readonly ledger: Span | null
  readonly missing: readonly Span[]
  /** Missing in holes, and not in Kafka any more. */
  readonly lost: readonly Span[]
  /** Offsets that are in history now and were not before. */
  readonly offsets: number
  readonly records: number
  readonly payment_required: number
  readonly causes: Readonly<Partial<Record<Cause, number>>>
  readonly unreadable: Readonly<Record<string, number>>
  readonly skipped: number
  /** An interrupted backfill was completed first. */
  readonly resumed: boolean
  /** Why something was left; null when all is done (or in a dry run could be). */
  readonly left: string | null
}

export interface BackfillStore {
  readonly database: Database
  readonly state: StateStore
  readonly now: () => EpochMs
  readonly land: (range: Range, intent: BackfillIntent) => Promise<void>
}

/** Offsets read in one go until it is known how many make a full range. */
const firstWidth = 10_000
const widestRead = 1_000_000

/**
 * Lands what Kafka still has of a span of time and the ledger does not: offsets from before the daemon first read, and
 * holes. What comes after the ledger's end is the daemon's.
 *
 * Each lane is worked through from the top down, so that the ledger grows downwards without a hole: ended at any
 * moment, what it has is whole. Each range takes the steps of the daemon's own writes: (1) the exact offsets and a
 * token are announced in `state`, (2) the range lands under the token, (3) the announcement goes. Killed in between,
 * the next run repeats exactly this range under the same token first; what had landed of it is dropped.
 *
 * Offsets missing in the ledger may all the same be in the tiers, after the loss of ledger rows. So a range lands only
 * where the finest tier that holds its hours is equal to the ledger in them.
 */
export async function backfillLanes(
  store: BackfillStore,
  order: BackfillOrder,
  steps: Steps = noSteps,
): Promise<readonly BackfilledLane[]> {
  const kept = await keptOf(store.database, store.state)
  const settled: Settled[] = []
  for (const lane of order.lanes) settled.push(await settleEarlier(store, order, lane))
  const unequal = await UnequalHours.of(store.database, kept)
  const works: LaneWork[] = []
  for (const [i, lane] of order.lanes.entries()) {
    works.push(await LaneWork.open(store, order, { lane, kept, unequal, settled: settled[i] ?? untouched }))
  }
  steps.begin(order.dryRun ? 0 : works.reduce((sum, work) => sum + work.offsetsDue, 0))
  if (!order.dryRun) for (const work of works) await work.complete(steps)
  return works.map((work) => work.result())
}

/** One lane of a backfill. */
class LaneWork {
  readonly #store: BackfillStore
  readonly #order: BackfillOrder
  readonly #lane: RereadableLane
  readonly #reader: RangeReader
  readonly #cover: Cover | null
  readonly #owed: Owed
  readonly #resumed: boolean
  readonly #unequal: UnequalHours
  readonly #tally = new Map<string, number>()
  readonly #causes: Partial<Record<Cause, number>> = {}
  #offsets = 0
  #records = 0
  #left: string | null

  private constructor(
    store: BackfillStore,
    order: BackfillOrder,
    found: {
      lane: RereadableLane
      cover: Cover | null
      owed: Owed
      resumed: boolean
      unequal: UnequalHours
      left: string | null
    },
  ) {
    this.#store = store
    this.#order = order
    this.#lane = found.lane
    this.#cover = found.cover
    this.#owed = found.owed
    this.#resumed = found.resumed
    this.#unequal = found.unequal
    this.#left = found.left
    this.#reader = new RangeReader(found.lane, order.reading, order.limits)
  }

  /** Finds out what is missing. */
  static async open(
    store: BackfillStore,
    order: BackfillOrder,
    { lane, kept, unequal, settled }: { lane: RereadableLane; kept: Kept; unequal: UnequalHours; settled: Settled },
  ): Promise<LaneWork> {
    const cover = await coverOf(store.database, [lane.source, ...lane.formerSources], lane.partition)
    const nothing = { readable: [], lost: [] }
    const owed = cover === null ? nothing : owedOf(cover, await askedOffsets(lane, order, kept))
    const left = settled.left ?? (cover === null ? unknownLane(lane) : null)
    return new LaneWork(store, order, { lane, cover, owed, unequal, resumed: settled.resumed, left })
  }

  get offsetsDue(): number {
    return this.#left === null ? this.#owed.readable.reduce((sum, span) => sum + widthOf(span), 0) : 0
  }

  async complete(steps: Steps): Promise<void> {
    if (this.#left !== null) return
    for (const span of this.#owed.readable) if (!(await this.#fill(span, steps))) break
    if (this.#order.declareLost) for (const span of this.#owed.lost) await this.#declareLost(span)
    else if (this.#owed.lost.length > 0) this.#left ??= lostText(this.#owed.lost)
  }

  result(): BackfilledLane {
    const readable = ['ok', 'skewed', 'skipped']
    const cover = this.#cover
    const isLost = this.#owed.lost.length > 0 && !this.#order.declareLost
    return {
      lane: `${this.#lane.source} lane ${this.#lane.partition}`,
      ledger: cover === null ? null : { lo: cover.first, hi: cover.last },
      ...{ missing: this.#owed.readable, lost: this.#owed.lost, offsets: this.#offsets, records: this.#records },
      payment_required: Object.values(this.#causes).reduce((sum, count) => sum + count, 0),
      causes: this.#causes,
      unreadable: Object.fromEntries([...this.#tally].filter(([result]) => !readable.includes(result))),
      skipped: this.#tally.get('skipped') ?? 0,
      resumed: this.#resumed,
      left: this.#left ?? (isLost ? lostText(this.#owed.lost) : null),
    }
  }

  /** False when it must stop: what lies further down would make a hole. */
  async #fill(span: Span, steps: Steps): Promise<boolean> {
    const { firstSource = this.#lane.source, first = 0 } = this.#cover ?? {}
    // What comes before the first range continues it, also where an earlier version gave that another name.
    const source = span.hi < first ? firstSource : this.#lane.source
    let width = firstWidth
    for (let hi = span.hi; hi >= span.lo; ) {
      const lo = Math.max(span.lo, hi - width + 1)
      const atMs = this.#store.now()
      const { range: read, tally, below } = await this.#reader.topmost({ lo, hi }, atMs)
      const range = { ...read, source }
      this.#left = this.#unequal.reasonAgainst(range)
      if (this.#left !== null) return false
      await landOnce(this.#store, range, atMs)
      this.#count(range, tally)
      const landed = widthOf(range)
      steps.advance(landed)
      hi = range.lo - 1
      // What was cut off below will be read again: a little less than it makes one range at the next go.
      if (below !== null) width = Math.max(1, Math.floor(below * 0.9))
      else if (range.rollups.length < this.#order.limits.flushRows / 2) width = Math.min(width * 2, widestRead)
    }
    return true
  }

  async #declareLost({ lo, hi }: Span): Promise<void> {
    const { source, partition } = this.#lane
    const gap = gapRange({ source, lane: partition, lo, hi, configHash: this.#order.reading.configHash })
    // Nothing of it need be announced: it is one row of one table, there or not.
    await this.#store.land(gap, intentFor(gap, this.#store.now()))
    this.#offsets += hi - lo + 1
  }

  #count(range: Range, tally: ReadonlyMap<string, number>): void {
    this.#offsets += widthOf(range)
    this.#records += range.requests
    for (const [result, count] of tally) this.#tally.set(result, (this.#tally.get(result) ?? 0) + count)
    for (const { cause, paymentRequired } of range.rollups) {
      if (cause !== '') this.#causes[cause] = (this.#causes[cause] ?? 0) + paymentRequired
    }
  }
}

async function landOnce(store: BackfillStore, range: Range, atMs: EpochMs): Promise<void> {
  const intent = intentFor(range, atMs)
  await announce(store.state, intent)
  await store.land(range, intent)
  await settle(store.state, intent)
}

/** What became of a write that an earlier run left half done. */
interface Settled {
  readonly resumed: boolean
  readonly left: string | null
}

const untouched: Settled = { resumed: false, left: null }

/** Completes a write of an earlier run of which nobody knows how much has landed. */
async function settleEarlier(store: BackfillStore, order: BackfillOrder, lane: RereadableLane): Promise<Settled> {
  const names = [lane.source, ...lane.formerSources]
  const intents = [...(await openIntents(store.state)).values()]
  const intent = intents.find((one) => names.includes(one.source) && one.lane === lane.partition)
  if (intent === undefined) return untouched
  if (order.dryRun)
    return { resumed: false, left: 'an earlier backfill was interrupted here: run it without --dry-run first' }
  const isForgotten = !(await isRemembered(store.database, intent, store.now()))
  if (isForgotten || lane.earliest > intent.lo) {
    // It cannot be repeated. Where half of it is in the tiers they differ from the ledger, which keeps its hours out.
    await settle(store.state, intent)
    return untouched
  }
  if (intent.cfg !== order.reading.configHash && !order.withPresentSettings) {
    return {
      resumed: false,
      left: `offsets ${intent.lo} to ${intent.hi} were interrupted under other settings of decode or classify: go back to those, or give --with-present-settings`,
    }
  }
  const { range } = await new RangeReader(lane, order.reading, order.limits).whole(intent, intent.atMs)
  await store.land({ ...range, source: intent.source }, intent)
  await settle(store.state, intent)
  return { resumed: true, left: null }
}

/** The offsets that the span of time asks for. Where the ledger itself has expired it cannot tell what had landed. */
async function askedOffsets(
  lane: RereadableLane,
  { fromMs, toMs }: BackfillOrder,
  kept: Kept,
): Promise<{ from: number; to: number; earliest: number }> {
  const from = await lane.offsetAt(Math.max(fromMs, kept.ledger.sinceMs ?? 0))
  return { from, to: await lane.offsetAt(toMs), earliest: lane.earliest }
}

function unknownLane({ label, earliest, latest }: RereadableLane): string {
  return earliest === latest
    ? `${label} is empty`
    : `history has nothing of ${label} yet: begin with "tollwatch run", which reads it from offset ${earliest} (source.kafka.start: earliest)`
}

function lostText(lost: readonly Span[]): string {
  const count = lost.reduce((sum, span) => sum + widthOf(span), 0)
  return `${count} offsets of holes are not in Kafka any more: with --declare-lost they are entered into the ledger as a gap`
}
