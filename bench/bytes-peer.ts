import { openVariant, type Variant, type VariantName, variantNames } from './bytes-variants.ts'
import { type Cost, collectYoung, startCost } from './measure.ts'
import { requireTally, type Tally } from './naive.ts'
import { serve } from './own-process.ts'
import type { Codec } from './record-batch.ts'
import { type RecordSets, SetReader, type Stretch } from './record-sets.ts'

/* One of those who count the same record batches, in a process of its own. */

export interface BytesOrders {
  readonly variant: VariantName
  readonly codec: Codec
  readonly density: number
  readonly records: RecordSets
}

/** What such a process does when it is told to. What it has counted is compared with the truth each time. */
export interface BytesDeeds {
  /** Rounds of one set each that are not measured: so many, or as many as fit in the time. */
  warmUp(wish: { readonly rounds: number; readonly longestMs: number }): Promise<null>
  run(stretch: Stretch): Promise<Cost>
}

/** Event time begins here: a full minute, so that every process cuts the same slices. */
const startMs = Date.UTC(2026, 10, 21, 12, 0, 0)

async function main({ variant: name, codec, density, records }: BytesOrders): Promise<void> {
  const variant = await openVariant(name, { shape: records.shape, codec })
  const reader = new SetReader(records, { startMs, density })
  const run = async (stretch: Stretch): Promise<Cost> => {
    const truth = prepare(variant, reader, stretch)
    const before = variant.tally()
    collectYoung()
    const ended = startCost()
    await variant.run()
    const cost = ended()
    const after = variant.tally()
    const counted = { requests: after.requests - before.requests, refused: after.refused - before.refused }
    requireTally(variantNames[name], counted, truth)
    return cost
  }
  const warmUp: BytesDeeds['warmUp'] = async ({ rounds, longestMs }) => {
    const began = performance.now()
    for (let from = 0; from < rounds && performance.now() - began < longestMs; from++) await run({ from, sets: 1 })
    return null
  }
  serve<BytesDeeds>({ warmUp, run })
}

/**
 * The records themselves are let go of: only what is made of them is there when the work begins.
 *
 * @returns what there is to count
 */
function prepare(variant: Variant, reader: SetReader, stretch: Stretch): Tally {
  const { refused, ...timed } = reader.read(stretch)
  variant.prepare(timed)
  return { requests: timed.values.length, refused }
}

await main(JSON.parse(process.argv[2] ?? '') as BytesOrders)
