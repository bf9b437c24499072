import type { Trends } from '../answers.ts'
import { shiftSeconds } from '../chart/stacked.ts'

/** What the chart shows as a table, one row per point: times in UTC, so that any spreadsheet reads them alike. */
export function trendRows(
  trends: Trends,
  by: string,
  before: Trends | null,
): readonly (readonly (string | number | null)[])[] {
  const shiftMs = before === null ? 0 : shiftSeconds(trends, before) * 1_000
  const earlier = new Map(
    (before?.series ?? []).flatMap(({ labels, points }) =>
      points.map((point) => [`${labels[by]}\n${Date.parse(point.time) + shiftMs}`, point] as const),
    ),
  )
  const heading = ['time', by, 'requests', 'payment_required', 'ratio']
  const compared = before === null ? [] : ['requests_week_before', 'payment_required_week_before']
  const rows = trends.series.flatMap(({ labels, points }) =>
    points.map((point) => {
      const { time, requests, payment_required, ratio } = point
      const then = earlier.get(`${labels[by]}\n${Date.parse(time)}`)
      const own = [time, labels[by] ?? '', requests, payment_required, ratio]
      return before === null ? own : [...own, then?.requests ?? null, then?.payment_required ?? null]
    }),
  )
  return [[...heading, ...compared], ...rows]
}
