/** The tables of the tenant dashboard. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { inRange, ofChosen, rollup, series } from './history-sql.ts'
import { cell, cellLinks, toPage } from './links.ts'
import { alertOnPage, headed, table } from './pieces.ts'
import { clickhouse, sql } from './queries.ts'

export function whichAndWhy(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Where and why'))
    .withPanel(
      table(
        {
          title: 'Its APIs',
          description:
            'Every API that this tenant called, those with most refusals first. Share is of its requests there.',
          width: 10,
          height: 9,
        },
        'this tenant sent nothing in this time',
      )
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT api, sumIf(payment_required, ${ofChosen('cause')}) AS refused, sum(requests) AS all_requests,
                   refused / nullIf(all_requests, 0) AS share
            FROM ${rollup}
            ${inRange}
            GROUP BY api
            ORDER BY refused DESC, all_requests DESC
            LIMIT 100`,
          ),
        )
        .overrideByName('all_requests', headed('requests'))
        .overrideByName('share', headed('share', 'percentunit', 1)),
    )
    .withPanel(
      table(
        {
          title: 'Why: the codes that decided the cause',
          description: 'The word of the log that decided each cause, and where in the record it stood.',
          width: 14,
          height: 9,
        },
        'this tenant was not refused in this time',
      )
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT cause, cause_code, cause_source, count() AS refused, min(ts) AS first_seen, max(ts) AS last_seen
            FROM tollwatch.events_402 FINAL
            WHERE $__timeFilter_ms(ts) AND ${series} AND ${ofChosen('cause')} AND kind = 'payment_required'
            GROUP BY cause, cause_code, cause_source
            ORDER BY refused DESC
            LIMIT 100`,
          ),
        )
        .overrideByName('cause_code', headed('code', 'string'))
        .overrideByName('cause_source', headed('stood in', 'string')),
    )
}

export function callers(board: DashboardBuilder): void {
  board.withRow(new RowBuilder('Which of its callers')).withPanel(
    table(
      {
        title: 'Refused by consumer, plan and method',
        description: 'Often one key, one client or one plan of a tenant is behind most of it.',
        width: 24,
        height: 7,
      },
      'this tenant was not refused in this time',
    )
      .datasource(clickhouse)
      .withTarget(
        sql(
          'A',
          'table',
          `
          SELECT consumer, plan, method, count() AS refused, uniqExact(api) AS apis, uniqExact(cause) AS causes,
                 refused / sum(refused) OVER () AS of_all, max(ts) AS last_seen
          FROM tollwatch.events_402 FINAL
          WHERE $__timeFilter_ms(ts) AND ${series} AND ${ofChosen('cause')} AND kind = 'payment_required'
          GROUP BY consumer, plan, method
          ORDER BY refused DESC
          LIMIT 50`,
        ),
      )
      .overrideByName('apis', headed('APIs'))
      .overrideByName('of_all', headed('of its refusals', 'percentunit', 1)),
  )
}

export function events(board: DashboardBuilder): void {
  board.withRow(new RowBuilder('Single refusals')).withPanel(
    table(
      {
        title: 'Latest 402 events',
        description:
          'One row a refused request, with the code that decided its cause and where in the log it stood. Under its true names, also where a series was folded.',
        width: 24,
        height: 10,
      },
      'this tenant was not refused in this time, or single refusals are not kept so long',
    )
      .datasource(clickhouse)
      .withTarget(
        sql(
          'A',
          'table',
          `
          SELECT ts AS time, api, cause, cause_code, cause_source, method, consumer, plan, latency_ms, request_id, format
          FROM tollwatch.events_402 FINAL
          WHERE $__timeFilter_ms(ts) AND ${series} AND ${ofChosen('cause')} AND kind = 'payment_required'
          ORDER BY ts DESC
          LIMIT 200`,
        ),
      )
      .overrideByName('latency_ms', headed('latency', 'ms')),
  )
}

export function alertsOfTenant(board: DashboardBuilder): void {
  board.withRow(new RowBuilder('Alerts')).withPanel(
    table(
      {
        title: 'Its alerts',
        description: 'Every change of state of alerts about this tenant, and of those about everybody.',
        width: 24,
        height: 8,
      },
      'no alert in this time',
    )
      .datasource(clickhouse)
      .withTarget(
        sql(
          'A',
          'table',
          `
          SELECT at AS time, state, severity, rule, if(tenant = '', 'everybody', 'this tenant') AS about, api, cause,
                 observed, requests, expected, summary, fingerprint
          FROM tollwatch.alert_log FINAL
          WHERE $__timeFilter_ms(at) AND tenant IN (\${tenant:singlequote}, '')
          ORDER BY at DESC
          LIMIT 200`,
        ),
      )
      .overrideByName('expected', headed('expected', 'short', 1))
      .overrideByName('summary', [cellLinks(alertOnPage)])
      .overrideByName('rule', [cellLinks(toPage('Rule on the page', { view: 'rules', rule: cell }))]),
  )
}
