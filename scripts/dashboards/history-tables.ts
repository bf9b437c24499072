/** The tables of the history dashboard. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { inRange, ofChosen, rollup, series, weeksBefore } from './history-sql.ts'
import { cell, cellLinks, toBoard, toPage } from './links.ts'
import { headed, redFrom, table, unitOf } from './pieces.ts'
import { clickhouse, sql } from './queries.ts'

const toTenant = {
  tenant: [toBoard('All about this tenant', 'tollwatch-tenant', ['clickhouse', 'cause', 'tier'], { tenant: cell })],
}

export function whoAndWhy(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Who and why'))
    .withPanel(
      table(
        {
          title: 'Refused by tenant, API and cause',
          description: 'Worst first. Requests and share are of the tenant on that API, for all causes together.',
          width: 14,
          height: 11,
        },
        'nobody was refused in this time',
        toTenant,
      )
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT r.tenant AS tenant, r.api AS api, r.cause AS cause, r.refused AS refused, t.total AS requests,
                   r.refused / nullIf(t.total, 0) AS share, r.since AS first_seen, r.until AS last_seen
            FROM (
              SELECT tenant, api, cause, sum(payment_required) AS refused, min(bucket) AS since, max(bucket) AS until
              FROM ${rollup}
              ${inRange} AND cause != '' AND ${ofChosen('cause')}
              GROUP BY tenant, api, cause
            ) AS r
            LEFT JOIN (
              SELECT tenant, api, sum(requests) AS total
              FROM ${rollup}
              ${inRange}
              GROUP BY tenant, api
            ) AS t ON r.tenant = t.tenant AND r.api = t.api
            ORDER BY refused DESC, tenant, api, cause
            LIMIT 100`,
          ),
        )
        .overrideByName('share', unitOf('percentunit', [{ id: 'decimals', value: 1 }]))
        .overrideByName('refused', unitOf('short'))
        .overrideByName('requests', unitOf('short')),
    )
    .withPanel(
      table(
        {
          title: 'Refused by cause',
          description: 'How many, how many tenants, and how much of all refusals.',
          width: 10,
          height: 11,
        },
        'nobody was refused in this time',
      )
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT cause, sum(payment_required) AS refused, uniqExact(tenant) AS tenants,
                   refused / sum(refused) OVER () AS of_all_refused
            FROM ${rollup}
            ${inRange} AND cause != '' AND ${ofChosen('cause')}
            GROUP BY cause
            ORDER BY refused DESC`,
          ),
        )
        .overrideByName('of_all_refused', headed('of all refused', 'percentunit', 1)),
    )
}

export function changes(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('What changed'))
    .withPanel(
      table(
        {
          title: 'Causes, against the same time a week before',
          description: 'Refusals now and a week before, and how many times as many. "new" where there were none.',
          width: 12,
          height: 9,
        },
        'nobody was refused in this time, nor a week before',
      )
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT cause, sumIf(payment_required, $__timeFilter(bucket)) AS refused,
                   sumIf(payment_required, ${weeksBefore('1')}) AS week_before,
                   refused / nullIf(week_before, 0) AS factor
            FROM ${rollup}
            WHERE bucket >= $__fromTime - toIntervalWeek(1) AND bucket <= $__toTime AND ${series}
              AND cause != '' AND ${ofChosen('cause')}
            GROUP BY cause
            HAVING refused + week_before > 0
            ORDER BY refused DESC`,
          ),
        )
        .overrideByName('week_before', headed('a week before'))
        .overrideByName('factor', [...headed('times as many', 'suffix:×', 1), { id: 'noValue', value: 'new' }]),
    )
    .withPanel(
      table(
        {
          title: 'Newest refusals',
          description:
            'Tenants, APIs and causes refused in the chosen time, by the hour in which each was refused for the first time in all of history.',
          width: 12,
          height: 9,
        },
        'nobody was refused in this time',
        toTenant,
      )
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT tenant, api, cause, min(bucket) AS first_refused, sum(payment_required) AS ever_refused
            FROM tollwatch.rollup_1h
            WHERE cause != '' AND (tenant, api, cause) IN (
              SELECT tenant, api, cause FROM ${rollup}
              ${inRange} AND cause != '' AND ${ofChosen('cause')}
              GROUP BY tenant, api, cause LIMIT 10000
            )
            GROUP BY tenant, api, cause
            ORDER BY first_refused DESC, ever_refused DESC
            LIMIT 50`,
          ),
        )
        .overrideByName('first_refused', headed('first refused', 'dateTimeFromNow'))
        .overrideByName('ever_refused', headed('refused ever')),
    )
}

export function proof(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Is history whole'))
    .withPanel(
      table(
        {
          title: 'What was read',
          description:
            'Per input: the offsets covered and what they held. `missing` counts offsets between the first and the last that no range covers: it should be 0; `gaps` are ranges that Kafka had deleted before they could be read. `tollwatch history verify` checks more.',
          width: 14,
          height: 8,
        },
        'nothing has been written yet',
      )
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT source, lane, min(lo) AS first_offset, max(hi) AS last_offset,
                   toInt64(last_offset - first_offset + 1) - toInt64(sum(hi - lo + 1)) AS missing,
                   sum(gap) AS gaps, sum(r.requests) AS read_requests, sum(r.payment_required) AS refused, sum(r.late) AS late_records,
                   sum(r.dead_letters) AS unreadable, max(landed_at) AS last_write
            FROM tollwatch.ledger AS r FINAL
            GROUP BY source, lane
            ORDER BY source, lane
            LIMIT 500`,
          ),
        )
        .overrideByName('missing', unitOf('short', redFrom(1))),
    )
    .withPanel(
      table(
        {
          title: 'Unreadable records',
          description: 'Why records could not be read. `tollwatch query dead-letters` lists each with its place.',
          width: 10,
          height: 8,
        },
        'every record could be read',
      )
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT reason, source, count() AS records, max(at) AS last_seen, argMax(sketch, at) AS last_sketch
            FROM tollwatch.dead_letter FINAL
            WHERE $__timeFilter_ms(at)
            GROUP BY reason, source
            ORDER BY records DESC
            LIMIT 100`,
          ),
        )
        .overrideByName('reason', [cellLinks(toPage('Health on the page', { view: 'health' }))]),
    )
}
