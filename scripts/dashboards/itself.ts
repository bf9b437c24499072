/** Tollwatch itself, from Prometheus: is it up, does it read, does it keep history, do its messages arrive. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { pointLinks, toPage } from './links.ts'
import { columns, dashboard, headed, lines, number, table } from './pieces.ts'
import { prometheus, promNow, promRange, promTable } from './queries.ts'
import { datasource, job, labelChoice, pageAddress } from './variables.ts'

const here = 'job=~"$job", instance=~"$instance"'
const unread = `tollwatch_records_total{${here}, result!~"ok|skipped"}`
const health = pointLinks(toPage('Health on the page', { view: 'health' }))

export function itselfDashboard(): DashboardBuilder {
  const board = dashboard({
    uid: 'tollwatch-itself',
    title: 'Tollwatch: itself',
    description:
      'Whether Tollwatch is well: input, event time, history, messages, memory. While it is not, the other dashboards show less than there is.',
    from: 'now-6h',
    refresh: '30s',
  })
    .withVariable(datasource('prometheus'))
    .withVariable(job())
    .withVariable(labelChoice('instance', 'tollwatch_build_info{job=~"$job"}'))
    .withVariable(pageAddress())
  well(board)
  input(board)
  history(board)
  messages(board)
  processes(board)
  return board
}

function well(board: DashboardBuilder): void {
  const about = (title: string, description: string, width = 4) => ({ title, description, width, height: 4 })
  board
    .withRow(new RowBuilder('Is it well'))
    .withPanel(
      number(about('Daemons seen', 'Instances that answered the last scrape. "no data" means none did.'), 'short')
        .datasource(prometheus)
        .withTarget(promNow('A', `count(tollwatch_build_info{${here}})`)),
    )
    .withPanel(
      number(
        about('Behind the clock', 'How far event time is behind. Usual are some 30 s; rules see nothing newer.'),
        's',
        300,
      )
        .datasource(prometheus)
        .dataLinks(health)
        .withTarget(promNow('A', `max(tollwatch_watermark_delay_seconds{${here}})`)),
    )
    .withPanel(
      number(
        about(
          'Waits for history',
          'Age of the oldest record that history does not hold yet. Grows while the store is away.',
        ),
        's',
        300,
      )
        .datasource(prometheus)
        .dataLinks(health)
        .withTarget(promNow('A', `max(tollwatch_history_oldest_unwritten_seconds{${here}})`)),
    )
    .withPanel(
      number(about('Unreadable, last hour', 'Records that could not be read in the last hour.'), 'short', 1)
        .datasource(prometheus)
        .decimals(0)
        .dataLinks(health)
        .withTarget(promNow('A', `sum(increase(${unread}[1h]))`)),
    )
    .withPanel(
      table(
        about('What runs', 'Version, address and start of each instance.', 8),
        'no instance answered the last scrape',
      )
        .datasource(prometheus)
        .withTarget(
          promTable(
            'A',
            `max by (instance, version, node) (process_start_time_seconds{${here}} * on (job, instance) group_left (version, node) tollwatch_build_info{${here}}) * 1000`,
          ),
        )
        .withTransformation({
          id: 'organize',
          options: { excludeByName: { Time: true }, renameByName: { Value: 'started' } },
        })
        .overrideByName('started', headed('started', 'dateTimeFromNow')),
    )
}

function input(board: DashboardBuilder): void {
  const about = (title: string, description: string) => ({ title, description, width: 8, height: 7 })
  board
    .withRow(new RowBuilder('Input'))
    .withPanel(
      lines(
        about(
          'Log records a second',
          'What became of each record read: counted, skipped as no access record, unreadable.',
        ),
        'cps',
      )
        .datasource(prometheus)
        .withTarget(
          promRange(
            'A',
            '{{result}}',
            `sum by (result) (rate(tollwatch_records_total{${here}, result=~"ok|skipped"}[$__rate_interval]))`,
          ),
        )
        .withTarget(promRange('B', 'unreadable', `sum(rate(${unread}[$__rate_interval]))`)),
    )
    .withPanel(
      columns(
        about(
          'Unreadable a minute, by reason',
          '`tollwatch query dead-letters` lists each with its place and a sketch.',
        ),
        'short',
      )
        .datasource(prometheus)
        .dataLinks(health)
        .withTarget(promRange('A', '{{result}}', `sum by (result) (rate(${unread}[$__rate_interval])) * 60`)),
    )
    .withPanel(
      lines(
        about(
          'Refusals kept apart, a minute',
          'Answers that mean 402 and are none, 402s of an upstream, and login challenges: not in rates and alerts.',
        ),
        'short',
      )
        .datasource(prometheus)
        .withTarget(
          promRange(
            'A',
            '{{kind}}',
            `sum by (kind) (rate(tollwatch_refusals_apart_total{${here}}[$__rate_interval])) * 60`,
          ),
        ),
    )
    .withPanel(
      lines(
        {
          ...about(
            'Records not read yet',
            'Kafka lag. Growing steadily means that Tollwatch is too slow or that its store is away.',
          ),
          width: 12,
        },
        'short',
      )
        .datasource(prometheus)
        .withTarget(
          promRange('A', '{{topic}}/{{partition}}', `sum by (topic, partition) (tollwatch_kafka_lag_records{${here}})`),
        ),
    )
    .withPanel(
      lines(
        {
          ...about(
            'Event time behind the clock',
            'The watermark closes slices and lets rules see them. One silent partition holds it back for 30 s.',
          ),
          width: 12,
        },
        's',
      )
        .datasource(prometheus)
        .withTarget(promRange('A', '{{instance}}', `max by (instance) (tollwatch_watermark_delay_seconds{${here}})`)),
    )
}

function history(board: DashboardBuilder): void {
  const about = (title: string, description: string) => ({ title, description, width: 8, height: 7 })
  const flushes = `tollwatch_history_flush_duration_seconds`
  const quantile = (share: number) =>
    `histogram_quantile(${share}, sum by (le) (rate(${flushes}_bucket{${here}}[$__rate_interval])))`
  board
    .withRow(new RowBuilder('History'))
    .withPanel(
      lines(
        about('Writing took', 'Time of one write to ClickHouse: half of them, and all but one in twenty, took less.'),
        's',
      )
        .datasource(prometheus)
        .interval('1m')
        .withTarget(promRange('A', 'half', quantile(0.5)))
        .withTarget(promRange('B', '95 %', quantile(0.95))),
    )
    .withPanel(
      lines(
        about('Writes a minute', 'Batches written to history. None at all for minutes means that it waits.'),
        'short',
      )
        .datasource(prometheus)
        .withTarget(promRange('A', 'writes', `sum(rate(${flushes}_count{${here}}[$__rate_interval])) * 60`)),
    )
    .withPanel(
      lines(about('Oldest unwritten', 'How long the oldest record has been waiting to be stored.'), 's')
        .datasource(prometheus)
        .withTarget(
          promRange('A', '{{instance}}', `max by (instance) (tollwatch_history_oldest_unwritten_seconds{${here}})`),
        ),
    )
}

function messages(board: DashboardBuilder): void {
  const about = (title: string, description: string) => ({ title, description, width: 12, height: 7 })
  board
    .withRow(new RowBuilder('Rules and messages'))
    .withPanel(
      lines(about('Alerts by state', 'Pending, firing, and resolved within the last quarter of an hour.'), 'short')
        .datasource(prometheus)
        .withTarget(promRange('A', '{{state}}', `sum by (state) (tollwatch_alerts{${here}})`)),
    )
    .withPanel(
      columns(
        about(
          'Notifications an hour',
          'Attempts by receiver over an hour, and what became of them: sent, or why not. Anything but sent deserves a look.',
        ),
        'short',
      )
        .datasource(prometheus)
        .withTarget(
          promRange(
            'A',
            '{{receiver}} {{result}}',
            `sum by (receiver, result) (increase(tollwatch_notifications_total{${here}}[1h]))`,
          ),
        ),
    )
}

function processes(board: DashboardBuilder): void {
  const about = (title: string, description: string) => ({ title, description, width: 8, height: 7 })
  const each = (metric: string) => `max by (instance) (${metric}{${here}})`
  board
    .withRow(new RowBuilder('The process'))
    .withPanel(
      lines(
        about(
          'Series',
          'Tenant and API pairs held in memory, and records of the last 1 h counted under a folded name because a limit was reached.',
        ),
        'short',
      )
        .datasource(prometheus)
        .withTarget(promRange('A', '{{instance}} held', each('tollwatch_series')))
        .withTarget(promRange('B', 'folded an hour', `sum(increase(tollwatch_series_folded_total{${here}}[1h]))`)),
    )
    .withPanel(
      lines(about('Memory', 'Held by the process, and the part of it that is the JavaScript heap in use.'), 'bytes')
        .datasource(prometheus)
        .withTarget(promRange('A', '{{instance}}', each('process_resident_memory_bytes')))
        .withTarget(promRange('B', '{{instance}} heap', each('nodejs_heap_used_bytes'))),
    )
    .withPanel(
      lines(about('Processor', 'Cores in use. Decoding and rules run on one; near 1 it is the bottleneck.'), 'short')
        .datasource(prometheus)
        .withTarget(
          promRange(
            'A',
            '{{instance}}',
            `sum by (instance) (rate(process_cpu_seconds_total{${here}}[$__rate_interval]))`,
          ),
        ),
    )
}
