import { dayMs, hourMs, minuteMs } from '../time/duration.ts'
import { formatInstant } from '../time/instant.ts'
import type { Database, Param } from './database.ts'
import { laneKey, type Placed, paged, pageOf } from './paging.ts'
import type {
  AlertLogRow,
  DeadLetterRow,
  EventRow,
  GroupKey,
  Page,
  Queries,
  Rows,
  Selection,
  SeriesMinutes,
  SummaryRow,
  TrendPoint,
  Trends,
} from './query.ts'
import type { Kept } from './retention.ts'

/** Most points one answer may hold; more is a mistake in the step. */
const pointLimit = 200_000

/** From the finest to the coarsest. */
const tiers = [
  { table: 'rollup_10s', resolutionMs: 10_000 },
  { table: 'rollup_1m', resolutionMs: minuteMs },
  { table: 'rollup_1h', resolutionMs: hourMs },
] as const

type Tier = (typeof tiers)[number]

/** Rows expire while one looks: some minutes of room. */
const roomMs = 10 * minuteMs

/** How far back the tiers reach with the default settings. */
const usuallyKept = {
  rollup_10s: { ttlMs: 3 * dayMs, sinceMs: 0 },
  rollup_1m: { ttlMs: 90 * dayMs, sinceMs: 0 },
  rollup_1h: { ttlMs: 730 * dayMs, sinceMs: 0 },
} as const

/**
 * Answers over ClickHouse. Requests count once in a group however many causes it shows: a group by cause carries the
 * requests of its tenant and API beside each cause, so that the ratio reads as "share of all requests". What a repair
 * has taken back to nothing is left out.
 */
export class Questions implements Queries {
  readonly #database: Database
  readonly #now: () => number
  readonly #kept: Pick<Kept, Tier['table']>

  constructor(database: Database, now: () => number, kept: Pick<Kept, Tier['table']> = usuallyKept) {
    this.#database = database
    this.#now = now
    this.#kept = kept
  }

