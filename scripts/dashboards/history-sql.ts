/**
 * What the SQL of the history dashboard is put together from. Rows of the rollups with `cause = ''` carry the requests of
 * a series, rows with a cause only its refusals; so a filter by cause stands in `sumIf`, never in WHERE where requests are
 * summed.
 */

/** The plugin turns `$__conditionalAll(condition, $variable)` into `1=1` while "All" is chosen. */
export const ofChosen = (column: string) => `$__conditionalAll(${column} IN (\${${column}:singlequote}), $${column})`
export const series = `${ofChosen('tenant')} AND ${ofChosen('api')}`
export const refused = `sumIf(payment_required, ${ofChosen('cause')})`
export const rollup = 'tollwatch.rollup_${tier}'
export const inRange = `WHERE $__timeFilter(bucket) AND ${series}`
