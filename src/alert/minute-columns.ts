import type { SeriesMinutes } from '../history/query.ts'

/**
 * Turns series, as history answers them, into minutes: for each the counts of all cells.
 *
 * @param cells the cell of each row
 * @param size how many minutes the rows are about, what lies outside is left out; and how many cells there are
 */
export function columnsOf(
  rows: readonly SeriesMinutes[],
  cells: Int32Array,
  size: { minutes: number; cells: number },
): readonly Float64Array[] {
  const columns = Array.from({ length: size.minutes }, () => new Float64Array(size.cells))
  for (let at = 0; at < rows.length; at++) {
    const { minutes = [], counts = [] } = rows[at] ?? {}
    const cell = cells[at] ?? 0
    for (let i = 0; i < minutes.length; i++) {
      const column = columns[minutes[i] ?? -1]
      if (column !== undefined) column[cell] = (column[cell] ?? 0) + (counts[i] ?? 0)
    }
  }
  return columns
}
