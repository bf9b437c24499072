import type { Batch } from '../src/source/source.ts'
import { batchesOf, Feed, type Fetched } from './feed.ts'
import { type Compared, type Figure, measuredRatio, ratesFigure, Sample } from './figures.ts'
import { kafkajsMessages } from './kafkajs-decode.ts'
import { collect, startCost } from './measure.ts'
import { NaiveCounter, requireTally, type Tally } from './naive.ts'
import type { Progress } from './progress.ts'
import { type Codec, codecs } from './record-batch.ts'
import { busyDensity, makeRecords, type Records, type Shape, sparseDensity } from './records.ts'

/** One way to do the work. `prepare` is not measured, `run` is, `tally` says what has been counted since the start. */
interface Variant {
  readonly name: string
  prepare(records: Records): void
  run(): Promise<void>
  tally(): Tally
}

/** Variants of the same work on the same records; the first is what the others are compared with. */
interface Case {
  readonly codec: Codec
  readonly density: number
  readonly variants: readonly Variant[]
}

interface Named {
  readonly name: string
  readonly sample: Sample
}

/** Event time begins here: a full minute, so that every run cuts the same slices. */
const startMs = Date.UTC(2026, 10, 21, 12, 0, 0)
const seed = 402
/**
 * Rounds that are not measured: by then most callers have been met, as in a daemon that runs for longer than a minute.
 */
export const warmUps = 8

/**
 * From record batches in memory to the windows and the range that history would get, beside what one would write by
 * hand with kafkajs. Every round has records of its own and event time runs on from one to the next, so windows slide
 * and ranges are sealed as they are in a running daemon.
 */
export async function bytesFigure(
  shape: Shape,
  { rounds, count, progress }: { rounds: number; count: number; progress: Progress },
): Promise<Figure> {
  const cases = await allCases(shape)
  const samples = cases.map(({ variants }) => variants.map(({ name }) => ({ name, sample: new Sample() })))
  let bytesPerRecord = 0
  for (let round = 1 - warmUps; round <= rounds; round++) {
    for (const density of [busyDensity, sparseDensity]) {
      const span = ((round + warmUps) * count * 1_000) / density
      const records = makeRecords({ shape, count, seed: seed + round, startMs: startMs + span, density })
      bytesPerRecord = records.bytes / count
      for (const [at, one] of cases.entries()) {
        if (one.density === density)
          await measureCase(one, records, round <= 0 ? null : (samples[at] ?? []), round + warmUps)
      }
    }
    progress.step()
  }
  return figureOf(shape, { cases, samples, bytesPerRecord, count })
}

async function measureCase(
  { variants }: Case,
  records: Records,
  samples: readonly Named[] | null,
  round: number,
): Promise<void> {
  const count = records.values.length
  // Another order each round, so that nobody always runs behind the same neighbour.
  for (let i = 0; i < variants.length; i++) {
    const at = (i + round) % variants.length
    const variant = variants[at]
    if (variant === undefined) continue
    const before = variant.tally()
    variant.prepare(records)
    collect()
    const ended = startCost()
    await variant.run()
    samples?.[at]?.sample.add(count, ended())
    const after = variant.tally()
    const counted = { requests: after.requests - before.requests, refused: after.refused - before.refused }
    requireTally(variant.name, counted, { requests: count, refused: records.refused })
  }
}

export async function allCases(shape: Shape): Promise<readonly Case[]> {
  const cases: Case[] = []
  for (const codec of codecs) {
    const variants = [handVariant(shape, codec), daemonVariant(await Feed.open(), codec)]
    if (codec === 'none') variants.push(valuesVariant(await Feed.open()))
    cases.push({ codec, density: busyDensity, variants })
  }
  const sparse = [handVariant(shape, 'none'), daemonVariant(await Feed.open(), 'none')]
  return [...cases, { codec: 'none', density: sparseDensity, variants: sparse }]
}

function handVariant(shape: Shape, codec: Codec): Variant {
  const counter = new NaiveCounter(shape)
  let batches: readonly Fetched[] = []
  return {
    name: 'kafkajs decode + JSON.parse + Map',
    prepare(records) {
      batches = batchesOf(records, { codec, base: 0 })
    },
    async run() {
      for (const { bytes } of batches) {
        for (const { value } of await kafkajsMessages(bytes)) if (value !== null) counter.take(value)
      }
    },
    tally: () => counter.tally(),
  }
}

function daemonVariant(feed: Feed, codec: Codec): Variant {
  let batches: readonly Fetched[] = []
  return {
    name: 'Tollwatch',
    prepare(records) {
      batches = feed.batches(records, codec)
    },
    run: () => feed.take(batches),
    tally: () => feed.tally(),
  }
}

/** What records cost that come one by one: the general decoder, unless the daemon knows better. */
function valuesVariant(feed: Feed): Variant {
  let batches: readonly Batch[] = []
  return {
    name: 'Tollwatch, values one by one',
    prepare(records) {
      batches = feed.values(records)
    },
    run: () => feed.takeValues(batches),
    tally: () => feed.tally(),
  }
}

function figureOf(
  shape: Shape,
  made: { cases: readonly Case[]; samples: readonly (readonly Named[])[]; bytesPerRecord: number; count: number },
): Figure {
  const { cases, samples, bytesPerRecord, count } = made
  const variants: Compared[] = []
  const measured = cases.flatMap(({ codec, density }, at) => {
    const [base, own, ...others] = samples[at] ?? []
    if (base === undefined || own === undefined) return []
    const suffix = nameOf(codec, density)
    variants.push({ name: `${base.name}${suffix}`, rates: base.sample })
    for (const one of [own, ...others])
      variants.push({ name: `${one.name}${suffix}`, rates: one.sample, base: base.sample })
    if (density !== busyDensity) return []
    return [measuredRatio('bytes', `${shape}${suffix}`, own.sample.perCpuSecond, base.sample.perCpuSecond)]
  })
  return ratesFigure({
    title: `Batch bytes to counters, ${shape} (${Math.round(bytesPerRecord)} B a record)`,
    note: `${count.toLocaleString('en')} records a round in record batches of 1,000, one thread, ${busyDensity.toLocaleString('en')} records a second of event time unless said. In brackets the extremes.`,
    ...{ variants, bytesPerRecord, measured },
  })
}

function nameOf(codec: Codec, density: number): string {
  if (density !== busyDensity) return `, ${density.toLocaleString('en')}/s of event time`
  return codec === 'none' ? '' : `, ${codec}`
}