  async trends(select: Selection & { stepMs: number; by: readonly GroupKey[]; limit: number }): Promise<Trends> {
    const table = this.#tierFor(select, select.stepMs)
    const stepMs = Math.max(table.resolutionMs, Math.ceil(select.stepMs / table.resolutionMs) * table.resolutionMs)
    const step = stepMs / 1000
    const { where, params } = rollupFilter(select, stepMs)
    const keys = select.by.filter((key) => key !== 'cause')
    const byCause = select.by.includes('cause')
    const columns = (byCause ? [...keys, 'cause'] : keys).map((key) => ({
      pick: `, ${key} AS k_${key}`,
      group: `, k_${key}`,
    }))
    const rows = await this.#database.query<Record<string, string | number>>(
      `SELECT intDiv(toUnixTimestamp(bucket), {step:UInt32}) * {step:UInt32} AS at${columns.map(({ pick }) => pick).join('')},
              sum(requests) AS req, sum(payment_required) AS refused
       FROM tollwatch.${table.table} WHERE ${where}
       GROUP BY at${columns.map(({ group }) => group).join('')} HAVING req > 0 OR refused > 0 ORDER BY at LIMIT ${pointLimit}`,
      { ...params, step },
    )
    const series = trendSeries(rows, keys, byCause)
    return {
      from: formatInstant(select.fromMs),
      to: formatInstant(select.toMs),
      step_ms: stepMs,
      series: series.slice(0, select.limit),
    }
  }

  async summary(select: Selection & { by: readonly GroupKey[]; limit: number }): Promise<{ rows: SummaryRow[] }> {
    const table = this.#tierFor(select, select.toMs - select.fromMs)
    const { where, params } = rollupFilter(select, table.resolutionMs)
    const keys = select.by.filter((key) => key !== 'cause')
    const byCause = select.by.includes('cause')
    const columns = byCause ? [...keys, 'cause'] : keys
    const names = columns.map((key) => `k_${key}`).join(', ')
    const picked = columns.map((key) => `any(${key}) AS k_${key}, `).join('')
    // Grouping by hashes of the names takes half the work of grouping by several names.
    const grouped = columns.length === 0 ? '' : `GROUP BY ${columns.map((key) => `sipHash64(${key})`).join(', ')}`
    const over = keys.length === 0 ? 'OVER ()' : `OVER (PARTITION BY ${keys.map((key) => `k_${key}`).join(', ')})`
    const order = columns.length === 0 ? '' : `, ${names}`
    const sql = byCause
      ? `SELECT * FROM (
           SELECT ${picked} sum(requests) AS own, sum(payment_required) AS refused,
                  sum(own) ${over} AS req, sum(refused) ${over} AS all_refused
           FROM tollwatch.${table.table} WHERE ${where} ${grouped} HAVING own > 0 OR refused > 0
         ) WHERE k_cause != '' OR all_refused = 0
         ORDER BY refused DESC, req DESC${order} LIMIT {limit:UInt32}`
      : `SELECT ${picked} sum(requests) AS req, sum(payment_required) AS refused
         FROM tollwatch.${table.table} WHERE ${where} ${grouped} ${columns.length === 0 ? '' : 'HAVING req > 0 OR refused > 0'}
         ORDER BY refused DESC, req DESC${order} LIMIT {limit:UInt32}`
    const rows = await this.#database.query<Record<string, string | number>>(sql, { ...params, limit: select.limit })
    return {
      rows: rows.map((row) => ({
        ...Object.fromEntries(select.by.map((key) => [key, String(row[`k_${key}`] ?? '')])),
        ...counts(Number(row['req']), Number(row['refused'])),
      })),
    }
  }

  async events(select: Selection & Page): Promise<Rows<EventRow>> {
    const { where, params } = filter(select, 'ts', (ms) => `fromUnixTimestamp64Milli({${ms}:Int64}, 'UTC')`)
    const page = pageOf(select, 'events', [`toUnixTimestamp64Milli(ts)`, 'offset', 'entry', laneKey])
    const rows = await this.#database.query<Omit<EventRow, 'time'> & Placed>(
      `SELECT toUnixTimestamp64Milli(ts) AS time_ms, tenant, api, cause, cause_code, cause_source, kind, method, consumer,
              plan, latency_ms, request_id, format, ${page.place}
       FROM tollwatch.events_402 FINAL WHERE ${where}${page.where}
       ORDER BY ts DESC, offset DESC, entry DESC, ${laneKey} DESC LIMIT {limit:UInt32}`,
      { ...params, ...page.params },
    )
    return paged(rows, { limit: select.limit, list: 'events' }, emptyAsNull)
  }

  async alerts(select: Selection & Page & { rule?: string; fingerprint?: string }): Promise<Rows<AlertLogRow>> {
    const { where, params } = filter(select, 'at', (ms) => `fromUnixTimestamp64Milli({${ms}:Int64}, 'UTC')`)
    const page = pageOf(select, 'alerts', ['toUnixTimestamp64Milli(at)', 'fingerprint', 'toString(state)'])
    const more = (['rule', 'fingerprint'] as const).filter((key) => select[key] !== undefined)
    const narrower = more.map((key) => ` AND ${key} = {${key}:String}`).join('')
    const rows = await this.#database.query<Omit<AlertLogRow, 'time'> & Placed>(
      `SELECT toUnixTimestamp64Milli(at) AS time_ms, fingerprint, rule, state, severity, labels, value, summary, ${page.place}
       FROM tollwatch.alert_log FINAL WHERE ${where}${narrower}${page.where}
       ORDER BY at DESC, fingerprint DESC, toString(state) DESC LIMIT {limit:UInt32}`,
      { ...params, ...page.params, ...Object.fromEntries(more.map((key) => [key, select[key] ?? ''])) },
    )
    return paged(rows, { limit: select.limit, list: 'alerts' })
  }

  async minutes(select: Selection): Promise<{ complete: boolean; rows: readonly SeriesMinutes[] }> {
    const { where, params } = filter(select, 'bucket', (ms) => `fromUnixTimestamp(intDiv({${ms}:Int64}, 1000))`)
    const rows = await this.#database.query<SeriesMinutes>(
      `SELECT k_tenant AS tenant, k_api AS api, k_cause AS cause, groupArray(minute) AS minutes, groupArray(counted) AS counts
       FROM (
         SELECT tenant AS k_tenant, api AS k_api, cause AS k_cause,
                intDiv(toUnixTimestamp(bucket) - intDiv({from:Int64}, 1000), 60) AS minute,
                sum(requests) + sum(payment_required) AS counted
         FROM tollwatch.rollup_1m WHERE ${where}
         GROUP BY k_tenant, k_api, k_cause, minute HAVING counted > 0 ORDER BY k_tenant, k_api, k_cause, minute
       )
       GROUP BY tenant, api, cause ORDER BY tenant, api, cause`,
      params,
    )
    return { complete: this.#reaches(tiers[1], select.fromMs), rows }
  }

  async deadLetters(select: { fromMs: number; toMs: number } & Page): Promise<Rows<DeadLetterRow>> {
    const { where, params } = filter(select, 'at', (ms) => `fromUnixTimestamp64Milli({${ms}:Int64}, 'UTC')`)
    const page = pageOf(select, 'deadLetters', ['toUnixTimestamp64Milli(at)', 'offset', 'entry', laneKey])
    const rows = await this.#database.query<Omit<DeadLetterRow, 'time'> & Placed>(
      `SELECT toUnixTimestamp64Milli(at) AS time_ms, reason, source, lane AS partition, offset, entry AS index, bytes,
              message, sketch, ${page.place}
       FROM tollwatch.dead_letter FINAL WHERE ${where}${page.where}
       ORDER BY at DESC, offset DESC, entry DESC, ${laneKey} DESC LIMIT {limit:UInt32}`,
      { ...params, ...page.params },
    )
    return paged(rows, { limit: select.limit, list: 'deadLetters' })
  }

  /** The coarsest tier that answers exactly and reaches back far enough; else the finest that does. */
  #tierFor(select: Selection, stepMs: number): Tier {
    const span = select.toMs - select.fromMs
    const fits = tiers.filter((tier) => {
      const aligned = select.fromMs % tier.resolutionMs === 0 && select.toMs % tier.resolutionMs === 0
      // A short span read from a coarse tier would blur its ends; a long one is not worth the finest tier.
      return tier.resolutionMs <= stepMs && (aligned || span >= 360 * tier.resolutionMs || tier.resolutionMs === 10_000)
    })
    const reaching = (fits.length === 0 ? tiers.slice(0, 1) : fits).filter((tier) => this.#reaches(tier, select.fromMs))
    return reaching.at(-1) ?? tiers.find((tier) => this.#reaches(tier, select.fromMs)) ?? tiers[2]
  }

  #reaches({ table }: Tier, fromMs: number): boolean {
    const { ttlMs, sinceMs } = this.#kept[table]
    return fromMs >= Math.max(this.#now() - ttlMs + roomMs, sinceMs ?? 0)
  }
}

