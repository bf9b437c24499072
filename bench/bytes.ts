import { createDecoder } from '../src/decode/create.ts'
import type { Decoder } from '../src/decode/decode.ts'
import type { Batch } from '../src/source/source.ts'
import { config, Feed } from './daemon.ts'
import { type Figure, type Rates, ratesFigure } from './figures.ts'
import { collect, startCost } from './measure.ts'
import { NaiveCounter, parseOnly, type Tally } from './naive.ts'
import type { Progress } from './progress.ts'
import { makeRecords, type Records, recordsPerSecond, type Shape } from './records.ts'

/** One way to do the work. `prepare` is not measured, `run` is, `tally` says what has been counted since the start. */
interface Variant {
  readonly name: string
  prepare(records: Records): void
  run(records: Records): void | Promise<void>
  /** Null where the variant counts no refusals. */
  tally(): Tally | null
}

const parseName = 'JSON.parse alone'
const naiveName = 'JSON.parse + Map'
/** Event time begins here: a full minute, so that every run cuts the same slices. */
const startMs = Date.UTC(2026, 10, 21, 12, 0, 0)
const seed = 402

/**
 * From the bytes of a record to the windows and the range that history would get, beside what cannot be beaten
 * (`JSON.parse` alone) and what one would write by hand. Every round has records of its own and event time runs on from
 * one to the next, so windows slide and ranges are sealed as they are in a running daemon.
 */
export async function bytesFigure(
  shape: Shape,
  { rounds, count, progress }: { rounds: number; count: number; progress: Progress },
): Promise<Figure> {
  const variants = await allVariants(shape)
  const samples = variants.map(({ name }) => ({ name, perCpuSecond: [] as number[], perSecond: [] as number[] }))
  const truth = { requests: 0, refused: 0 }
  let bytesPerRecord = 0
  // Round 0 warms up.
  for (let round = 0; round <= rounds; round++) {
    const options = { shape, count, seed: seed + round, startMs: startMs + (round * count * 1_000) / recordsPerSecond }
    const records = makeRecords(options)
    bytesPerRecord = records.bytes / count
    truth.requests += count
    truth.refused += records.refused
    // Another order each round, so that nobody always runs behind the same neighbour.
    for (let i = 0; i < variants.length; i++) {
      const at = (i + round) % variants.length
      const variant = variants[at]
      const sample = samples[at]
      if (variant === undefined || sample === undefined) continue
      const { perCpuSecond, perSecond } = await measured(variant, records)
      agree(variant, truth)
      if (round === 0) continue
      sample.perCpuSecond.push(perCpuSecond)
      sample.perSecond.push(perSecond)
    }
    progress.step()
  }
  return figureOf(shape, samples, bytesPerRecord, count)
}

async function measured(variant: Variant, records: Records): Promise<{ perCpuSecond: number; perSecond: number }> {
  variant.prepare(records)
  collect()
  const ended = startCost()
  await variant.run(records)
  const { cpuMs, wallMs } = ended()
  const count = records.values.length
  return { perCpuSecond: (count / cpuMs) * 1_000, perSecond: (count / wallMs) * 1_000 }
}

function agree(variant: Variant, truth: Tally): void {
  const tally = variant.tally()
  if (tally === null) return
  if (tally.requests !== truth.requests || tally.refused !== truth.refused) {
    throw new Error(
      `${variant.name} counted ${tally.requests} requests and ${tally.refused} refusals instead of ${truth.requests} and ${truth.refused}`,
    )
  }
}

export async function allVariants(shape: Shape): Promise<readonly Variant[]> {
  return [parseVariant(), naiveVariant(shape), decoderVariant(), pipelineVariant(await Feed.open())]
}

function parseVariant(): Variant {
  return {
    name: parseName,
    prepare() {},
    run: ({ values }) => void parseOnly(values),
    tally: () => null,
  }
}

function naiveVariant(shape: Shape): Variant {
  const counter = new NaiveCounter(shape)
  return {
    name: naiveName,
    prepare() {},
    run({ values }) {
      for (const value of values) counter.take(value)
    },
    tally: () => counter.tally(),
  }
}

function decoderVariant(): Variant {
  const decoder: Decoder = createDecoder(config.decode)
  const tally = { requests: 0, refused: 0 }
  return {
    name: 'Tollwatch decoder alone',
    prepare() {},
    run({ values }) {
      for (const value of values) {
        for (const entry of decoder.decode(value)) {
          if (entry.kind !== 'record') continue
          tally.requests++
          if (entry.record.status === 402) tally.refused++
        }
      }
    },
    tally: () => tally,
  }
}

function pipelineVariant(feed: Feed): Variant {
  let batches: readonly Batch[] = []
  return {
    name: 'Tollwatch, bytes to windows',
    prepare(records) {
      batches = feed.batches(records)
    },
    run: () => feed.take(batches),
    tally: () => feed.tally(),
  }
}

function figureOf(shape: Shape, rates: readonly Rates[], bytesPerRecord: number, count: number): Figure {
  return ratesFigure({
    title: `Bytes to windows, ${shape} (${Math.round(bytesPerRecord)} B a record)`,
    note: `${count.toLocaleString('en')} records a round, one thread. Ratios in CPU time, above 1 is faster; in brackets the extremes.`,
    rates,
    bases: [parseName, naiveName],
    bytesPerRecord,
  })
}
