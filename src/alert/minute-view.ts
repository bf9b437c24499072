import assert from 'node:assert/strict'
import { type Cause, causes } from '../classify/cause.ts'
import type { SeriesMinutes } from '../history/query.ts'
import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import type { Column, ColumnView } from '../window/columns.ts'
import type { SeriesTotals } from '../window/view.ts'
import { type Cell, CellList } from './cell-list.ts'
import { columnsOf } from './minute-columns.ts'

/** A bit more than an hour, so that every window and a minute beside it is held. */
const heldMinutes = 62
/** Below so many series nothing is forgotten. */
const fewSeries = 4_096
/** A running sum that nobody asked for in so many minutes is given up. */
const askedLately = 2

/** What a window answers is written into the same rows every minute: there are too many to make them anew. */
interface Window {
  sums: Float64Array
  askedAt: number
  /** One for each series. */
  readonly rows: Row[]
}

type Row = { -readonly [Key in keyof SeriesTotals]: SeriesTotals[Key] }

interface Series {
  readonly tenant: string
  readonly api: string
  /** Where its requests are counted; -1 before the first. */
  requests: number
  /** Where its refusals of each cause are counted. */
  readonly causes: { readonly cause: Cause; readonly cell: number }[]
}

const causeOf: ReadonlyMap<string, Cause> = new Map(causes.map((cause) => [cause, cause]))

/**
 * The rolling windows over minutes of history, for as many engines as like to read them: each engine finds the same
 * answers ready. Made for months of ten thousand series: counts lie in plain arrays, one for each minute, by numbered
 * cells (a series' requests, or its refusals of one cause), and a window that ends now is a running sum. An answer holds
 * until the next minute and not longer.
 *
 * As history knows no finer, all of a minute counts as its first ten seconds. `ScriptedView` says the same more slowly.
 */
export class MinuteView implements ColumnView {
  readonly #startMs: EpochMs
  #minutes = 0
  #series: Series[] = []
  #byName = new Map<string, Map<string, Series>>()
  #cells = new CellList()
  #ring: Float64Array[] = Array.from({ length: heldMinutes }, () => new Float64Array(1_024))
  /** Running sums of the windows that were asked for lately, by their length in minutes. */
  readonly #windows = new Map<number, Window>()
  /** What was answered since the last minute: rows, and the columns of spans that end before now. */
  readonly #answers = new Map<string, readonly SeriesTotals[]>()
  readonly #earlier = new Map<string, Float64Array>()

  constructor(startMs: EpochMs) {
    assert(startMs % minuteMs === 0, 'minutes start on a minute')
    this.#startMs = startMs
  }

  get endMs(): EpochMs {
    return this.#startMs + this.#minutes * minuteMs
  }

  get headMs(): EpochMs {
    return this.endMs
  }

