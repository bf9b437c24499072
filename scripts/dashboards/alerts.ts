/** The dashboard of alerts: what fires now, from Prometheus; what fired, for whom and how often, from `alert_log`. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { alertMarks } from './alert-marks.ts'
import { alertWhere, everyChange, incidents, mostOften } from './alert-tables.ts'
import { ofChosen } from './history-sql.ts'
import { cell, cellLinks, pointLinks, toBoard, toPage } from './links.ts'
import { columnsBySeverity, dashboard, headed, number, sized, table } from './pieces.ts'
import { clickhouse, prometheus, promNow, promRange, promTable, sql } from './queries.ts'
import { choice, datasource, job, pageAddress, severalOf } from './variables.ts'

const here = 'job=~"$job", rule=~"$rule", severity=~"$severity"'

export function alertsDashboard(): DashboardBuilder {
  const inLog = (column: string, where: string) =>
    `SELECT DISTINCT ${column} FROM tollwatch.alert_log WHERE $__timeFilter_ms(at) AND ${where} ORDER BY ${column} LIMIT 5000`
  const board = dashboard({
    uid: 'tollwatch-alerts',
    title: 'Tollwatch: alerts',
    description: 'What fires now, what fired, for whom, for how long, and which rules speak most.',
    from: 'now-24h',
    refresh: '1m',
  })
    .withVariable(datasource('prometheus'))
    .withVariable(datasource('clickhouse'))
    .withVariable(job())
    .withVariable(choice('rule', clickhouse, inLog('rule', '1')).allValue('.*'))
    .withVariable(
      severalOf(
        'severity',
        ['page', 'ticket', 'info'].map((word) => [word, word]),
      ).allValue('.*'),
    )
    .withVariable(choice('tenant', clickhouse, inLog('tenant', `tenant != '' AND ${ofChosen('rule')}`)))
    .withVariable(pageAddress())
    .annotation(alertMarks(alertWhere))
  now(board)
  timeline(board)
  incidents(board)
  mostOften(board)
  everyChange(board)
  return board
}

function now(board: DashboardBuilder): void {
  const onPage = pointLinks(toPage('Alerts on the page', { view: 'alerts' }))
  board.withRow(new RowBuilder('Now'))
  for (const [severity, what] of [
    ['page', 'Somebody loses money or nothing can be seen: wakes people.'],
    ['ticket', 'Wants a look during the day.'],
    ['info', 'Good to know.'],
  ] as const) {
    board.withPanel(
      number(
        { title: `Firing: ${severity}`, description: what, width: 3, height: 5 },
        'short',
        severity === 'info' ? undefined : 1,
      )
        .datasource(prometheus)
        .dataLinks(onPage)
        // Zero only where Tollwatch is there to say so.
        .withTarget(
          promNow(
            'A',
            `sum(tollwatch_alerts{${here}, state="firing", severity="${severity}"}) or max(tollwatch_series{job=~"$job"}) * 0`,
          ),
        ),
    )
  }
  board
    .withPanel(
      number(
        {
          title: 'Pending',
          description: 'Out of bounds, but not for as long as their rule asks.',
          width: 3,
          height: 5,
        },
        'short',
      )
        .datasource(prometheus)
        .dataLinks(onPage)
        .withTarget(
          promNow('A', `sum(tollwatch_alerts{${here}, state="pending"}) or max(tollwatch_series{job=~"$job"}) * 0`),
        ),
    )
    .withPanel(
      table(
        {
          title: 'By rule',
          description: 'Rules with alerts now. Resolved ones stay for a quarter of an hour.',
          width: 12,
          height: 5,
        },
        'no alert at all now',
      )
        .datasource(prometheus)
        .withTarget(promTable('A', `sum by (rule, severity, state) (tollwatch_alerts{${here}}) > 0`))
        .withTransformation({
          id: 'organize',
          options: { excludeByName: { Time: true }, renameByName: { Value: 'alerts' } },
        })
        .overrideByName('alerts', headed('alerts'))
        .overrideByName('rule', [
          cellLinks(
            toBoard('Only this rule', 'tollwatch-alerts', ['prometheus', 'clickhouse', 'job'], { rule: cell }),
            toPage('Rule on the page', { view: 'rules', rule: cell }),
          ),
        ]),
    )
}

function timeline(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('When'))
    .withPanel(
      sized(new StateTimelineBuilder(), {
        title: 'Which rule fired when',
        description:
          'A bar while a rule has alerts firing, with how many. A gap is none, or that Tollwatch was not seen.',
        width: 12,
        height: 8,
      })
        .datasource(prometheus)
        .unit('short')
        .noValue('no rule fired in this time')
        .mergeValues(true)
        .withTarget(promRange('A', '{{rule}}', `sum by (rule) (tollwatch_alerts{${here}, state="firing"})`)),
    )
    .withPanel(
      columnsBySeverity(
        {
          title: 'Alerts that began, by severity',
          description: 'Each alert once, where it began to fire, by its severity then.',
          width: 12,
          height: 8,
        },
        'short',
      )
        .datasource(clickhouse)
        .interval('5m')
        .withTarget(
          sql(
            'A',
            'timeseries',
            `
            SELECT $__timeInterval(began) AS time, first_severity AS severity, count() AS alerts
            FROM (
              SELECT min(at) AS began, argMin(severity, at) AS first_severity
              FROM tollwatch.alert_log FINAL
              WHERE $__timeFilter_ms(at) AND state = 'firing' AND ${alertWhere}
              GROUP BY fingerprint, episode
            )
            GROUP BY time, severity
            ORDER BY time`,
          ),
        ),
    )
}
