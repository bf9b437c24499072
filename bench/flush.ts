import { rmSync } from 'node:fs'
import { join } from 'node:path'
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
import { startCost } from './measure.ts'
import type { Progress } from './progress.ts'

const sizes = [10_000, 50_000]
/** One rollup row in this many carries a refusal, which is also kept as a call of its own. */
const rowsPerRefusal = 16
const seriesPerSlice = 10_000
const apisPerTenant = 50

/** How long a range takes to land in the embedded store: until every table has it on disk. */
export async function flushFigure({ rounds, progress }: { rounds: number; progress: Progress }): Promise<Figure> {
  const directory = tempDir('bench-flush')
  const database = await openEmbedded(join(directory, 'store'))
  try {
    await migrate(database, config.history.retention)
    const history = new History(database, { clock: systemClock, epoch: 0 })
    const samples = sizes.map((rows) => ({ rows, wallMs: [] as number[], cpuMs: [] as number[] }))
    let lo = 0
    for (let round = 0; round <= rounds; round++) {
      for (const sample of samples) {
        const range = rangeOf(sample.rows, lo)
        lo = range.hi + 1
        const ended = startCost()
        await history.land(range)
        const { wallMs, cpuMs } = ended()
        if (round > 0) {
          sample.wallMs.push(wallMs)
          sample.cpuMs.push(cpuMs)
        }
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

function figureOf(samples: readonly { rows: number; wallMs: readonly number[]; cpuMs: readonly number[] }[]): Figure {
  return {
    title: 'Landing a range in the embedded store',
    note: 'One range: rollups of three tiers, its ledger entry and its refused calls, every insert flushed to disk. In brackets the extremes.',
    columns: ['rollup rows', 'refused calls', 'ms wall', 'ms CPU'],
    rows: samples.map(({ rows, wallMs, cpuMs }) => [
      rows.toLocaleString('en'),
      Math.floor(rows / rowsPerRefusal).toLocaleString('en'),
      msText(wallMs),
      msText(cpuMs),
    ]),
    data: samples,
  }
}

/** A range as the pipeline seals it: several slices of the same series. */
function rangeOf(rows: number, lo: number): Range {
  const nowMs = Math.floor(systemClock.now() / sliceMs) * sliceMs
  const rollups = Array.from({ length: rows }, (_, i) => rollupRow(i, nowMs / sliceMs))
  const requests = rollups.reduce((sum, row) => sum + row.requests, 0)
  const refusals = rollups.filter((row) => row.cause !== '')
  return {
    ...{ source: 'bench', lane: 0, lo, hi: lo + requests - 1, configHash: 'bench', rollups, requests },
    ...{ paymentRequired: refusals.length, events: refusals.map((row, i) => refusedCall(row, i, lo)) },
    ...{ deadLetters: [], late: 0, skipped: 0, gap: false, minMs: nowMs - 60_000, maxMs: nowMs },
  }
}

function rollupRow(i: number, newestSlice: number): RollupRow {
  const series = i % seriesPerSlice
  const isCause = i % rowsPerRefusal === rowsPerRefusal - 1
  return {
    slice: newestSlice - Math.floor(i / seriesPerSlice),
    tenant: `tenant-${Math.floor(series / apisPerTenant)}`,
    api: `api-${series % apisPerTenant}`,
    cause: isCause ? (causes[i % causes.length] ?? '') : '',
    requests: isCause ? 0 : 2,
    paymentRequired: isCause ? 1 : 0,
    ...{ n2xx: isCause ? 0 : 2, n4xx: 0, n5xx: 0, late: 0 },
  }
}

function refusedCall({ slice, tenant, api, cause }: RollupRow, i: number, lo: number): RefusedCall {
  return {
    ...{ timeMs: slice * sliceMs + (i % sliceMs), tenant, api, cause: cause === '' ? 'unknown' : cause },
    ...{ causeCode: 'quota_exceeded', causeSource: 'response.headers.x-error-code', kind: 'payment_required' },
    ...{ status: 402, upstreamStatus: 402, method: 'GET', consumer: tenant, plan: '', requestId: `${lo}-${i}` },
    ...{ latencyMs: 12, format: 'kong', offset: lo + i, index: 0 },
  }
}
