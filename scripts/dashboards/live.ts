/** The dashboard of now, from Prometheus: is anything wrong, who and why, since when, and is Tollwatch itself well. */
import { AnnotationQueryBuilder, type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { tollwatchItself, traffic } from './live-itself.ts'
import {
  causeChoice,
  choice,
  columnsByCause,
  dashboard,
  datasource,
  lines,
  number,
  oneOf,
  pageAddress,
  prometheus,
  promNow,
  promRange,
  promTable,
  table,
  unitOf,
} from './pieces.ts'

// Prometheus escapes chosen values for a regular expression by itself when the variable is written plainly.
const series = 'tenant=~"$tenant", api=~"$api"'
const refusals = `tollwatch_payment_required_total{${series}, cause=~"$cause"}`
const requests = `tollwatch_gateway_requests_total{${series}}`
/** The 20 worst of the last five minutes; the other columns of the table keep to the same rows. */
const worst = `topk(20, sum by (tenant, api, cause) (increase(${refusals}[5m])) > 0)`
const seriesRequests = `on (tenant, api) group_left () sum by (tenant, api) (increase(${requests}[5m]))`

export function liveDashboard(): DashboardBuilder {
  const board = dashboard({
    uid: 'tollwatch-live',
    title: 'Tollwatch: live',
    description: 'Who is refused with 402 right now, on which API and why, from the rolling windows of Tollwatch.',
    from: 'now-3h',
    refresh: '10s',
  })
    .withVariable(datasource('prometheus', 'prometheus', 'Prometheus'))
    .withVariable(
      choice('tenant', prometheus, labelValues('tollwatch_gateway_requests_total', 'tenant')).allValue('.*'),
    )
    .withVariable(
      choice('api', prometheus, labelValues('tollwatch_gateway_requests_total{tenant=~"$tenant"}', 'api')).allValue(
        '.*',
      ),
    )
    .withVariable(causeChoice().allValue('.*'))
    .withVariable(
      oneOf(
        'window',
        'window',
        [
          ['1 min', '1m'],
          ['5 min', '5m'],
          ['15 min', '15m'],
          ['1 h', '1h'],
        ],
        '5m',
      ),
    )
    .withVariable(pageAddress())
    .annotation(
      new AnnotationQueryBuilder()
        .name('Firing alerts')
        .datasource(prometheus)
        .enable(true)
        .iconColor('#CC3311')
        .expr('sum by (rule, severity) (tollwatch_alerts{state="firing"}) > 0')
        .titleFormat('{{rule}}')
        .tagKeys('severity'),
    )
  anythingWrong(board)
  whoAndWhy(board)
  sinceWhen(board)
  traffic(board, requests)
  tollwatchItself(board)
  return board
}

function labelValues(metric: string, label: string): Record<string, unknown> {
  const query = `label_values(${metric}, ${label})`
  return { query, refId: 'variable', qryType: 1 }
}

function anythingWrong(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Is anything wrong now'))
    .withPanel(
      number(
        {
          title: 'Alerts firing',
          description: 'Alerts of any rule that are firing. "no data" means that Tollwatch itself is not seen.',
          width: 4,
          height: 4,
        },
        'short',
        1,
      )
        .datasource(prometheus)
        // Zero only where Tollwatch is there to say so.
        .withTarget(promNow('A', 'sum(tollwatch_alerts{state="firing"}) or max(tollwatch_series) * 0')),
    )
    .withPanel(
      number(
        {
          title: 'Refused, last 5 min',
          description: 'Requests answered 402 in the last five minutes.',
          width: 4,
          height: 4,
        },
        'short',
      )
        .datasource(prometheus)
        .decimals(0)
        .withTarget(promNow('A', `sum(increase(${refusals}[5m]))`)),
    )
    .withPanel(
      number(
        {
          title: 'of requests, last 5 min',
          description: 'All requests of the chosen tenants and APIs in the last five minutes, refused or not.',
          width: 4,
          height: 4,
        },
        'short',
      )
        .datasource(prometheus)
        .decimals(0)
        .withTarget(promNow('A', `sum(increase(${requests}[5m]))`)),
    )
    .withPanel(
      number(
        {
          title: 'Share refused, last 5 min',
          description: 'Refused of all requests. Compare with the same share a day ago beside it.',
          width: 4,
          height: 4,
        },
        'percentunit',
      )
        .datasource(prometheus)
        .decimals(2)
        .withTarget(promNow('A', `sum(increase(${refusals}[5m])) / sum(increase(${requests}[5m]))`)),
    )
    .withPanel(
      table({
        title: 'Alerts by rule',
        description: 'Rules with pending or firing alerts. The page and `tollwatch explain` say why each one fired.',
        width: 8,
        height: 4,
      })
        .datasource(prometheus)
        .withTarget(promTable('A', 'sum by (rule, severity, state) (tollwatch_alerts{state=~"pending|firing"}) > 0'))
        .withTransformation({
          id: 'organize',
          options: { excludeByName: { Time: true }, renameByName: { Value: 'alerts' } },
        }),
    )
}

function whoAndWhy(board: DashboardBuilder): void {
  board.withRow(new RowBuilder('Who and why')).withPanel(
    table({
      title: 'Refused in the last 5 min',
      description:
        'Worst first. Share is of all requests of that tenant on that API; mind the base: a share of few requests says little. `__other__` is the rest beyond the series limit.',
      width: 24,
      height: 9,
    })
      .datasource(prometheus)
      .withTarget(promTable('A', worst))
      .withTarget(promTable('B', `${worst} * 0 + ${seriesRequests}`))
      .withTarget(promTable('C', `${worst} / ${seriesRequests}`))
      .withTransformation({ id: 'merge', options: {} })
      .withTransformation({
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          renameByName: { 'Value #A': 'refused', 'Value #B': 'requests', 'Value #C': 'share' },
          indexByName: { tenant: 0, api: 1, cause: 2, 'Value #A': 3, 'Value #B': 4, 'Value #C': 5 },
        },
      })
      .withTransformation({ id: 'sortBy', options: { sort: [{ field: 'refused', desc: true }] } })
      .overrideByName('refused', unitOf('short', [{ id: 'decimals', value: 0 }]))
      .overrideByName('requests', unitOf('short', [{ id: 'decimals', value: 0 }]))
      .overrideByName('share', unitOf('percentunit', [{ id: 'decimals', value: 1 }])),
  )
}

