import type { Batch } from '../src/source/source.ts'
import { batchesOf, Feed, type Fetched, type Timed } from './feed.ts'
import { kafkajsMessages } from './kafkajs-decode.ts'
import { NaiveCounter, type Tally } from './naive.ts'
import { type Codec, codecs } from './record-batch.ts'
import { busyDensity, type Shape, sparseDensity } from './records.ts'

/** Who counts the same record batches: what one would write by hand with kafkajs, and ours in two ways. */
export const variantNames = {
  hand: 'kafkajs decode + JSON.parse + Map',
  daemon: 'Tollwatch',
  values: 'Tollwatch, values one by one',
} as const

export type VariantName = keyof typeof variantNames

/** Variants of the same work on the same records; the first is what the others are compared with. */
export interface Case {
  readonly codec: Codec
  readonly density: number
  readonly variants: readonly VariantName[]
}

export const cases: readonly Case[] = [
  ...codecs.map((codec): Case => {
    return {
      codec,
      density: busyDensity,
      variants: ['hand', 'daemon', ...(codec === 'none' ? ['values' as const] : [])],
    }
  }),
  { codec: 'none', density: sparseDensity, variants: ['hand', 'daemon'] },
]

/** One way to do the work. `prepare` is not measured, `run` is; what it counted is what it added to the tally. */
export interface Variant {
  prepare(records: Timed): void
  run(): Promise<void>
  tally(): Tally
}

export async function openVariant(
  name: VariantName,
  { shape, codec }: { shape: Shape; codec: Codec },
): Promise<Variant> {
  if (name === 'hand') return handVariant(shape, codec)
  const feed = await Feed.open()
  return name === 'daemon' ? daemonVariant(feed, codec) : valuesVariant(feed)
}

/** How much event time the naive counter keeps. */
const keptMs = 300_000

/**
 * The naive counter keeps every bucket for ever and gets slower with each, so a long warm-up would be to its harm. It
 * forgets what is old, which it could not do for nothing, between the rounds and so for nothing.
 */
function handVariant(shape: Shape, codec: Codec): Variant {
  const counter = new NaiveCounter(shape)
  let batches: readonly Fetched[] = []
  return {
    prepare(records) {
      counter.forgetBefore((records.timesMs[0] ?? 0) - keptMs)
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
    prepare(records) {
      batches = feed.values(records)
    },
    run: () => feed.takeValues(batches),
    tally: () => feed.tally(),
  }
}
