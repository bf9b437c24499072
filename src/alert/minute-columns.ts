import type { SeriesMinutes } from '../history/query.ts'

/**
 * Turns the columns of series, as history answers them, into minutes: which rows have a count in each, and how many.
 *
 * @param length how many minutes the columns are about; what lies outside is left out
 */
export function byMinute(
  rows: readonly SeriesMinutes[],
  length: number,
): readonly { readonly places: Int32Array; readonly counts: Float64Array }[] {
  const sizes = new Int32Array(length)
  for (const { minutes } of rows) for (const minute of minutes) sizes[minute] = (sizes[minute] ?? 0) + 1
  const filled = Array.from(sizes, (size) => ({
    places: new Int32Array(size),
    counts: new Float64Array(size),
    next: 0,
  }))
  for (let place = 0; place < rows.length; place++) {
    const { minutes = [], counts = [] } = rows[place] ?? {}
    for (let at = 0; at < minutes.length; at++) {
      const minute = filled[minutes[at] ?? -1]
      if (minute === undefined) continue
      minute.places[minute.next] = place
      minute.counts[minute.next] = counts[at] ?? 0
      minute.next++
    }
  }
  return filled
}