function sinceWhen(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Since when'))
    .withPanel(
      columnsByCause(
        {
          title: 'Refused a minute, by cause',
          description: 'Requests answered 402 per minute; one colour per cause here, on the page and in mails.',
          width: 24,
          height: 9,
        },
        'short',
      )
        .datasource(prometheus)
        .interval('15s')
        .withTarget(promRange('A', '{{cause}}', `sum by (cause) (rate(${refusals}[$__rate_interval])) * 60`)),
    )
    .withPanel(
      lines(
        {
          title: 'Share refused, now and a day ago',
          description: 'Refused of all requests over 15 min. Grey is the same time yesterday.',
          width: 12,
          height: 8,
        },
        'percentunit',
      )
        .datasource(prometheus)
        .overrideByName('a day ago', [{ id: 'color', value: { mode: 'fixed', fixedColor: '#8e8e8e' } }])
        .withTarget(promRange('A', 'now', `sum(rate(${refusals}[15m])) / sum(rate(${requests}[15m]))`))
        .withTarget(
          promRange('B', 'a day ago', `sum(rate(${refusals}[15m] offset 1d)) / sum(rate(${requests}[15m] offset 1d))`),
        ),
    )
    .withPanel(
      lines(
        {
          title: 'Share refused in the window, worst eight',
          description: "Tollwatch's own rolling window, in event time: what the rules see.",
          width: 12,
          height: 8,
        },
        'percentunit',
      )
        .datasource(prometheus)
        .withTarget(
          promRange(
            'A',
            '{{tenant}} {{api}}',
            `topk(8, tollwatch_payment_required_ratio{${series}, window="$window"} > 0)`,
          ),
        ),
    )
}
