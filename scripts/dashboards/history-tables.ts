/** The tables of the history dashboard. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { inRange, ofChosen, rollup, series } from './history-sql.ts'
import { clickhouse, sql, table, unitOf } from './pieces.ts'

export function whoAndWhy(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Who and why'))
    .withPanel(
      table({
        title: 'Refused by tenant, API and cause',
        description: 'Worst first. Requests and share are of the tenant on that API, for all causes together.',
        width: 14,
        height: 11,
      })
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
      table({
        title: 'Refused by cause',
        description: 'How many, how many tenants, and how much of all refusals.',
        width: 10,
        height: 11,
      })
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
        .overrideByName(
          'of_all_refused',
          unitOf('percentunit', [
            { id: 'decimals', value: 1 },
            { id: 'displayName', value: 'of all refused' },
          ]),
        ),
    )
}

export function events(board: DashboardBuilder): void {
  board.withRow(new RowBuilder('Single refusals')).withPanel(
    table({
      title: 'Latest 402 events',
      description:
        'One row a refused request, with the code that decided its cause and where in the log it stood. Under its true names, also where a series was folded.',
      width: 24,
      height: 10,
    })
      .datasource(clickhouse)
      .withTarget(
        sql(
          'A',
          'table',
          `
          SELECT ts AS time, tenant, api, cause, cause_code, cause_source, method, consumer, plan, latency_ms, request_id, format
          FROM tollwatch.events_402
          WHERE $__timeFilter_ms(ts) AND ${series} AND ${ofChosen('cause')}
          ORDER BY ts DESC
          LIMIT 200`,
        ),
      )
      .overrideByName('latency_ms', unitOf('ms', [{ id: 'displayName', value: 'latency' }])),
  )
}

export function alerts(board: DashboardBuilder): void {
  board.withRow(new RowBuilder('Alerts')).withPanel(
    table({
      title: 'Alert log',
      description: 'Every change of state of every alert: what fired, for whom, why, and when it was over.',
      width: 24,
      height: 8,
    })
      .datasource(clickhouse)
      .withTarget(
        sql(
          'A',
          'table',
          `
          SELECT at AS time, state, severity, rule, tenant, api, cause, value, summary, fingerprint
          FROM tollwatch.alert_log
          WHERE $__timeFilter_ms(at)
          ORDER BY at DESC
          LIMIT 200`,
        ),
      ),
  )
}

export function proof(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Is history whole'))
    .withPanel(
      table({
        title: 'What was read',
        description:
          'Per input: the offsets covered and what they held. `missing` counts offsets between the first and the last that no range covers: it should be 0; `gaps` are ranges that Kafka had deleted before they could be read. `tollwatch history verify` checks more.',
        width: 14,
        height: 8,
      })
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
        .overrideByName(
          'missing',
          unitOf('short', [
            { id: 'custom.cellOptions', value: { type: 'color-text' } },
            {
              id: 'thresholds',
              value: {
                mode: 'absolute',
                steps: [
                  { value: null, color: '#8e8e8e' },
                  { value: 1, color: '#CC3311' },
                ],
              },
            },
          ]),
        ),
    )
    .withPanel(
      table({
        title: 'Unreadable records',
        description: 'Why records could not be read. `tollwatch query dead-letters` lists each with its place.',
        width: 10,
        height: 8,
      })
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT reason, source, count() AS records, max(at) AS last_seen, argMax(sketch, at) AS last_sketch
            FROM tollwatch.dead_letter
            WHERE $__timeFilter_ms(at)
            GROUP BY reason, source
            ORDER BY records DESC
            LIMIT 100`,
          ),
        ),
    )
}
