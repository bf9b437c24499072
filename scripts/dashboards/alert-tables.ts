/** The tables of the dashboard of alerts, from `alert_log`: one row there is a change of state. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { ofChosen } from './history-sql.ts'
import { cell, cellLinks, toBoard, toPage } from './links.ts'
import { alertOnPage, headed, table } from './pieces.ts'
import { clickhouse, sql } from './queries.ts'

/** What is chosen at the top. */
export const alertWhere = `${ofChosen('rule')} AND ${ofChosen('severity')} AND ${ofChosen('tenant')}`

const toTenant = {
  tenant: [toBoard('All about this tenant', 'tollwatch-tenant', ['clickhouse'], { tenant: cell })],
}
const ruleLinks = cellLinks(
  toBoard('Only this rule', 'tollwatch-alerts', ['prometheus', 'clickhouse', 'job'], { rule: cell }),
  toPage('Rule on the page', { view: 'rules', rule: cell }),
)

/**
 * One row an alert from its beginning to its end. Alerts that began up to a week before the chosen time are looked at, so
 * that one that was firing when it began is there too.
 */
const episodes = `
  SELECT fingerprint, episode, any(l.rule) AS rule, any(l.tenant) AS tenant, any(l.api) AS api, any(l.cause) AS cause,
         argMax(l.severity, l.at) AS severity, minIf(l.at, l.state = 'firing') AS started,
         if(countIf(l.state = 'resolved') = 0, NULL, maxIf(l.at, l.state = 'resolved')) AS ended,
         dateDiff('second', started, coalesce(ended, least($__toTime, now()))) AS lasted,
         max(l.observed) AS most_refused, argMaxIf(l.expected, l.at, l.state = 'firing') AS expected,
         argMaxIf(l.summary, l.at, l.state = 'firing') AS summary
  FROM (
    SELECT * FROM tollwatch.alert_log FINAL
    WHERE at >= $__fromTime - toIntervalWeek(1) AND at <= $__toTime AND ${alertWhere}
  ) AS l
  GROUP BY fingerprint, episode
  HAVING countIf(l.state = 'firing') > 0 AND (ended IS NULL OR ended >= $__fromTime)`

export function incidents(board: DashboardBuilder): void {
  board.withRow(new RowBuilder('What happened')).withPanel(
    table(
      {
        title: 'Alerts from beginning to end',
        description:
          'One row an alert, newest first. Without an end it still fires. Expected is what a normal window would have had.',
        width: 24,
        height: 10,
      },
      'no alert fired in this time',
      toTenant,
    )
      .datasource(clickhouse)
      .withTarget(
        sql(
          'A',
          'table',
          `
          SELECT started, ended, lasted, severity, rule, tenant, api, cause, most_refused, expected,
                 most_refused / nullIf(expected, 0) AS factor, summary, fingerprint
          FROM (${episodes}
          )
          ORDER BY started DESC
          LIMIT 200`,
        ),
      )
      .overrideByName('lasted', headed('lasted', 's'))
      .overrideByName('most_refused', headed('most refused'))
      .overrideByName('expected', headed('expected', 'short', 1))
      .overrideByName('factor', headed('times normal', 'suffix:×', 1))
      .overrideByName('rule', [ruleLinks])
      .overrideByName('summary', [cellLinks(alertOnPage)]),
  )
}

export function mostOften(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Which speak most'))
    .withPanel(
      table(
        {
          title: 'Rules',
          description:
            'How often each rule fired, for how many tenants, and how long half of its alerts lasted. Many short ones ask for a longer `for`.',
          width: 12,
          height: 8,
        },
        'no alert fired in this time',
      )
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT rule, count() AS alerts, uniqExactIf(tenant, tenant != '') AS tenants, countIf(ended IS NULL) AS firing,
                   median(lasted) AS half_lasted, max(started) AS last_began
            FROM (${episodes}
            )
            GROUP BY rule
            ORDER BY alerts DESC
            LIMIT 100`,
          ),
        )
        .overrideByName('rule', [ruleLinks])
        .overrideByName('firing', headed('still firing'))
        .overrideByName('half_lasted', headed('half lasted less than', 's')),
    )
    .withPanel(
      table(
        {
          title: 'Tenants',
          description: 'How many alerts each tenant had, of which rules, and how long they fired together.',
          width: 12,
          height: 8,
        },
        'no alert about a tenant in this time',
        toTenant,
      )
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT tenant, count() AS alerts, arrayStringConcat(arraySort(groupUniqArray(10)(rule)), ', ') AS rules,
                   sum(lasted) AS fired_for, max(started) AS last_began
            FROM (${episodes}
            )
            WHERE tenant != ''
            GROUP BY tenant
            ORDER BY alerts DESC
            LIMIT 100`,
          ),
        )
        .overrideByName('fired_for', headed('fired for', 's')),
    )
}

export function everyChange(board: DashboardBuilder): void {
  board.withRow(new RowBuilder('Every change')).withPanel(
    table(
      {
        title: 'Alert log',
        description: 'Every change of state of every alert: what fired, for whom, why, and when it was over.',
        width: 24,
        height: 8,
      },
      'no alert changed in this time',
      toTenant,
    )
      .datasource(clickhouse)
      .withTarget(
        sql(
          'A',
          'table',
          `
          SELECT at AS time, state, severity, rule, tenant, api, cause, value, summary, fingerprint
          FROM tollwatch.alert_log FINAL
          WHERE $__timeFilter_ms(at) AND ${alertWhere}
          ORDER BY at DESC
          LIMIT 200`,
        ),
      )
      .overrideByName('rule', [ruleLinks])
      .overrideByName('summary', [cellLinks(alertOnPage)]),
  )
}
