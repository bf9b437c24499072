import type { Alert } from '../alert/alert.ts'
import { type Cause, familyOf } from '../classify/cause.ts'
import type { EpochMs } from '../time/clock.ts'
import { hourMs, minuteMs } from '../time/duration.ts'
import { forEachRefusal } from '../window/columns.ts'
import type { WindowView } from '../window/view.ts'

/** Refusals over the last hours in equal steps up to `endMs`. */
export interface Trend {
  readonly endMs: EpochMs
  readonly stepMs: number
  /** Oldest first: refusals by cause, or null for a step that is not wholly known. */
  readonly steps: readonly (ReadonlyMap<Cause, number> | null)[]
}

/** Refusals of one series by one cause in one minute. */
interface MinuteRow {
  readonly tenant: string
  readonly api: string
  readonly cause: Cause
  readonly count: number
}

interface Minute {
  readonly rows: readonly MinuteRow[]
  /** What the row limit left out, by cause: it counts where a trend is over all tenants and APIs. */
  readonly rest: ReadonlyMap<Cause, number>
}

const trendMs = 3 * hourMs
const trendStepMs = 5 * minuteMs
/** A little more than a trend, so that its oldest step is whole. */
const keptMinutes = (trendMs + trendStepMs) / minuteMs
/** Most rows kept of one minute, the largest; some 20 MB if every minute is full. */
const rowLimit = 2_000

/**
 * The refusals of the last three hours, minute by minute, for the charts of messages: the windows hold one hour only,
 * and a message must not wait for the store. After a restart it begins with the hour that the windows were loaded with.
 * It takes each minute as it stands when the watermark closes it; what comes late is in the windows and in history, and
 * not here.
 */
export class RefusalMemory {
  /** By the minute's end. */
  readonly #minutes = new Map<EpochMs, Minute>()

  /** To be called for each closed slice, before the rules are. The first call takes what the windows hold. */
  note(endMs: EpochMs, view: WindowView): void {
    const newestMs = Math.floor(endMs / minuteMs) * minuteMs
    if (this.#minutes.has(newestMs)) return
    const oldestMs = Math.max(view.oldestMs ?? endMs, newestMs - trendMs)
    for (let toMs = newestMs; toMs - minuteMs >= oldestMs && !this.#minutes.has(toMs); toMs -= minuteMs)
      this.#minutes.set(toMs, minuteOf(rowsOf(view, toMs - minuteMs, toMs)))
    for (const atMs of this.#minutes.keys()) if (atMs <= newestMs - keptMinutes * minuteMs) this.#minutes.delete(atMs)
  }

  /** What an alert is about, up to the newest closed minute; null before there is one. */
  of(alert: Alert): Trend | null {
    if (this.#minutes.size === 0) return null
    const endMs = Math.max(...this.#minutes.keys())
    const steps: (ReadonlyMap<Cause, number> | null)[] = []
    for (let toMs = endMs; toMs > endMs - trendMs; toMs -= trendStepMs) steps.unshift(this.#step(toMs, alert))
    const first = steps.findIndex((step) => step !== null)
    return first < 0 ? null : { endMs, stepMs: trendStepMs, steps: steps.slice(first) }
  }

  #step(toMs: EpochMs, { labels }: Alert): ReadonlyMap<Cause, number> | null {
    const total = new Map<Cause, number>()
    const isWhole = labels['tenant'] === undefined && labels['api'] === undefined
    const add = (cause: Cause, count: number) => {
      if (labels['cause'] !== undefined && labels['cause'] !== cause) return
      if (labels['family'] !== undefined && labels['family'] !== familyOf[cause]) return
      total.set(cause, (total.get(cause) ?? 0) + count)
    }
    for (let atMs = toMs; atMs > toMs - trendStepMs; atMs -= minuteMs) {
      const minute = this.#minutes.get(atMs)
      // One series may be among the rows that were left out, and then its count is not known.
      if (minute === undefined || (!isWhole && minute.rest.size > 0)) return null
      for (const row of minute.rows) {
        if (labels['tenant'] !== undefined && row.tenant !== labels['tenant']) continue
        if (labels['api'] === undefined || row.api === labels['api']) add(row.cause, row.count)
      }
      for (const [cause, count] of minute.rest) add(cause, count)
    }
    return total
  }
}

function rowsOf(view: WindowView, fromMs: EpochMs, toMs: EpochMs): readonly MinuteRow[] {
  const rows: MinuteRow[] = []
  forEachRefusal(view, { fromMs, toMs }, ({ tenant, api }, cause, count) => rows.push({ tenant, api, cause, count }))
  return rows
}

function minuteOf(rows: readonly MinuteRow[]): Minute {
  if (rows.length <= rowLimit) return { rows, rest: new Map() }
  const sorted = rows.toSorted((a, b) => b.count - a.count)
  const rest = new Map<Cause, number>()
  for (const { cause, count } of sorted.slice(rowLimit)) rest.set(cause, (rest.get(cause) ?? 0) + count)
  return { rows: sorted.slice(0, rowLimit), rest }
}

/** Refusals of each step whatever their cause. */
export function countsOf(trend: Trend): readonly (number | null)[] {
  return trend.steps.map((step) => {
    if (step === null) return null
    let sum = 0
    for (const count of step.values()) sum += count
    return sum
  })
}
