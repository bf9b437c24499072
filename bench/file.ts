import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { tempDir } from '../test/support/run-context.ts'
import { type Figure, measuredRatio, ratesFigure, Sample } from './figures.ts'
import { requireTally } from './naive.ts'
import { openPeer, type PeerName, type PeerProcess, peerNames } from './peer-process.ts'
import type { Progress } from './progress.ts'
import { makeRecords, type Shape } from './records.ts'

const chunkRecords = 50_000
const startMs = Date.UTC(2026, 5, 21, 12, 0, 0)

const titles: Readonly<Record<PeerName, string>> = {
  tollwatch: 'Tollwatch',
  hand: 'readline + JSON.parse + Map',
  chdb: 'chDB, 1 thread',
  duckdb: 'DuckDB, 1 thread',
}

interface Runner {
  readonly name: PeerName
  readonly process: PeerProcess
  readonly sample: Sample
}

/**
 * Requests and refusals of a file by tenant, API and cause, against the engines that people ask such questions today. All
 * answers are compared in full before anything is timed. Tollwatch reads times too, and moves its windows.
 */
export async function fileFigure(
  shape: Shape,
  { rounds, count, progress }: { rounds: number; count: number; progress: Progress },
): Promise<Figure> {
  const directory = tempDir('bench-file')
  const file = join(directory, `${shape}.ndjson`)
  const runners: Runner[] = []
  try {
    const { bytes, refused } = writeFile(file, shape, count)
    for (const peer of peerNames) {
      runners.push({ name: peer, process: openPeer({ peer, shape, file }), sample: new Sample() })
    }
    await compareAnswers(runners)
    progress.step()
    for (let round = 0; round <= rounds; round++) {
      for (let i = 0; i < runners.length; i++) {
        const runner = runners[(i + round) % runners.length]
        if (runner === undefined) continue
        const { cost, tally } = await runner.process.ask('run', null)
        requireTally(titles[runner.name], tally, { requests: count, refused })
        if (round > 0) runner.sample.add(count, cost)
      }
      progress.step()
    }
    return figureOf(shape, { runners, count, bytes })
  } finally {
    for (const { process } of runners) process.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** @returns the size of what was written without its newlines, and how many records are refusals */
function writeFile(file: string, shape: Shape, count: number): { bytes: number; refused: number } {
  let bytes = 0
  let refused = 0
  for (let from = 0; from < count; from += chunkRecords) {
    const part = Math.min(chunkRecords, count - from)
    const records = makeRecords({ shape, count: part, seed: 402 + from, startMs: startMs + from / 100 })
    appendFileSync(file, `${records.values.join('\n')}\n`)
    bytes += records.bytes
    refused += records.refused
  }
  return { bytes, refused }
}

async function compareAnswers(runners: readonly Runner[]): Promise<void> {
  const [own, ...others] = runners
  const counts = await own?.process.ask('counts', null)
  for (const { name, process } of others) {
    if (!isDeepStrictEqual(counts, await process.ask('counts', null)))
      throw new Error(`${titles[name]} has another answer than ours`)
  }
}

function figureOf(
  shape: Shape,
  { runners, count, bytes }: { runners: readonly Runner[]; count: number; bytes: number },
): Figure {
  const sampleOf = (name: PeerName): Sample => runners.find((one) => one.name === name)?.sample ?? new Sample()
  const [own, chdb, duckdb] = [sampleOf('tollwatch'), sampleOf('chdb'), sampleOf('duckdb')]
  return ratesFigure({
    title: `NDJSON file to counts by tenant, API and cause, ${shape} (${Math.round(bytes / count)} B a record)`,
    note: `${count.toLocaleString('en')} records; each in a process of its own, all with the same answer. Ratios to chDB. In brackets the extremes.`,
    variants: runners.map(({ name, sample }) => {
      return { name: titles[name], rates: sample, ...(name === 'chdb' ? {} : { base: chdb }) }
    }),
    bytesPerRecord: bytes / count,
    measured: [
      measuredRatio('chdb', shape, own.perCpuSecond, chdb.perCpuSecond),
      measuredRatio('duckdb', shape, own.perCpuSecond, duckdb.perCpuSecond),
    ],
  })
}
