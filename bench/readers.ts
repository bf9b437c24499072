import { silentLog } from '../src/fault/log.ts'
import type { Database } from '../src/history/database.ts'
import { History } from '../src/history/history.ts'
import { type AlertDesk, openAlertDesk } from '../src/notify/desk.ts'
import type { Pipeline } from '../src/pipeline.ts'
import { KafkaSource } from '../src/source/kafka.ts'
import { sourceOptions } from '../src/source/options.ts'
import { noDirectory } from '../src/tenants/directory.ts'
import { systemClock } from '../src/time/clock.ts'
import { topicName } from '../test/support/kafka.ts'
import { Arrivals, buildPipeline, config, NoHistory } from './daemon.ts'
import { type Cost, startCost } from './measure.ts'
import type { Tally } from './naive.ts'
import type { Topic } from './topic.ts'

const tickMs = 1_000

/** What a run took for the records behind the lead, and what it counted in all. */
export interface RunResult {
  readonly count: number
  readonly cost: Cost
  readonly tally: Tally
}

/** Reads a topic to its end. The number of the round makes what it writes another thing each time. */
export type Run = (topic: Topic, round: number) => Promise<RunResult>

/** The Kafka source and everything behind it, without a store and without rules. */
export const bareRun: Run = async (topic) => {
  const history = new NoHistory()
  const arrivals = new Arrivals()
  const measured = await read(topic, buildPipeline({ history, events: arrivals }), { arrivals, epoch: 0 })
  return { ...measured, tally: { requests: history.requests, refused: history.refused } }
}

/** The same with history in the embedded engine and the rules that come with Tollwatch. */
export function wholeRun(database: Database): Run {
  return async (topic, round) => {
    for (const table of written) await database.command(`TRUNCATE TABLE tollwatch.${table}`)
    // Another epoch, or the engine would know the ranges of the last round and drop them.
    const history = new History(database, { clock: systemClock, epoch: round })
    const desk = await deskOf(history)
    const { engine, alerting } = desk
    const arrivals = new Arrivals()
    const pipeline = buildPipeline({
      ...{ history, events: arrivals, epoch: round },
      onSlice: (endMs, view) => alerting.onSlice(endMs, view),
      onQuotas: engine.wantsQuotas ? (readings) => engine.observeQuota(readings) : null,
    })
    const measured = await read(topic, pipeline, { arrivals, epoch: round, desk })
    await alerting.close()
    await desk.dispatcher.close()
    const [row] = await database.query<Tally>(
      'SELECT sum(requests) AS requests, sum(payment_required) AS refused FROM tollwatch.rollup_1m',
    )
    return { ...measured, tally: row ?? { requests: 0, refused: 0 } }
  }
}

const written = ['rollup_10s', 'rollup_1m', 'rollup_1h', 'ledger', 'events_402', 'dead_letter', 'alert_log', 'state']

/** Rules and notifications as the daemon opens them; messages go to a log that nobody reads. */
function deskOf(history: History): Promise<AlertDesk> {
  const { alerts, notify } = config
  return openAlertDesk({
    ...{ clock: systemClock, log: silentLog, random: Math.random, folder: process.cwd(), environment: {}, demo: false },
    ...{ notify, tenants: noDirectory, rules: alerts.rules, baselineSeriesLimit: alerts.baseline_series_limit },
    ...{ pageUrl: 'http://127.0.0.1', state: history.state, logAlerts: (records) => history.logAlerts(records) },
    ...{ evaluation: () => null, conditions: () => [], attempts: { sent: () => {}, failed: () => {} } },
  })
}

async function read(
  topic: Topic,
  pipeline: Pipeline,
  { arrivals, epoch, desk }: { arrivals: Arrivals; epoch: number; desk?: AlertDesk },
): Promise<{ count: number; cost: Cost }> {
  const options = sourceOptions.parse({
    kafka: { brokers: topic.brokers, topic: topic.name, group: topicName('bench') },
  }).kafka
  if (options === undefined) throw new Error('the options for Kafka were just given')
  const source = new KafkaSource(options, { clock: systemClock, log: silentLog, epoch })
  let from = 0
  let ended = startCost()
  arrivals.when(topic.lead, () => {
    from = arrivals.all
    ended = startCost()
  })
  const done = arrivals.reached(topic.count)
  const timer = setInterval(() => {
    pipeline.tick()
    desk?.dispatcher.tick(systemClock.now()).catch(() => undefined)
  }, tickMs)
  try {
    await source.start(() => pipeline.consumer())
    await done
    await pipeline.drain()
    return { count: topic.count - from, cost: ended() }
  } finally {
    clearInterval(timer)
    await source.stop()
    await source.close()
  }
}
