import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { tempDir } from '../test/support/run-context.ts'
import type { BytesDeeds, BytesOrders } from './bytes-peer.ts'
import { type Case, cases, type VariantName, variantNames } from './bytes-variants.ts'
import { type Compared, type Figure, measuredRatio, ratesFigure, Sample } from './figures.ts'
import { OwnProcess } from './own-process.ts'
import type { Progress } from './progress.ts'
import { makeSets, type RecordSets } from './record-sets.ts'
import { busyDensity, type Shape } from './records.ts'

/*
 * From record batches in memory to the windows and the range that history would get, beside what one would write by
 * hand with kafkajs: what it costs a daemon that has run for a minute. So each variant has a process of its own, as V8
 * compiles for all who share one and collects the rubbish of all, on threads that count as CPU time. And each counts one
 * and a half million records before anything is measured, or what it can in 12 s, as V8 still compiles after 400,000.
 * Event time runs on from one round to the next, so windows slide and ranges are sealed as they are in a running daemon.
 */

/** How much is counted. */
export interface BytesSizes {
  /** Sets of records that are made and then used in turn, with later event times, and how many records each has. */
  readonly sets: number
  readonly size: number
  /** Rounds of one set each before anything is measured. */
  readonly warmUps: number
  /** How many sets make a round that is measured. */
  readonly setsARound: number
}

interface Runner {
  readonly name: VariantName
  readonly process: OwnProcess<BytesDeeds>
  readonly sample: Sample
}

/** A case with those who are measured in it, in the order of its variants. */
interface Running extends Case {
  readonly runners: readonly Runner[]
}

/** Slow variants reach it. The hand-written one has been as fast as it gets since its second round. */
const longestWarmUpMs = 12_000

/** Making the records, warming up each variant, and then the rounds. */
export const stepsBefore = 1 + cases.reduce((sum, { variants }) => sum + variants.length, 0)

export async function bytesFigure(
  shape: Shape,
  { rounds, sizes, progress }: { rounds: number; sizes: BytesSizes; progress: Progress },
): Promise<Figure> {
  const directory = tempDir('bench-bytes')
  const running: Running[] = []
  try {
    const records = makeSets({ shape, directory, ...sizes })
    progress.step()
    for (const one of cases) running.push({ ...one, runners: one.variants.map((name) => open(name, one, records)) })
    await warmUp(running, sizes.warmUps, progress)
    for (let round = 0; round < rounds; round++) {
      for (const { runners } of running) await measureRound(runners, round, sizes)
      progress.step()
    }
    return figureOf(shape, { running, bytesPerRecord: records.bytesPerRecord, count: sizes.size * sizes.setsARound })
  } finally {
    for (const { runners } of running) for (const { process } of runners) process.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

function open(name: VariantName, { codec, density }: Case, records: RecordSets): Runner {
  const orders: BytesOrders = { variant: name, codec, density, records }
  return { name, process: new OwnProcess(variantNames[name], 'bytes-peer', orders), sample: new Sample() }
}

/** As many at once as there are processors: nothing is measured yet. */
async function warmUp(running: readonly Running[], rounds: number, progress: Progress): Promise<void> {
  const all = running.flatMap(({ runners }) => runners)
  // The slow ones first, so that nobody is waited for in the end.
  const waiting = [...all.filter(({ name }) => name === 'hand'), ...all.filter(({ name }) => name !== 'hand')]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await next.process.ask('warmUp', { rounds, longestMs: longestWarmUpMs })
      progress.step()
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

async function measureRound(
  runners: readonly Runner[],
  round: number,
  { size, warmUps, setsARound: sets }: BytesSizes,
): Promise<void> {
  // Another order each round, so that nobody always runs behind the same neighbour.
  for (let i = 0; i < runners.length; i++) {
    const runner = runners[(i + round) % runners.length]
    const cost = await runner?.process.ask('run', { from: warmUps + round * sets, sets })
    if (cost !== undefined) runner?.sample.add(size * sets, cost)
  }
}

function figureOf(shape: Shape, made: { running: readonly Running[]; bytesPerRecord: number; count: number }): Figure {
  const { running, bytesPerRecord, count } = made
  const variants: Compared[] = []
  const measured = running.flatMap(({ runners, ...one }) => {
    const [base, own, ...others] = runners
    if (base === undefined || own === undefined) return []
    const suffix = suffixOf(one)
    variants.push({ name: `${variantNames[base.name]}${suffix}`, rates: base.sample })
    for (const { name, sample } of [own, ...others])
      variants.push({ name: `${variantNames[name]}${suffix}`, rates: sample, base: base.sample })
    if (one.density !== busyDensity) return []
    return [measuredRatio('bytes', `${shape}${suffix}`, own.sample.perCpuSecond, base.sample.perCpuSecond)]
  })
  return ratesFigure({
    title: `Batch bytes to counters, ${shape} (${Math.round(bytesPerRecord)} B a record)`,
    note: `${count.toLocaleString('en')} records a round in record batches of 1,000; each in a process of its own that has run for a while, one thread, ${busyDensity.toLocaleString('en')} records a second of event time unless said. In brackets the extremes.`,
    ...{ variants, bytesPerRecord, measured },
  })
}

function suffixOf({ codec, density }: Case): string {
  if (density !== busyDensity) return `, ${density.toLocaleString('en')}/s of event time`
  return codec === 'none' ? '' : `, ${codec}`
}