function rollupFilter(select: Selection, resolutionMs: number): { where: string; params: Record<string, Param> } {
  const floor = (ms: number) => Math.floor(ms / resolutionMs) * resolutionMs
  const { cause, ...rest } = select
  const { where, params } = filter(
    // A bucket that began in the very second of the end is part of the span.
    { ...rest, fromMs: floor(select.fromMs), toMs: Math.ceil(select.toMs / 1000) * 1000 },
    'bucket',
    (ms) => `fromUnixTimestamp(intDiv({${ms}:Int64}, 1000))`,
  )
  // Rows without a cause stay in, because they carry the requests that the ratio is a share of.
  return cause === undefined
    ? { where, params }
    : { where: `${where} AND cause IN ('', {cause:String})`, params: { ...params, cause } }
}

function filter(
  select: Selection,
  column: string,
  instant: (param: string) => string,
): { where: string; params: Record<string, Param> } {
  const params: Record<string, Param> = { from: select.fromMs, to: select.toMs }
  const parts = [`${column} >= ${instant('from')}`, `${column} < ${instant('to')}`]
  for (const key of ['tenant', 'api', 'cause'] as const) {
    const value = select[key]
    if (value === undefined) continue
    parts.push(`${key} = {${key}:String}`)
    params[key] = value
  }
  return { where: parts.join(' AND '), params }
}

/** Groups the points of one answer into series, each with a point wherever its group had requests. */
function trendSeries(
  rows: readonly Record<string, string | number>[],
  keys: readonly string[],
  byCause: boolean,
): Trends['series'][number][] {
  const groups = new Map<
    string,
    { labels: Record<string, string>; requests: Map<number, number>; refused: Map<string, Map<number, number>> }
  >()
  for (const row of rows) {
    const labels = Object.fromEntries(keys.map((key) => [key, String(row[`k_${key}`])]))
    const id = JSON.stringify(labels)
    const group = groups.get(id) ?? { labels, requests: new Map(), refused: new Map() }
    groups.set(id, group)
    const at = Number(row['at']) * 1000
    const cause = String(row['k_cause'])
    group.requests.set(at, (group.requests.get(at) ?? 0) + Number(row['req']))
    if (cause === '' && byCause) continue
    const key = byCause ? cause : ''
    const refused = group.refused.get(key) ?? new Map<number, number>()
    group.refused.set(key, refused)
    refused.set(at, (refused.get(at) ?? 0) + Number(row['refused']))
  }
  const series: Trends['series'][number][] = []
  for (const { labels, requests, refused } of groups.values()) {
    if (refused.size === 0) refused.set('', new Map())
    for (const [cause, counted] of refused) {
      const points: TrendPoint[] = [...requests].map(([at, count]) => ({
        time: formatInstant(at),
        ...counts(count, counted.get(at) ?? 0),
      }))
      series.push({ labels: byCause ? { ...labels, cause } : labels, points })
    }
  }
  const weight = (one: Trends['series'][number]) => one.points.reduce((sum, point) => sum + point.payment_required, 0)
  const ranked = series.map((one) => ({ one, weight: weight(one), name: JSON.stringify(one.labels) }))
  ranked.sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1))
  return ranked.map(({ one }) => one)
}

function counts(
  requests: number,
  refused: number,
): { requests: number; payment_required: number; ratio: number | null } {
  return { requests, payment_required: refused, ratio: requests === 0 ? null : refused / requests }
}

/** Columns hold '' for what the log did not say; answers say null. */
function emptyAsNull<Row extends object>(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value === '' ? null : value])) as Row
}
