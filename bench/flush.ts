import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { causes } from '../src/classify/cause.ts'
import { openEmbedded } from '../src/history/database.ts'
import { History } from '../src/history/history.ts'
import { migrate } from '../src/history/migrate.ts'
import type { Range, RefusedCall, RollupRow } from '../src/history/range.ts'
import { systemClock } from '../src/time/clock.ts'
import { sliceMs } from '../src/window/view.ts'
import { tempDir } from '../test/support/run-context.ts'
import { config } from './daemon.ts'
import { type Figure, msText } from './figures.ts'
import { collect, startCost } from './measure.ts'
import type { Progress } from './progress.ts'

/** The last two are what 100,000 records a second of event time make, 3 % of them refused. */
const sizes = [
  { rows: 10_000, calls: 625 },
  { rows: 50_000, calls: 3_125 },
  { rows: 31_000, calls: 19_000 },
  { rows: 124_000, calls: 76_000 },
]
/** One rollup row in this many carries refusals, which are also kept as calls of their own. */
const rowsPerRefusal = 16
const seriesPerSlice = 10_000
const apisPerTenant = 50

interface Sample {
  readonly rows: number
  readonly calls: number
  readonly wallMs: number[]
  readonly cpuMs: number[]
  readonly mainMs: number[]
  readonly blockMs: number[]
}

/** How long a range takes to land in the embedded store: until every table has it on disk. */
export async function flushFigure({ rounds, progress }: { rounds: number; progress: Progress }): Promise<Figure> {
  const directory = tempDir('bench-flush')
  const database = await openEmbedded(join(directory, 'store'))
  try {
    await migrate(database, config.history.retention)
    const history = new History(database, { clock: systemClock, epoch: 0 })
    const samples = sizes.map((size): Sample => ({ ...size, wallMs: [], cpuMs: [], mainMs: [], blockMs: [] }))
    let lo = 0
    for (let round = 0; round <= rounds; round++) {
      for (const sample of samples) {
        const range = rangeOf(sample, lo)
        lo = range.hi + 1
        await measure(history, range, round > 0 ? sample : null)
      }
      progress.step()
    }
    const { problems } = await history.verify()
    if (problems.length > 0) throw new Error(`history is not in order: ${problems.join('; ')}`)
    return figureOf(samples)
  } finally {
    await database.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(history: History, range: Range, sample: Sample | null): Promise<void> {
  collect()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const main = mainThreadMs()
  const ended = startCost()
  await history.land(range)
  const { wallMs, cpuMs } = ended()
  delay.disable()
  sample?.wallMs.push(wallMs)
  sample?.cpuMs.push(cpuMs)
  sample?.mainMs.push(mainThreadMs() - main)
  sample?.blockMs.push(delay.max / 1e6)
}

/** CPU time of this thread so far; NaN where the system does not tell it. */
function mainThreadMs(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return Number.NaN
  }
}

function figureOf(samples: readonly Sample[]): Figure {
  return {
    title: 'Landing a range in the embedded store',
    note: 'One range: rollups of three tiers, its ledger entry and its refused calls, every insert flushed to disk. The main thread is the one that decodes and serves; its longest block is the longest that nothing else could run there. In brackets the extremes.',
    columns: ['rollup rows', 'refused calls', 'ms wall', 'ms CPU', 'of it main thread', 'longest block'],
    rows: samples.map(({ rows, calls, wallMs, cpuMs, mainMs, blockMs }) => [
      ...[rows.toLocaleString('en'), calls.toLocaleString('en'), msText(wallMs), msText(cpuMs)],
      ...[msText(mainMs), msText(blockMs)],
    ]),
    data: samples,
  }
}

/** A range as the pipeline seals it: several slices of the same series. */
function rangeOf({ rows, calls }: { rows: number; calls: number }, lo: number): Range {
  const nowMs = Math.floor(systemClock.now() / sliceMs) * sliceMs
  const refusing = Math.floor(rows / rowsPerRefusal)
  const rollups = Array.from({ length: rows }, (_, i) => {
    const place = Math.floor(i / rowsPerRefusal)
    const refused = isRefusal(i) ? Math.ceil((calls - place) / refusing) : 0
    return rollupRow(i, nowMs / sliceMs, refused)
  })
  const requests = rollups.reduce((sum, row) => sum + row.requests, 0)
  const refusals = rollups.filter((_, i) => isRefusal(i))
  const events = Array.from({ length: calls }, (_, i) => refusedCall(refusals[i % refusals.length], i, lo))
  return {
    ...{ source: 'bench', lane: 0, lo, hi: lo + Math.max(requests, calls) - 1, configHash: 'bench', rollups, requests },
    ...{ paymentRequired: calls, events, deadLetters: [], late: 0, skipped: 0, gap: false },
    ...{ minMs: nowMs - 60_000, maxMs: nowMs },
  }
}

function isRefusal(i: number): boolean {
  return i % rowsPerRefusal === rowsPerRefusal - 1
}

function rollupRow(i: number, newestSlice: number, refused: number): RollupRow {
  const series = i % seriesPerSlice
  const requests = isRefusal(i) ? 0 : 2
  return {
    slice: newestSlice - Math.floor(i / seriesPerSlice),
    tenant: `tenant-${Math.floor(series / apisPerTenant)}`,
    api: `api-${series % apisPerTenant}`,
    cause: isRefusal(i) ? (causes[i % causes.length] ?? '') : '',
    requests,
    paymentRequired: refused,
    n2xx: requests,
    n4xx: 0,
    n5xx: 0,
    late: 0,
  }
}

// One plain literal: a call put together from several costs thirty times as much, and is slower to read ever after.
function refusedCall(row: RollupRow | undefined, i: number, lo: number): RefusedCall {
  const { slice, tenant, api, cause } = row ?? rollupRow(0, 0, 0)
  return {
    timeMs: slice * sliceMs + (i % sliceMs),
    tenant,
    api,
    cause: cause === '' ? 'unknown' : cause,
    causeCode: 'quota_exceeded',
    causeSource: 'response.headers.x-error-code',
    kind: 'payment_required',
    status: 402,
    upstreamStatus: 402,
    method: 'GET',
    consumer: tenant,
    plan: '',
    requestId: `${lo}-${i}`,
    latencyMs: 12,
    format: 'kong',
    offset: lo + i,
    index: 0,
  }
}
