import type { Trends } from '../../../history/query.ts'
import { causeOrder, otherCauses } from '../causes.ts'

/** How many causes a chart tells apart; a legend longer than the chart helps nobody. */
const mostCauses = 8

/** Refusals by cause over time, ready to be drawn as stacked columns. */
export interface Stack {
  /** Start of each column, epoch seconds, ascending. */
  readonly times: readonly number[]
  /** From the bottom of the column to its top. */
  readonly layers: readonly Layer[]
  /** All requests per column; null where there is no data. */
  readonly requests: readonly (number | null)[]
  readonly refused: readonly number[]
  readonly totalRefused: number
}

export interface Layer {
  readonly cause: string
  readonly counts: readonly number[]
  readonly total: number
}

/** Puts the series of `by=cause` on one time axis, the largest eight apart and the rest as one. */
export function stackOf(trends: Trends): Stack {
  const times = columnTimes(trends)
  const column = new Map(times.map((time, i) => [time, i]))
  const requests = times.map((): number | null => null)
  const layers: { cause: string; counts: number[]; total: number }[] = []
  for (const { labels, points } of trends.series) {
    const cause = labels['cause'] ?? ''
    const counts = times.map(() => 0)
    let total = 0
    for (const point of points) {
      const i = column.get(Date.parse(point.time) / 1_000) ?? 0
      counts[i] = point.payment_required
      total += point.payment_required
      // Every series of a time carries all requests of that time, so the largest is the number of requests.
      requests[i] = Math.max(requests[i] ?? 0, point.requests)
    }
    if (total > 0) layers.push({ cause: cause === '' ? 'unknown' : cause, counts, total })
  }
  const kept = largest(layers)
  const refused = times.map((_, i) => kept.reduce((sum, { counts }) => sum + (counts[i] ?? 0), 0))
  return {
    times,
    layers: kept,
    requests: requests.map((value) => (value === 0 ? null : value)),
    refused,
    totalRefused: refused.reduce((sum, value) => sum + value, 0),
  }
}

/** Every column of the span, also those without data: a gap must look like one. */
export function columnTimes(trends: Trends): readonly number[] {
  const stepSeconds = trends.step_ms / 1_000
  const times = new Set(trends.series.flatMap(({ points }) => points.map(({ time }) => Date.parse(time) / 1_000)))
  const first = Math.floor(Date.parse(trends.from) / trends.step_ms) * stepSeconds
  for (let time = first; time < Date.parse(trends.to) / 1_000; time += stepSeconds) times.add(time)
  return [...times].sort((a, b) => a - b)
}

function largest(layers: readonly Layer[]): readonly Layer[] {
  const bySize = [...layers].sort((a, b) => b.total - a.total)
  const kept = bySize.slice(0, mostCauses).sort((a, b) => causeOrder(a.cause) - causeOrder(b.cause))
  const rest = bySize.slice(mostCauses)
  if (rest.length === 0) return kept
  const counts = (rest[0]?.counts ?? []).map((_, i) => rest.reduce((sum, layer) => sum + (layer.counts[i] ?? 0), 0))
  return [...kept, { cause: otherCauses, counts, total: rest.reduce((sum, { total }) => sum + total, 0) }]
}

/** The tops of the layers in each column, the highest layer first: drawn in this order the lower ones cover it. */
export function topsOf(stack: Stack): readonly { readonly cause: string; readonly tops: readonly (number | null)[] }[] {
  const below = stack.times.map(() => 0)
  const rising = stack.layers.map(({ cause, counts }) => ({
    cause,
    tops: counts.map((value, i) => {
      below[i] = (below[i] ?? 0) + value
      return value > 0 ? (below[i] ?? 0) : null
    }),
  }))
  return rising.reverse()
}

/** All refusals of an earlier span, laid over the columns of this one; null where there were no data. */
export function shiftedTotals(stack: Stack, trends: Trends, before: Trends): readonly (number | null)[] {
  const shift = shiftSeconds(trends, before)
  const earlier = stackOf(before)
  const counted = new Map(
    earlier.times.map((time, i) => [time + shift, earlier.requests[i] == null ? null : (earlier.refused[i] ?? 0)]),
  )
  return stack.times.map((time) => counted.get(time) ?? null)
}

/** How much later one span is; ranges that end "now" are asked a moment apart, so it is rounded to whole steps. */
export function shiftSeconds(trends: Pick<Trends, 'to' | 'step_ms'>, before: Pick<Trends, 'to'>): number {
  const shiftMs = Date.parse(trends.to) - Date.parse(before.to)
  return (Math.round(shiftMs / trends.step_ms) * trends.step_ms) / 1_000
}
