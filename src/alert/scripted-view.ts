import assert from 'node:assert/strict'
import { type Cause, causes } from '../classify/cause.ts'
import type { EpochMs } from '../time/clock.ts'
import { type SeriesTotals, sliceMs, type WindowView } from '../window/view.ts'

/** What one series does in one slice. */
export interface SliceRow {
  readonly tenant: string
  readonly api: string
  readonly requests: number
  readonly causes?: Readonly<Partial<Record<Cause, number>>>
}

/** A bit more than an hour, so that every window and a minute beside it is held. */
const heldSlices = 372

interface Series {
  readonly tenant: string
  readonly api: string
  /** Running totals at the end of each held slice, by slice number modulo the ring. */
  readonly requests: Float64Array
  readonly causes: Map<Cause, Float64Array>
}

/**
 * Windows written by hand, slice after slice, without a record in sight: for unit tests of rules and for simulations.
 * Keeps running totals, so that any span costs one subtraction a series.
 */
export class ScriptedView implements WindowView {
  readonly #startMs: EpochMs
  readonly #series = new Map<string, Series>()
  #slices = 0

  constructor(startMs: EpochMs) {
    assert(startMs % sliceMs === 0, 'a script starts on a slice boundary')
    this.#startMs = startMs
  }

  get endMs(): EpochMs {
    return this.#startMs + this.#slices * sliceMs
  }

  get headMs(): EpochMs {
    return this.endMs
  }

  get oldestMs(): EpochMs {
    return this.#startMs + Math.max(0, this.#slices - heldSlices + 1) * sliceMs
  }

  /** Closes the next slice with these rows; series that are not among them did nothing. */
  push(rows: readonly SliceRow[]): void {
    const before = ring(this.#slices)
    this.#slices++
    const now = ring(this.#slices)
    for (const { requests, causes: counts } of this.#series.values()) {
      requests[now] = requests[before] ?? 0
      for (const count of counts.values()) count[now] = count[before] ?? 0
    }
    for (const row of rows) {
      const series = this.#seriesOf(row)
      series.requests[now] = (series.requests[now] ?? 0) + row.requests
      for (const cause of causes) {
        const count = row.causes?.[cause] ?? 0
        if (count === 0) continue
        let counts = series.causes.get(cause)
        if (counts === undefined) {
          counts = new Float64Array(heldSlices)
          series.causes.set(cause, counts)
        }
        counts[now] = (counts[now] ?? 0) + count
      }
    }
  }

  totals(fromMs: EpochMs, toMs: EpochMs): readonly SeriesTotals[] {
    const from = ring(this.#numberOf(fromMs))
    const to = ring(this.#numberOf(toMs))
    const totals: SeriesTotals[] = []
    for (const { tenant, api, requests, causes: counts } of this.#series.values()) {
      const found: { cause: Cause; count: number }[] = []
      let paymentRequired = 0
      for (const [cause, running] of counts) {
        const count = (running[to] ?? 0) - (running[from] ?? 0)
        if (count === 0) continue
        found.push({ cause, count })
        paymentRequired += count
      }
      const seen = (requests[to] ?? 0) - (requests[from] ?? 0)
      if (seen > 0 || paymentRequired > 0) totals.push({ tenant, api, requests: seen, paymentRequired, causes: found })
    }
    return totals
  }

  /** How many slices had been closed at a time, within what is held. */
  #numberOf(atMs: EpochMs): number {
    assert(atMs % sliceMs === 0, 'spans end on slice boundaries')
    const number = (atMs - this.#startMs) / sliceMs
    return Math.min(this.#slices, Math.max(number, 0, this.#slices - heldSlices + 1))
  }

  #seriesOf({ tenant, api }: SliceRow): Series {
    const key = JSON.stringify([tenant, api])
    let series = this.#series.get(key)
    if (series === undefined) {
      series = { tenant, api, requests: new Float64Array(heldSlices), causes: new Map() }
      this.#series.set(key, series)
    }
    return series
  }
}

function ring(number: number): number {
  return number % heldSlices
}
