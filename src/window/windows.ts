import assert from 'node:assert/strict'
import { type Cause, causes } from '../classify/cause.ts'
import type { EpochMs } from '../time/clock.ts'
import { CauseCells } from './cause-cells.ts'
import type { Column, ColumnView } from './columns.ts'
import type { Lifetime } from './lifetime.ts'
import { aheadSlices, RollingCounts, windowSlices } from './rolling.ts'
import { type Series, SeriesTable } from './series.ts'
import { type SeriesTotals, sliceMs } from './view.ts'

const longestWindow = windowSlices.length - 1
/** How many slices a jump in event time is walked through before the rest of the gap is skipped. */
const walkedSlices = (windowSlices[longestWindow] ?? 0) + aheadSlices
const slicesPerMinute = 60_000 / sliceMs
/** Most series forgotten with one slice: when a flood of names goes idle at once, the rest waits for the next slices. */
const forgottenPerSlice = 20_000

export type Placement = 'counted' | 'late' | 'outside'

/**
 * The rolling windows of every series. Event time only moves on by `advanceTo`; a record ahead of the watermark waits
 * in the ring, one behind it is added to its true slice and to the sums that still cover it.
 */
export class Windows implements ColumnView {
  readonly #table: SeriesTable
  readonly #causes = new CauseCells()
  #requests: RollingCounts | null = null
  #refusals: RollingCounts | null = null
  #head = -1
  #watchedFrom = 0
  /** The next cell that the search for idle series looks at; -1 while there is no search. */
  #searched = -1
  #forgotten = 0

  constructor(options: { seriesLimit: number; seriesLimitPerTenant: number; lifetime: Lifetime }) {
    const { seriesLimit: limit, seriesLimitPerTenant: perTenant, lifetime } = options
    this.#table = new SeriesTable({ limit, perTenant, lifetime })
  }

  get endMs(): EpochMs | null {
    return this.#requests === null ? null : this.#requests.end * sliceMs
  }

  get headMs(): EpochMs | null {
    return this.#head < 0 ? null : (this.#head + 1) * sliceMs
  }

  get oldestMs(): EpochMs | null {
    return this.#requests === null ? null : Math.max(this.#requests.oldest, this.#watchedFrom) * sliceMs
  }

  get seriesCount(): number {
    return this.#table.size
  }

  get foldedCount(): number {
    return this.#table.folded
  }

  series(tenant: string, api: string): Series {
    return this.#table.of(tenant, api)
  }

  /**
   * Opens the windows so that they end at `endMs`; without it they open at the first record.
   *
   * @param watchedFromMs from when on everything is known; `endMs` when nothing was seen before
   */
  openAt(endMs: EpochMs, watchedFromMs: EpochMs = endMs): void {
    const end = Math.floor(endMs / sliceMs)
    this.#watchedFrom = Math.floor(watchedFromMs / sliceMs)
    this.#requests = new RollingCounts(end)
    this.#refusals = new RollingCounts(end)
  }

