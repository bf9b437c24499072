import { type Cause, causes } from '../classify/cause.ts'
import type { EpochMs } from '../time/clock.ts'
import type { Lifetime } from './lifetime.ts'
import { aheadSlices, RollingCounts, windowSlices } from './rolling.ts'
import { type Series, SeriesTable } from './series.ts'
import { type SeriesTotals, sliceMs, type WindowView } from './view.ts'

/** How many slices a jump in event time is walked through before the rest of the gap is skipped. */
const walkedSlices = (windowSlices.at(-1) ?? 0) + aheadSlices
const slicesPerMinute = 60_000 / sliceMs

export type Placement = 'counted' | 'late' | 'outside'

/**
 * The rolling windows of every series. Event time only moves on by `advanceTo`; a record ahead of the watermark waits
 * in the ring, one behind it is added to its true slice and to the sums that still cover it.
 */
export class Windows implements WindowView {
  readonly #table: SeriesTable
  #requests: RollingCounts | null = null
  #refusals: RollingCounts | null = null
  #head = -1
  #watchedFrom = 0
  #nextCauseId = 0
  readonly #freeCauseIds: number[] = []

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
    if (this.#requests === null || this.#refusals === null) this.openAt(slice * sliceMs)
    const requests = this.#requests as RollingCounts
    const refusals = this.#refusals as RollingCounts
    if (!requests.holds(slice)) return 'outside'
    if (slice > this.#head) this.#head = slice
    if (slice > series.lastSlice) series.lastSlice = slice
    if (counts.requests !== 0) requests.add(series.id, slice, counts.requests)
    if (counts.refusals !== 0) refusals.add(this.#causeId(series, counts.cause), slice, counts.refusals)
    return slice < requests.end ? 'late' : 'counted'
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
      if (this.#requests.end % slicesPerMinute === 0) this.#forgetIdle()
      yield this.#requests.end * sliceMs
    }
  }

  /** Whether a slice can be counted now; a slice too far ahead must wait until the watermark has moved. */
  tooFarAhead(slice: number): boolean {
    return this.#requests !== null && slice >= this.#requests.end + aheadSlices
  }

  totals(fromMs: EpochMs, toMs: EpochMs): readonly SeriesTotals[] {
    const requests = this.#requests
    const refusals = this.#refusals
    if (requests === null || refusals === null) return []
    const read = reader(requests.end, Math.floor(fromMs / sliceMs), Math.floor(toMs / sliceMs))
    const rows: SeriesTotals[] = []
    this.#table.forEach(({ tenant, api, id, causeIds }) => {
      const count = read(requests, id)
      const found = causeIds === null ? noCauses : countedCauses(causeIds, (causeId) => read(refusals, causeId))
      if (count === 0 && found.length === 0) return
      const paymentRequired = found.reduce((sum, one) => sum + one.count, 0)
      rows.push({ tenant, api, requests: count, paymentRequired, causes: found })
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
    const causeIds = this.#table.find(name.tenant, name.api)?.causeIds ?? null
    if (refusals === null || causeIds === null) return counts
    const first = Math.floor(endMs / sliceMs) - minutes * slicesPerMinute
    for (const id of causeIds) {
      if (id < 0) continue
      for (let at = 0; at < minutes * slicesPerMinute; at++) {
        const minute = Math.floor(at / slicesPerMinute)
        counts[minute] = (counts[minute] ?? 0) + refusals.at(id, first + at)
      }
    }
    return counts
  }

  #causeId(series: Series, cause: number): number {
    series.causeIds ??= new Int32Array(causes.length).fill(-1)
    const known = series.causeIds[cause] ?? -1
    if (known >= 0) return known
    const id = this.#freeCauseIds.pop() ?? this.#nextCauseId++
    series.causeIds[cause] = id
    return id
  }

  #forgetIdle(): void {
    const oldest = this.#requests?.oldest ?? 0
    this.#table.forEach((series) => {
      if (series.lastSlice >= oldest) return
      this.#requests?.clear(series.id)
      for (const id of series.causeIds ?? []) {
        if (id < 0) continue
        this.#refusals?.clear(id)
        this.#freeCauseIds.push(id)
      }
      this.#table.forget(series)
    })
  }
}

/** Nearly every series: one list for all of them. */
const noCauses: SeriesTotals['causes'] = []

function countedCauses(causeIds: Int32Array, read: (id: number) => number): SeriesTotals['causes'] {
  const found: { cause: Cause; count: number }[] = []
  for (let c = 0; c < causes.length; c++) {
    const id = causeIds[c] ?? -1
    const count = id < 0 ? 0 : read(id)
    const cause = causes[c]
    if (count > 0 && cause !== undefined) found.push({ cause, count })
  }
  return found
}

/** Chooses how to read a span: a running sum as it stands, one corrected at both ends, or slice by slice. */
function reader(end: number, from: number, to: number): (counts: RollingCounts, id: number) => number {
  const window = windowSlices.indexOf(to - from)
  const shift = to - end
  if (window >= 0 && shift === 0) return (counts, id) => counts.sum(id, window)
  if (window >= 0 && Math.abs(shift) * 2 < to - from && shift > 0) {
    return (counts, id) => {
      let total = counts.sum(id, window)
      for (let slice = end; slice < to; slice++) total += counts.at(id, slice)
      for (let slice = from - shift; slice < from; slice++) total -= counts.at(id, slice)
      return total
    }
  }
  return (counts, id) => {
    let total = 0
    for (let slice = from; slice < to; slice++) total += counts.at(id, slice)
    return total
  }
}
