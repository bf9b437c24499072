import { Fault } from '../fault/fault.ts'
import type { RereadableLane } from '../source/kafka-range.ts'
import type { EpochMs } from '../time/clock.ts'
import { hourMs } from '../time/duration.ts'
import { formatInstant } from '../time/instant.ts'
import { type CutLimits, RangeReader } from './backfill-reading.ts'
import { checkSeconds } from './check.ts'
import type { Database } from './database.ts'
import type { Reading } from './intake.ts'
import type { Range } from './range.ts'
import { noSteps, type Steps } from './repair.ts'
import { addMissing, addToTier, type Buckets, DueCells, hourSeconds, storedRows } from './repair-rebuild.ts'
import { type Counts, type SuspectHour, type SuspectRange, suspectHours, suspectLetters } from './repair-suspects.ts'
import { type Kept, keptOf, wholeSince } from './retention.ts'
import { type OpenRange, openRanges } from './settled.ts'
import type { StateStore } from './state.ts'

export interface RebuildOrder {
  /** Whole hours of event time that this span touches. */
  readonly fromMs: EpochMs
  readonly toMs: EpochMs
  /** Only tells what is wrong; nothing is read again. */
  readonly dryRun: boolean
  /** Somebody vouches that the daemon was stopped in an orderly way, so that no range will be written once more. */
  readonly settled: boolean
  /** Ranges are read again also where they landed under other settings of decode and classify. */
  readonly withPresentSettings: boolean
  readonly reading: Reading
  readonly limits: CutLimits
  /** Buckets of series that may be held in memory at a time; a longer span is halved and read again. */
  readonly cellLimit: number
  /** Lanes that can be read again; asked for only when something is wrong. */
  readonly lanes: () => Promise<readonly RereadableLane[]>
}

/** An hour of one lane, or a range of offsets that lacks dead letters. */
export interface Rebuilt {
  readonly lane: string
  /** The hour, or the offsets. */
  readonly where: string
  /** Of the 10 s tier; null for a range of dead letters. */
  readonly before: Counts | null
  readonly after: Counts | null
  readonly missing_events: number
  readonly missing_dead_letters: number
  /** Why it was left as it is; null when it was (or in a dry run may be) rebuilt. */
  readonly left: string | null
}

export interface RebuildResult {
  readonly tier: 'rollup_10s'
  readonly from_tier: 'kafka'
  readonly from: string
  readonly to: string
  readonly dry_run: boolean
  readonly places: readonly Rebuilt[]
}

/** A range as the ledger has it. */
interface LedgerRange {
  readonly lo: number
  readonly hi: number
  readonly requests: number
  readonly refused: number
  readonly skipped: number
  readonly dead: number
  readonly cfg: string
  readonly landed: EpochMs
}

/**
 * Rebuilds the 10 s tier, the refused calls and the dead letters from the source, where they are not what the ledger
 * says. For each wrong hour of a lane the ranges that touch it are read again, the whole of each; what they bring must
 * add up to their ledger entries, or the hour is left. Then the difference to what is stored is added.
 *
 * Differences, and not a second landing under a new epoch: an epoch would bring the hour a second time, beside the rows
 * that are there, and a second entry of the same offsets into the ledger. The old rows would have to be deleted, and
 * dying between the two leaves too much or nothing. A difference is right whatever is stored, the ledger stays as it
 * is, and each INSERT is there or it is not: killed in between, the next run finds the rest. Refused calls and dead
 * letters are compared by offset and entry, and only what is missing is added.
 */
export async function rebuildFromSource(
  store: { database: Database; state: StateStore },
  order: RebuildOrder,
  steps: Steps = noSteps,
): Promise<RebuildResult> {
  const { database, state } = store
  const kept = await keptOf(database, state)
  const since = wholeSince(kept, ['rollup_10s', 'ledger']) ?? 0
  const from = Math.max(since, Math.floor(order.fromMs / hourMs) * hourSeconds)
  const span = { from, to: Math.max(from, Math.ceil(order.toMs / hourMs) * hourSeconds) }
  const hours = await suspectHours(database, kept, span)
  const letters = await suspectLetters(database, kept, {
    from: Math.floor(order.fromMs / hourMs) * hourSeconds,
    to: span.to,
  })
  const places: Rebuilt[] = []
  if (hours.length + letters.length > 0) {
    const open = await openRanges(database, state)
    const rebuild = new Rebuild(database, { order, kept, open: order.settled ? [] : open, lanes: await order.lanes() })
    const work = [...hours, ...letters]
    steps.begin(work.length)
    for (const one of work) {
      places.push('hour' in one ? await rebuild.hour(one) : await rebuild.letters(one))
      steps.advance(1)
    }
  }
  return {
    ...{ tier: 'rollup_10s', from_tier: 'kafka', dry_run: order.dryRun, places },
    ...{ from: formatInstant(span.from * 1000), to: formatInstant(span.to * 1000) },
  }
}

