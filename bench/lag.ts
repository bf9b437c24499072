import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort, waitFor } from '../test/support/process.ts'
import { tempDir } from '../test/support/run-context.ts'
import { type Figure, thousands } from './figures.ts'
import type { LoopDelay } from './live-daemon.ts'
import { quantile } from './measure.ts'
import { Pace } from './pace.ts'
import type { Progress } from './progress.ts'
import type { Shape } from './records.ts'
import { fillTopic, makePool } from './topic.ts'

const poolBatches = 100
const leadRecords = 60_000
const settleMs = 5_000
const pollMs = 10
const giveUpMs = 30_000

interface Live {
  readonly child: ChildProcess
  readonly page: string
}

/**
 * How long a record needs from the producer's hand until `GET /api/v1/live` shows it, while the daemon reads a steady
 * stream at half of what it can. First the daemon catches up with a filled topic, which tells what it can, and how long
 * it keeps its event loop at full load.
 */
export async function lagFigure(
  shape: Shape,
  options: { brokers: string; count: number; probes: number; progress: Progress },
): Promise<Figure> {
  const { brokers, count, probes, progress } = options
  const topic = await fillTopic({ pool: makePool(shape, poolBatches), brokers, lead: leadRecords, count })
  const directory = tempDir('bench-lag')
  const daemon = await start({ brokers, topic: topic.name, directory })
  try {
    const { rate, delay: full } = await catchUp(daemon, topic)
    progress.step()
    const pace = await Pace.start({ shape, brokers, topic: topic.name, perSecond: rate / 2 })
    try {
      await sleep(settleMs)
      await loopDelay(daemon)
      const before = { sent: pace.sent, atMs: performance.now() }
      const lags: number[] = []
      for (let i = 0; i < probes; i++) {
        lags.push(await lagOf(daemon, pace, `probe-${shape}-${i}`))
        await sleep(Math.random() * 50)
        progress.step()
      }
      const sentRate = ((pace.sent - before.sent) / (performance.now() - before.atMs)) * 1_000
      const half = await loopDelay(daemon)
      return figureOf(shape, { rate, sentRate, lags, full, half })
    } finally {
      await pace.stop()
    }
  } finally {
    daemon.child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function start(one: { brokers: string; topic: string; directory: string }): Promise<Live> {
  const script = fileURLToPath(new URL(`./live-daemon${extname(import.meta.url)}`, import.meta.url))
  const settings = {
    source: { kafka: { brokers: one.brokers, topic: one.topic, group: one.topic } },
    history: { data_dir: join(one.directory, 'data') },
    // The probe asks more often than a page would.
    http: { listen: `127.0.0.1:${await freePort()}`, reads_per_second: 10_000 },
    telemetry: { listen: `127.0.0.1:${await freePort()}` },
  }
  const child = fork(script, [JSON.stringify(settings)], { execArgv: [], cwd: one.directory })
  const [{ page }] = (await once(child, 'message')) as [{ page: string }]
  return { child, page }
}

/** How long the daemon kept its event loop since it was last asked. */
async function loopDelay({ child }: Live): Promise<LoopDelay> {
  child.send('delay')
  const [delay] = (await once(child, 'message')) as [LoopDelay]
  return delay
}

/** Waits until the daemon has read what is there. @returns its rate behind the lead, in records a second */
async function catchUp(
  daemon: Live,
  { lead, count }: { lead: number; count: number },
): Promise<{ rate: number; delay: LoopDelay }> {
  const reads = async (least: number): Promise<{ records: number; atMs: number }> =>
    waitFor(
      'the daemon to catch up',
      async () => {
        const records = await recordsRead(daemon, count)
        return records >= least ? { records, atMs: performance.now() } : false
      },
      { timeoutMs: 300_000, everyMs: 20 },
    )
  const from = await reads(lead)
  await loopDelay(daemon)
  const to = await reads(count)
  const delay = await loopDelay(daemon)
  return { rate: ((to.records - from.records) / (to.atMs - from.atMs)) * 1_000, delay }
}

/** By what is left of the topic: asking for the metrics would cost the daemon more than a poll may. */
async function recordsRead({ page }: Live, count: number): Promise<number> {
  const answer = await fetch(`${page}/api/v1/status`)
  const { lag_records, series } = (await answer.json()) as { lag_records: number | null; series: number }
  return lag_records === null || series === 0 ? 0 : count - lag_records
}

/** Sends one record of a tenant that was never seen and asks for it until it is there. */
async function lagOf({ page }: Live, pace: Pace, tenant: string): Promise<number> {
  const sentMs = performance.now()
  await pace.probe(tenant)
  for (;;) {
    const answer = await fetch(`${page}/api/v1/live?tenant=${tenant}&limit=1`)
    const { rows } = (await answer.json()) as { rows: readonly unknown[] }
    const lagMs = performance.now() - sentMs
    if (rows.length > 0) return lagMs
    if (lagMs > giveUpMs) throw new Error(`${tenant} does not show after ${Math.round(lagMs)} ms`)
    await sleep(pollMs)
  }
}

function figureOf(
  shape: Shape,
  one: { rate: number; sentRate: number; lags: readonly number[]; full: LoopDelay; half: LoopDelay },
): Figure {
  const { rate, sentRate, lags, full, half } = one
  const p99 = quantile(lags, 0.99)
  const ms = (value: number) => value.toFixed(value < 10 ? 1 : 0)
  return {
    title: `A live record into /api/v1/live, ${shape}`,
    note: `A daemon process with history and the shipped rules, the broker and a producer on one machine; ${lags.length} probes, asked for every ${pollMs} ms.`,
    columns: ['', 'k rec/s', 'lag p50, ms', 'lag p99, ms', 'event loop held, p99 ms', 'longest ms'],
    rows: [
      ['catching up, full load', thousands(rate), '', '', ms(full.p99Ms), ms(full.longestMs)],
      [
        ...['live, half load', thousands(sentRate), ms(quantile(lags, 0.5)), ms(p99)],
        ...[ms(half.p99Ms), ms(half.longestMs)],
      ],
    ],
    data: one,
    measured: [{ goal: 'lag', of: shape, value: p99 }],
  }
}
