/** The dashboard of now, from Prometheus: is anything wrong, who and why, since when. */
import { AnnotationQueryBuilder, type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { cell, cellLinks, pointLinks, toBoard, toPage } from './links.ts'
import { columnsByCause, dashboard, headed, inGrey, lines, number, table } from './pieces.ts'
import { prometheus, promNow, promRange, promTable } from './queries.ts'
import { causeChoice, datasource, job, labelChoice, oneOf, pageAddress } from './variables.ts'

// Prometheus escapes chosen values for a regular expression by itself when the variable is written plainly.
const jobs = 'job=~"$job"'
const series = `${jobs}, tenant=~"$tenant", api=~"$api"`
const refusals = `tollwatch_payment_required_total{${series}, cause=~"$cause"}`
const requests = `tollwatch_gateway_requests_total{${series}}`
const firing = `tollwatch_alerts{${jobs}, state="firing"}`
/** The 20 worst of the last five minutes; the other columns of the table keep to the same rows. */
const worst = `topk(20, sum by (tenant, api, cause) (increase(${refusals}[5m])) > 0)`
const seriesRequests = `on (tenant, api) group_left () sum by (tenant, api) (increase(${requests}[5m]))`
const tenantBoard = toBoard('All about this tenant', 'tollwatch-tenant', ['cause'], { tenant: cell })

export function liveDashboard(): DashboardBuilder {
  const board = dashboard({
    uid: 'tollwatch-live',
    title: 'Tollwatch: live overview',
    description: 'Who is refused with 402 right now, on which API and why, from the rolling windows of Tollwatch.',
    from: 'now-3h',
    refresh: '10s',
  })
    .withVariable(datasource('prometheus'))
    .withVariable(job())
    .withVariable(labelChoice('tenant', `tollwatch_gateway_requests_total{${jobs}}`))
    .withVariable(labelChoice('api', `tollwatch_gateway_requests_total{${jobs}, tenant=~"$tenant"}`))
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
        .expr(`sum by (rule, severity) (${firing}) > 0`)
        .titleFormat('{{rule}}')
        .tagKeys('severity'),
    )
  anythingWrong(board)
  whoAndWhy(board)
  sinceWhen(board)
  traffic(board)
  return board
}

function anythingWrong(board: DashboardBuilder): void {
  const about = (title: string, description: string) => ({ title, description, width: 4, height: 4 })
  board
    .withRow(new RowBuilder('Is anything wrong now'))
    .withPanel(
      number(
        about(
          'Alerts firing',
          'Alerts of any rule that are firing. "no data" means that Tollwatch itself is not seen.',
        ),
        'short',
        1,
      )
        .datasource(prometheus)
        .dataLinks(pointLinks(toBoard('Alerts', 'tollwatch-alerts', ['prometheus', 'job'])))
        // Zero only where Tollwatch is there to say so.
        .withTarget(promNow('A', `sum(${firing}) or max(tollwatch_series{${jobs}}) * 0`)),
    )
    .withPanel(
      number(about('Refused, last 5 min', 'Requests answered 402 in the last five minutes.'), 'short')
        .datasource(prometheus)
        .decimals(0)
        .withTarget(promNow('A', `sum(increase(${refusals}[5m]))`)),
    )
    .withPanel(
      number(
        about(
          'of requests, last 5 min',
          'All requests of the chosen tenants and APIs in the last five minutes, refused or not.',
        ),
        'short',
      )
        .datasource(prometheus)
        .decimals(0)
        .withTarget(promNow('A', `sum(increase(${requests}[5m]))`)),
    )
    .withPanel(
      number(
        about('Share refused, last 5 min', 'Refused of all requests. A share of few requests says little.'),
        'percentunit',
      )
        .datasource(prometheus)
        .decimals(2)
        .withTarget(promNow('A', `sum(increase(${refusals}[5m])) / sum(increase(${requests}[5m]))`)),
    )
    .withPanel(
      table(
        {
          title: 'Alerts by rule',
          description: 'Rules with pending or firing alerts. The page and `tollwatch explain` say why each one fired.',
          width: 8,
          height: 4,
        },
        'no alert is pending or firing',
      )
        .datasource(prometheus)
        .withTarget(
          promTable('A', `sum by (rule, severity, state) (tollwatch_alerts{${jobs}, state=~"pending|firing"}) > 0`),
        )
        .withTransformation({
          id: 'organize',
          options: { excludeByName: { Time: true }, renameByName: { Value: 'alerts' } },
        })
        .overrideByName('alerts', headed('alerts'))
        .overrideByName('rule', [
          cellLinks(
            toBoard('Its alerts', 'tollwatch-alerts', ['prometheus', 'job'], { rule: cell }),
            toPage('Open on the page', { view: 'rules', rule: cell }),
          ),
        ]),
    )
}

function whoAndWhy(board: DashboardBuilder): void {
  board.withRow(new RowBuilder('Who and why')).withPanel(
    table(
      {
        title: 'Refused in the last 5 min',
        description:
          'Worst first. Share is of all requests of that tenant on that API; mind the base: a share of few requests says little. `__other__` is the rest beyond the series limit.',
        width: 24,
        height: 9,
      },
      'nobody was refused in the last 5 min',
      { tenant: [tenantBoard] },
    )
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
      .overrideByName('refused', headed('refused', 'short', 0))
      .overrideByName('requests', headed('requests', 'short', 0))
      .overrideByName('share', headed('share', 'percentunit', 1)),
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
        .dataLinks(
          pointLinks(toPage('Trends on the page', { view: 'trends', cause: '${__series.name:percentencode}' })),
        )
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
        .overrideByName('a day ago', inGrey)
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
        .dataLinks(
          pointLinks(
            toBoard('All about this tenant', 'tollwatch-tenant', ['cause'], {
              tenant: '${__field.labels.tenant:percentencode}',
            }),
          ),
        )
        .withTarget(
          promRange(
            'A',
            '{{tenant}} {{api}}',
            `topk(8, tollwatch_payment_required_ratio{${series}, window="$window"} > 0)`,
          ),
        ),
    )
}

/** How much traffic there is at all, and whether what the other panels show can be trusted. */
function traffic(board: DashboardBuilder): void {
  const about = (title: string, description: string) => ({ title, description, width: 8, height: 7 })
  board
    .withRow(new RowBuilder('Traffic'))
    .withPanel(
      lines(
        about(
          'Requests a second, by API',
          'The eight busiest APIs. A drop can mean that the logs stopped, not the traffic.',
        ),
        'reqps',
      )
        .datasource(prometheus)
        .withTarget(promRange('A', '{{api}}', `topk(8, sum by (api) (rate(${requests}[$__rate_interval])))`)),
    )
    .withPanel(
      lines(about('Requests a second, largest tenants', 'The eight tenants with the most requests.'), 'reqps')
        .datasource(prometheus)
        .withTarget(promRange('A', '{{tenant}}', `topk(8, sum by (tenant) (rate(${requests}[$__rate_interval])))`)),
    )
    .withPanel(
      lines(
        about(
          'Behind the clock',
          'How far event time is behind. Usual are some 30 s; while it grows, everything above is the past. Tollwatch itself has a dashboard of its own.',
        ),
        's',
      )
        .datasource(prometheus)
        .dataLinks(pointLinks(toBoard('Tollwatch itself', 'tollwatch-itself', ['prometheus', 'job'])))
        .withTarget(promRange('A', 'watermark', `max(tollwatch_watermark_delay_seconds{${jobs}})`)),
    )
}