  get oldestMs(): EpochMs {
    return Math.max(this.#startMs, this.endMs - (heldMinutes - 1) * minuteMs)
  }

  get seriesCount(): number {
    return this.#series.length
  }

  /**
   * Takes some minutes of history one after another; `closed` is called after each.
   *
   * @param rows as `Queries.minutes` answers them: a column of minutes and counts for each tenant, API and cause
   * @param length how many minutes they are about, from the end of the last ones on
   */
  async take(rows: readonly SeriesMinutes[], length: number, closed: () => unknown): Promise<void> {
    // The cells that they are about may change.
    this.#earlier.clear()
    const cells = Int32Array.from(rows, (row) => this.#cellOf(row))
    for (const now of columnsOf(rows, cells, { minutes: length, cells: this.#room })) {
      this.#close(now)
      await closed()
    }
    this.#forgetIdle()
  }

  totals(fromMs: EpochMs, toMs: EpochMs): readonly SeriesTotals[] {
    const { from, to } = this.#minutesOf(fromMs, toMs)
    if (from >= to) return []
    const id = `${from} ${to}`
    let answer = this.#answers.get(id)
    if (answer === undefined) {
      const rows = to === this.#minutes ? this.#window(to - from).rows : []
      answer = this.#read(this.#column(fromMs, toMs), rows)
      this.#answers.set(id, answer)
    }
    return answer
  }

  columns(fromMs: EpochMs, toMs: EpochMs): readonly Column[] {
    return [{ cells: this.#cells, counts: this.#column(fromMs, toMs) }]
  }

  #column(fromMs: EpochMs, toMs: EpochMs): Float64Array {
    const { from, to } = this.#minutesOf(fromMs, toMs)
    if (from >= to) return nothing
    if (to === this.#minutes) return this.#window(to - from).sums
    const id = `${from} ${to}`
    const sums = this.#earlier.get(id) ?? this.#sumOf(from, to)
    this.#earlier.set(id, sums)
    return sums
  }

  /** The minutes of a span, as far as they are held. */
  #minutesOf(fromMs: EpochMs, toMs: EpochMs): { from: number; to: number } {
    const from = Math.max(this.#numberOf(fromMs), this.#minutes - heldMinutes + 1, 0)
    return { from, to: Math.min(this.#numberOf(toMs), this.#minutes) }
  }

  /** The number of the first minute whose beginning is not before a time. */
  #numberOf(atMs: EpochMs): number {
    return Math.ceil((atMs - this.#startMs) / minuteMs)
  }

  /** The rows that are not empty; those of the series are made where they are missing, and filled in. */
  #read(sums: Float64Array, rows: Row[]): readonly SeriesTotals[] {
    const totals: Row[] = []
    for (let at = 0; at < this.#series.length; at++) {
      const series = this.#series[at]
      if (series === undefined) continue
      const { tenant, api, requests, causes: cells } = series
      const seen = requests < 0 ? 0 : (sums[requests] ?? 0)
      let paymentRequired = 0
      let found = noCauses
      for (let place = 0; place < cells.length; place++) {
        const { cause, cell } = cells[place] ?? noCount
        const count = sums[cell] ?? 0
        if (count === 0) continue
        if (paymentRequired === 0) found = []
        found.push({ cause, count })
        paymentRequired += count
      }
      if (seen === 0 && paymentRequired === 0) continue
      let row = rows[at]
      if (row === undefined) {
        row = { tenant, api, requests: seen, paymentRequired, causes: found }
        rows[at] = row
      } else {
        row.requests = seen
        row.paymentRequired = paymentRequired
        row.causes = found
      }
      totals.push(row)
    }
    return totals
  }

  #window(length: number): Window {
    let window = this.#windows.get(length)
    if (window === undefined) {
      window = { sums: this.#sumOf(this.#minutes - length, this.#minutes), askedAt: this.#minutes, rows: [] }
      this.#windows.set(length, window)
    }
    window.askedAt = this.#minutes
    return window
  }

  #sumOf(from: number, to: number): Float64Array {
    const sums = new Float64Array(this.#room)
    for (let minute = from; minute < to; minute++) {
      moveOn(sums, this.#minute(minute), nothing, this.#cells.size)
    }
    return sums
  }

  #minute(number: number): Float64Array {
    const counts = this.#ring[number % heldMinutes]
    assert(counts !== undefined, 'every minute has its place in the ring')
    return counts
  }

  #close(now: Float64Array): void {
    for (const [length, { sums, askedAt }] of this.#windows) {
      // A length that is asked for now and then is summed up then: it costs less.
      if (askedAt < this.#minutes - askedLately) this.#windows.delete(length)
      else {
        const leaving = this.#minutes >= length ? this.#minute(this.#minutes - length) : nothing
        moveOn(sums, now, leaving, this.#cells.size)
      }
    }
    this.#ring[this.#minutes % heldMinutes] = now
    this.#minutes++
    this.#answers.clear()
    this.#earlier.clear()
  }

  /** Where a row is counted; a cause that an older version called otherwise is a refusal all the same. */
  #cellOf({ tenant, api, cause: name }: SeriesMinutes): number {
    const series = this.#seriesOf(tenant, api)
    if (name === '') {
      if (series.requests < 0) series.requests = this.#newCell({ tenant, api, cause: null })
      return series.requests
    }
    const cause = causeOf.get(name) ?? 'unknown'
    const known = series.causes.find((one) => one.cause === cause)
    if (known !== undefined) return known.cell
    const cell = this.#newCell({ tenant, api, cause })
    series.causes.push({ cause, cell })
    return cell
  }

  #seriesOf(tenant: string, api: string): Series {
    let apis = this.#byName.get(tenant)
    if (apis === undefined) {
      apis = new Map()
      this.#byName.set(tenant, apis)
    }
    let series = apis.get(api)
    if (series === undefined) {
      series = { tenant, api, requests: -1, causes: [] }
      apis.set(api, series)
      this.#series.push(series)
    }
    return series
  }

  /** How many cells there is room for. */
  get #room(): number {
    return this.#ring[0]?.length ?? 0
  }

  #newCell(cell: Cell): number {
    const room = this.#room
    if (this.#cells.size === room) {
      this.#ring = this.#ring.map((counts) => grown(counts, 2 * room))
      for (const window of this.#windows.values()) window.sums = grown(window.sums, 2 * room)
    }
    return this.#cells.push(cell)
  }

  /** Tenants come and go: once most series are idle, those that are not move together. */
  #forgetIdle(): void {
    if (this.#series.length < fewSeries) return
    const sums = this.#sumOf(Math.max(0, this.#minutes - heldMinutes + 1), this.#minutes)
    const cellsOf = ({ requests, causes: cells }: Series) => [
      ...(requests < 0 ? [] : [requests]),
      ...cells.map(({ cell }) => cell),
    ]
    const live = this.#series.filter((series) => cellsOf(series).some((cell) => (sums[cell] ?? 0) > 0))
    if (this.#series.length < 2 * live.length) return
    const kept = new Int32Array(live.flatMap(cellsOf))
    const moved = (counts: Float64Array) => {
      const next = new Float64Array(Math.max(1_024, 2 * kept.length))
      for (let at = 0; at < kept.length; at++) next[at] = counts[kept[at] ?? 0] ?? 0
      return next
    }
    this.#ring = this.#ring.map(moved)
    for (const window of this.#windows.values()) {
      window.sums = moved(window.sums)
      window.rows.length = 0
    }
    const place = new Map(Array.from(kept, (cell, at) => [cell, at]))
    const at = (cell: number) => place.get(cell) ?? -1
    const before = this.#cells
    this.#cells = new CellList(Array.from(kept).flatMap((cell) => before.seriesOf(cell) ?? []))
    this.#series = []
    this.#byName = new Map()
    for (const { tenant, api, requests, causes: cells } of live) {
      const series = this.#seriesOf(tenant, api)
      series.requests = requests < 0 ? -1 : at(requests)
      for (const { cause, cell } of cells) series.causes.push({ cause, cell: at(cell) })
    }
  }
}

/** What leaves a window that is not full yet. */
const nothing = new Float64Array(0)

/** The hot loop: adds the minute that ends to a running sum and takes away the one that leaves. */
function moveOn(sums: Float64Array, coming: Float64Array, leaving: Float64Array, cells: number): void {
  for (let cell = 0; cell < cells; cell++) sums[cell] = (sums[cell] ?? 0) + (coming[cell] ?? 0)
  if (leaving === nothing) return
  for (let cell = 0; cell < cells; cell++) sums[cell] = (sums[cell] ?? 0) - (leaving[cell] ?? 0)
}

/** Most series have no refusal in a window: one list for all of them. */
const noCauses: { cause: Cause; count: number }[] = []
const noCount = { cause: 'unknown', cell: -1 } as const

function grown(old: Float64Array, size: number): Float64Array {
  const array = new Float64Array(size)
  array.set(old)
  return array
}
