/**
 * What SQL over the rollups is put together from. Rows with `cause = ''` carry the requests of a series, rows with a
 * cause only its refusals; so a filter by cause stands in `sumIf`, never in WHERE where requests are summed.
 */

/** The plugin turns `$__conditionalAll(condition, $variable)` into `1=1` while "All" is chosen. */
export const ofChosen = (column: string) => `$__conditionalAll(${column} IN (\${${column}:singlequote}), $${column})`
export const series = `${ofChosen('tenant')} AND ${ofChosen('api')}`
export const refused = `sumIf(payment_required, ${ofChosen('cause')})`
export const rollup = 'tollwatch.rollup_${tier}'
export const inRange = `WHERE $__timeFilter(bucket) AND ${series}`
/** The same time some weeks before; `weeks` is SQL. */
export const weeksBefore = (weeks: string) =>
  `bucket >= $__fromTime - toIntervalWeek(${weeks}) AND bucket <= $__toTime - toIntervalWeek(${weeks})`

/** Names that were seen in the chosen time, from the coarsest tier: a day's first hour may lie before the range. */
export function names(column: string, where = '1'): string {
  return `SELECT DISTINCT ${column} FROM tollwatch.rollup_1h WHERE bucket >= $__fromTime - INTERVAL 1 HOUR AND bucket <= $__toTime AND ${where} ORDER BY ${column} LIMIT 5000`
}