class Rebuild {
  readonly #database: Database
  readonly #order: RebuildOrder
  readonly #kept: Kept
  readonly #open: readonly OpenRange[]
  readonly #lanes: ReadonlyMap<string, RereadableLane>

  constructor(
    database: Database,
    parts: {
      order: RebuildOrder
      kept: Kept
      open: readonly OpenRange[]
      lanes: readonly RereadableLane[]
    },
  ) {
    this.#database = database
    this.#order = parts.order
    this.#kept = parts.kept
    this.#open = parts.open
    this.#lanes = new Map(
      parts.lanes.flatMap((lane) =>
        [lane.source, ...lane.formerSources].map((source) => [nameOf({ source, lane: lane.partition }), lane]),
      ),
    )
  }

  async hour(suspect: SuspectHour): Promise<Rebuilt> {
    const { source, lane, hour, before, after } = suspect
    const name = nameOf(suspect)
    const place = { lane: name, where: formatInstant(hour * 1000), before, after }
    const told = { ...place, missing_events: suspect.events, missing_dead_letters: 0 }
    const ranges = await this.#rangesIn(suspect)
    const left = this.#reasonToLeave(name, ranges, suspect)
    if (left !== null || this.#order.dryRun) return { ...told, left }
    const buckets = { source, lane, from: hour, to: hour + hourSeconds }
    const outcome = await this.#rebuild(buckets, ranges, this.#lanes.get(name) as RereadableLane, after)
    return { ...told, left: outcome }
  }

  async letters(suspect: SuspectRange): Promise<Rebuilt> {
    const { source, lane, lo, hi, missing } = suspect
    const name = nameOf(suspect)
    const place = { lane: name, where: `offsets ${lo} to ${hi}`, before: null, after: null }
    const told = { ...place, missing_events: 0, missing_dead_letters: missing }
    const ranges = await this.#ranges('lo = {lo:UInt64} AND hi = {hi:UInt64}', { source, lane, lo, hi })
    const left = this.#reasonToLeave(name, ranges, null)
    const from = this.#lanes.get(name)
    const [range] = ranges
    if (left !== null || this.#order.dryRun || from === undefined || range === undefined) return { ...told, left }
    const again = await this.#reread(from, source, range)
    if (typeof again === 'string') return { ...told, left: again }
    await addMissing(this.#database, again, {
      ...{ eventsSinceMs: null, lettersSinceMs: this.#kept.dead_letter.sinceMs, dryRun: false },
    })
    return { ...told, left: null }
  }

  /** Rebuilds some buckets of a lane; why not, or null when it did. */
  async #rebuild(
    buckets: Buckets,
    ranges: readonly LedgerRange[],
    lane: RereadableLane,
    after: Counts | null,
  ): Promise<string | null> {
    const due = new DueCells(buckets)
    const missing: Range[] = []
    const { cellLimit } = this.#order
    const isTooMuch = () => due.size > cellLimit && buckets.to - buckets.from > 10
    for (const range of ranges) {
      const again = await this.#reread(lane, buckets.source, range)
      if (typeof again === 'string') return again
      due.add(again.rollups)
      missing.push(withinBuckets(again, buckets))
      if (isTooMuch()) break
    }
    const stored = isTooMuch() ? null : await storedRows(this.#database, buckets, cellLimit)
    if (stored === null && buckets.to - buckets.from > 10) return this.#rebuildHalves(buckets, ranges, lane)
    if (after !== null && (due.requests !== after.requests || due.paymentRequired !== after.payment_required)) {
      return `read again it has ${due.requests} requests and ${due.paymentRequired} refusals, which is not what the ledger says`
    }
    const eventsSinceMs = this.#kept.events_402.sinceMs
    for (const range of missing) {
      await addMissing(this.#database, range, { eventsSinceMs, lettersSinceMs: null, dryRun: false })
    }
    await addToTier(this.#database, due.differences(stored ?? []))
    return null
  }

  async #rebuildHalves(buckets: Buckets, ranges: readonly LedgerRange[], lane: RereadableLane): Promise<string | null> {
    const middle = buckets.from + Math.ceil((buckets.to - buckets.from) / 20) * 10
    return (
      (await this.#rebuild({ ...buckets, to: middle }, ranges, lane, null)) ??
      (await this.#rebuild({ ...buckets, from: middle }, ranges, lane, null))
    )
  }

  /** The range from its source, or why it cannot be used. */
  async #reread(lane: RereadableLane, source: string, range: LedgerRange): Promise<Range | string> {
    const reader = new RangeReader(lane, this.#order.reading, this.#order.limits)
    const again = await reader.whole(range, range.landed).then(
      (read) => read.range,
      (error: unknown) => unreadable(error),
    )
    if (typeof again === 'string') return again
    const found = [again.requests, again.paymentRequired, again.skipped, again.deadLetters.length]
    const told = [range.requests, range.refused, range.skipped, range.dead]
    if (found.some((count, i) => count !== told[i])) {
      return `offsets ${range.lo} to ${range.hi} bring other counts than they did (${found.join(', ')} instead of ${told.join(', ')} requests, refusals, skipped, unreadable): the settings have changed, or the topic`
    }
    return { ...again, source }
  }

  #reasonToLeave(name: string, ranges: readonly LedgerRange[], suspect: SuspectHour | null): string | null {
    const { withPresentSettings, reading } = this.#order
    const lane = this.#lanes.get(name)
    if (lane === undefined) {
      return 'it is no topic of source.kafka in these settings, and only Kafka can be read again'
    }
    const isOpen = ({ lane, firstHour, lastHour }: OpenRange) =>
      lane === name && (suspect === null || (suspect.hour >= firstHour && suspect.hour <= lastHour))
    if (suspect !== null && this.#open.some(isOpen)) {
      return 'the newest range of the lane lies in it and may be written once more after a crash: let the daemon go on and repair it later, or give --settled if the daemon ended with exit code 0'
    }
    if (suspect?.erased === true) return 'a tenant was erased from it, and Kafka would bring the tenant back'
    const gone = ranges.find(({ lo }) => lo < lane.earliest)
    if (gone !== undefined) {
      return `Kafka has deleted offsets ${gone.lo} to ${Math.min(gone.hi, lane.earliest - 1)} of it`
    }
    const other = ranges.find(({ cfg }) => cfg !== reading.configHash)
    if (other !== undefined && !withPresentSettings) {
      return `offsets ${other.lo} to ${other.hi} landed under other settings of decode or classify: go back to those, or give --with-present-settings`
    }
    return null
  }

  #rangesIn({ source, lane, hour }: SuspectHour): Promise<readonly LedgerRange[]> {
    const old = `empty(hours) AND requests > 0 AND toUnixTimestamp(toStartOfHour(toDateTime(min_time, 'UTC'))) <= {hour:Int64} AND toUnixTimestamp(toDateTime(max_time, 'UTC')) >= {hour:Int64}`
    return this.#ranges(`(arrayExists(h -> toUnixTimestamp(h.1) = {hour:Int64}, hours) OR (${old}))`, {
      ...{ source, lane, hour },
    })
  }

  #ranges(where: string, params: Readonly<Record<string, string | number>>): Promise<readonly LedgerRange[]> {
    return this.#database.query<LedgerRange>(
      `SELECT lo, hi, requests, payment_required AS refused, skipped, dead_letters AS dead, config_hash AS cfg,
              toUnixTimestamp64Milli(landed_at) AS landed
       FROM tollwatch.ledger FINAL
       WHERE source = {source:String} AND lane = {lane:UInt32} AND gap = 0 AND ${where} ORDER BY lo`,
      params,
      checkSeconds,
    )
  }
}

/** Offsets that were deleted while the repair ran are a reason to leave the place; everything else ends the repair. */
function unreadable(error: unknown): string {
  if (error instanceof Fault && error.code === 'offset-out-of-range') return error.message
  throw error
}

/** Its refused calls in these buckets, and nothing else of it. */
function withinBuckets(range: Range, { from, to }: Buckets): Range {
  const events = range.events.filter(({ timeMs }) => timeMs >= from * 1000 && timeMs < to * 1000)
  return { ...range, rollups: [], deadLetters: [], events }
}

function nameOf({ source, lane }: { source: string; lane: number }): string {
  return `${source} lane ${lane}`
}
