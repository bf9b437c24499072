import type { Trends } from '../answers.ts'
import type { View } from '../view.ts'

const tiers = [
  { table: 'rollup_1h', seconds: 3_600 },
  { table: 'rollup_1m', seconds: 60 },
  { table: 'rollup_10s', seconds: 10 },
] as const

/**
 * The statement that gives the same numbers out of ClickHouse. Rows with cause '' carry the requests, rows with a cause
 * only refusals; so by cause the requests of a step are those of all its rows.
 */
export function trendsSql(
  trends: Pick<Trends, 'from' | 'to' | 'step_ms'>,
  { by, tenant, api, cause }: Pick<View, 'by' | 'tenant' | 'api' | 'cause'>,
): string {
  const step = trends.step_ms / 1_000
  const { table } = tiers.find(({ seconds }) => step % seconds === 0) ?? tiers[2]
  const where = [
    `bucket >= toDateTime(${startOf(trends.from, step)}, 'UTC')`,
    `bucket < toDateTime(${Math.ceil(Date.parse(trends.to) / 1_000)}, 'UTC')`,
    tenant === undefined ? '' : `tenant = ${literal(tenant)}`,
    api === undefined ? '' : `api = ${literal(api)}`,
    cause === undefined ? '' : `cause IN ('', ${literal(cause)})`,
  ].filter((part) => part !== '')
  const time = `toStartOfInterval(bucket, INTERVAL ${step} SECOND, 'UTC') AS time`
  const source = `FROM tollwatch.${table}\nWHERE ${where.join('\n  AND ')}`
  if (by === 'cause') {
    return `SELECT time, cause, refused, sum(own) OVER (PARTITION BY time) AS requests
FROM (
  SELECT ${time}, cause, sum(requests) AS own, sum(payment_required) AS refused
  ${source.replaceAll('\n', '\n  ')}
  GROUP BY time, cause
)
ORDER BY time, refused DESC`
  }
  return `SELECT ${time}, ${by}, sum(payment_required) AS refused, sum(requests) AS requests
${source}
GROUP BY time, ${by}
ORDER BY time, refused DESC`
}

/** History answers in whole steps. */
function startOf(from: string, step: number): number {
  return Math.floor(Date.parse(from) / 1_000 / step) * step
}

function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