  /**
   * Counts requests, and refusals of one cause, in a slice.
   *
   * @returns `late` when the slice was closed already (it is counted all the same), `outside` when the ring no longer
   * or not yet holds the slice and nothing was counted here
   */
  add(series: Series, slice: number, counts: { requests: number; refusals: number; cause: number }): Placement {
    const requests = this.#opened(slice)
    if (!requests.holds(slice)) return 'outside'
    if (slice > this.#head) this.#head = slice
    this.#table.touch(series.id, slice)
    if (counts.requests !== 0) requests.add(series.id, slice, counts.requests)
    if (counts.refusals !== 0) this.#refuse(series, slice, counts.cause, counts.refusals)
    return slice < requests.end ? 'late' : 'counted'
  }

  /**
   * Counts one request: `add` without an object for the counts.
   *
   * @param cause index of the cause it was refused for, -1 when it was not
   */
  count(series: Series, slice: number, cause: number): Placement {
    const placement = this.countAt(series.id, slice, 1)
    if (placement !== 'outside' && cause >= 0) this.#refuse(series, slice, cause, 1)
    return placement
  }

  /**
   * Counts requests that were not refused, without a look at their series: for the hot path.
   *
   * @param id of a series that was not forgotten since it was looked up
   */
  countAt(id: number, slice: number, count: number): Placement {
    const requests = this.#requests ?? this.#opened(slice)
    if (!requests.holds(slice)) return 'outside'
    if (slice > this.#head) this.#head = slice
    this.#table.touch(id, slice)
    requests.add(id, slice, count)
    return slice < requests.end ? 'late' : 'counted'
  }

  /**
   * Which slices the rings hold: from the oldest one, and below `aheadFrom`; those below `end` are closed. Null before
   * they are opened.
   */
  get bounds(): { readonly oldest: number; readonly end: number; readonly aheadFrom: number } | null {
    const requests = this.#requests
    return requests === null
      ? null
      : { oldest: requests.oldest, end: requests.end, aheadFrom: requests.end + aheadSlices }
  }

  /** Rises whenever a series is forgotten, whose id then may be another's. */
  get forgotten(): number {
    return this.#forgotten
  }

  /**
   * Closes slices up to `endMs` one after another, calling `closed` after each. A gap longer than the rings is walked
   * until they are empty and then skipped, so that one lane that starts again after days does not stall the loop.
   */
  *advanceTo(endMs: EpochMs): IterableIterator<EpochMs> {
    const target = Math.floor(endMs / sliceMs)
    if (this.#requests === null || this.#refusals === null) return
    let walked = 0
    while (this.#requests.end < target) {
      if (walked >= walkedSlices && this.#head < this.#requests.end) {
        this.openAt(target * sliceMs, this.#watchedFrom * sliceMs)
      } else {
        this.#requests.advance()
        this.#refusals.advance()
        walked++
      }
      if (this.#requests.end % slicesPerMinute === 0) this.#searched = 0
      if (this.#searched >= 0) this.#forgetIdle()
      yield this.#requests.end * sliceMs
    }
  }

  /** Whether a slice can be counted now; a slice too far ahead must wait until the watermark has moved. */
  tooFarAhead(slice: number): boolean {
    return this.#requests !== null && slice >= this.#requests.end + aheadSlices
  }

  columns(fromMs: EpochMs, toMs: EpochMs): readonly Column[] {
    const [from, to] = [Math.floor(fromMs / sliceMs), Math.floor(toMs / sliceMs)]
    return [
      { cells: this.#table.cells, counts: this.#requests?.column(from, to) ?? nothing },
      { cells: this.#causes.cells, counts: this.#refusals?.column(from, to) ?? nothing },
    ]
  }

  totals(fromMs: EpochMs, toMs: EpochMs): readonly SeriesTotals[] {
    const [from, to] = [Math.floor(fromMs / sliceMs), Math.floor(toMs / sliceMs)]
    const requests = this.#requests?.column(from, to) ?? nothing
    const refusals = this.#refusals?.column(from, to) ?? nothing
    const rows: SeriesTotals[] = []
    this.#table.forEach((series) => {
      const count = requests[series.id] ?? 0
      const found = series.refusedAt < 0 ? noCauses : this.#countedCauses(series, refusals)
      if (count === 0 && found.length === 0) return
      const paymentRequired = found.reduce((sum, one) => sum + one.count, 0)
      rows.push({ tenant: series.tenant, api: series.api, requests: count, paymentRequired, causes: found })
    })
    return rows
  }

  /**
   * Refusals of one series, minute by minute up to a slice boundary, the oldest first; zeros where nothing is known.
   *
   * @param minutes how many; what is further back than the rings hold counts as zero
   */
  refusalsByMinute(name: { readonly tenant: string; readonly api: string }, endMs: EpochMs, minutes: number): number[] {
    const counts = new Array<number>(minutes).fill(0)
    const refusals = this.#refusals
    const series = this.#table.find(name.tenant, name.api)
    if (refusals === null || series === null) return counts
    const first = Math.floor(endMs / sliceMs) - minutes * slicesPerMinute
    for (let cause = 0; cause < causes.length; cause++) {
      const cell = this.#causes.find(series, cause)
      if (cell < 0) continue
      for (let at = 0; at < minutes * slicesPerMinute; at++) {
        const minute = Math.floor(at / slicesPerMinute)
        counts[minute] = (counts[minute] ?? 0) + refusals.at(cell, first + at)
      }
    }
    return counts
  }

  /** The rings of requests; at the first record they are opened around it. */
  #opened(slice: number): RollingCounts {
    if (this.#requests === null) this.openAt(slice * sliceMs)
    assert(this.#requests !== null, 'the windows were just opened')
    return this.#requests
  }

  #refuse(series: Series, slice: number, cause: number, count: number): void {
    this.#refusals?.add(this.#causes.of(series, cause), slice, count)
  }

  #countedCauses(series: Series, refusals: Uint32Array): SeriesTotals['causes'] {
    const found: { cause: Cause; count: number }[] = []
    for (let at = 0; at < causes.length; at++) {
      const cell = this.#causes.find(series, at)
      const count = cell < 0 ? 0 : (refusals[cell] ?? 0)
      const cause = causes[at]
      if (count > 0 && cause !== undefined) found.push({ cause, count })
    }
    return found
  }

  /**
   * Forgets series of which the rings hold nothing any more. Their cells are zero in every slice and sum, and can be
   * given to others as they are.
   */
  #forgetIdle(): void {
    const { cells } = this.#table
    const oldest = this.#requests?.oldest ?? 0
    // Nearly every series has requests in the last hour, and their sums lie side by side.
    const hour = this.#requests?.window(longestWindow) ?? nothing
    let left = forgottenPerSlice
    for (; this.#searched < cells.size && left > 0; this.#searched++) {
      if ((hour[this.#searched] ?? 0) !== 0) continue
      const series = cells.seriesOf(this.#searched)
      if (series === null || this.#table.lastSliceOf(series.id) >= oldest) continue
      this.#causes.take(series)
      this.#table.forget(series)
      this.#forgotten++
      left--
    }
    if (this.#searched >= cells.size) this.#searched = -1
  }
}

const nothing = new Uint32Array(0)
/** Nearly every series: one list for all of them. */
const noCauses: SeriesTotals['causes'] = []
