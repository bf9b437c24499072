import { kindOf } from '../../../src/classify/watch.ts'
import { type Engine, outcome } from '../../../src/core/engine.ts'
import { PlainEngine } from '../../../src/core/plain-engine.ts'
import type { Recogniser } from '../../../src/core/recogniser.ts'
import { Recognisers } from '../../../src/core/recognisers.ts'
import { wasmEngine } from '../../../src/core/wasm-engine.ts'
import type { Decoded, Decoder } from '../../../src/decode/decode.ts'
import { isUnreadable, unpacked } from '../../../src/source/packed.ts'
import type { Packed } from '../../../src/source/source.ts'
import type { FuzzCase } from './cases.ts'
import { type Entry, packedLines, packedRecords } from './packing.ts'
import { Difference, TwinEngine } from './twin-engine.ts'
import { engineOptionsOf, World, type WorldOptions } from './world.ts'

/** Values for one lane, in the chunks in which they come. */
export interface Round {
  readonly one: FuzzCase
  readonly options: WorldOptions
  readonly framing: 'lines' | 'records'
  readonly chunks: readonly Chunk[]
}

export interface Chunk {
  readonly entries: readonly Entry[]
  /** How many of the values are left for a second try, and how many were not asked for. */
  readonly heldBack: number
  readonly notAsked: number
}

export interface Mismatch {
  readonly text: string
  /** The value, where one is to blame. */
  readonly value: Uint8Array | null
}

export interface RoundResult {
  readonly mismatch: Mismatch | null
  readonly values: number
  /** Of them, how many came to nothing but the core. */
  readonly recognised: number
}

/** What the general decoder made of one value. */
interface Truth {
  readonly state: string
  readonly entries: readonly Decoded[]
}

export type MakeEngine = (one: FuzzCase) => Engine

/** The core in use and its specification, in step. */
export const twins: MakeEngine = (one) => {
  const options = engineOptionsOf(one)
  const core = wasmEngine(options)
  if (core === null) throw new Error('there is no core to compare: npm run build makes it')
  return new TwinEngine(core, new PlainEngine(options))
}

/**
 * Reads the values of a round twice, value by value with the general decoder alone and packed with the core, and compares
 * all that comes of them: each outcome of the core, and what reaches ranges, windows and totals.
 */
export function checked(round: Round, make: MakeEngine = twins): RoundResult {
  const plain = new World(round.one, round.options, null)
  const recognisers = new WatchedRecognisers(round.one, make)
  const packed = new World(round.one, round.options, recognisers)
  let values = 0
  const result = (mismatch: Mismatch | null): RoundResult => ({ mismatch, values, recognised: values - packed.decoded })
  let offset = 0
  for (const chunk of round.chunks) {
    const { input, last, next } = packedChunk(round, chunk, offset)
    offset = next
    for (const until of chunk.heldBack > 0 ? [last, Number.POSITIVE_INFINITY] : [Number.POSITIVE_INFINITY]) {
      const truths = decoded(plain, input, until)
      values += truths.size
      const mismatch = recognised(packed, { recognisers, input, until, truths })
      if (mismatch !== null) return result(mismatch)
      for (const world of [plain, packed]) world.advance()
      const [expected, found] = [plain.state(), packed.state()]
      if (expected !== found) return result({ text: `after a chunk: ${differing(expected, found)}`, value: null })
    }
  }
  const [expected, found] = [plain.end(), packed.end()]
  if (expected !== found) return result({ text: `at the end: ${differing(expected, found)}`, value: null })
  return result(null)
}

function packedChunk(
  { framing }: Round,
  { entries, heldBack, notAsked }: Chunk,
  offset: number,
): { input: Packed; last: number; next: number } {
  const made = framing === 'lines' ? packedLines(entries, offset) : packedRecords(entries, offset, notAsked)
  const offsets = made.offsets
  return { input: made.packed, last: offsets[offsets.length - 1 - heldBack] ?? offset - 1, next: made.next }
}

/** The general decoder's way, value by value. */
function decoded(world: World, input: Packed, last: number): Map<number, Truth> {
  const truths = new Map<number, Truth>()
  const values = unpacked(input)
  if (isUnreadable(values)) return truths
  const context = world.context(last)
  for (const value of values) {
    if (value.offset < world.lane.builder.next) continue
    if (value.offset > last) break
    const { state } = world.lane.decoder
    truths.set(value.offset, { state, entries: world.intake.take(world.lane, value, context) })
    world.lane.builder.next = value.offset + 1
    context.taken()
  }
  return truths
}

/** The core's way, with a look at each of its outcomes. */
function recognised(
  world: World,
  of: { recognisers: WatchedRecognisers; input: Packed; until: number; truths: ReadonlyMap<number, Truth> },
): Mismatch | null {
  const { recognisers, input, until, truths } = of
  let wrong: Mismatch | null = null
  let engine: Engine | null = null
  recognisers.onUse = (recogniser, decoder) => {
    engine = recogniser.engine
    if (!(recogniser.engine instanceof TwinEngine)) return
    recogniser.engine.onOutcome = (i) => {
      wrong ??= outcomeOf(recogniser, i, { world, decoder, truth: truths.get(recogniser.engine.offsets[i] ?? -1) })
    }
  }
  try {
    world.packed.take(world.lane, input, world.context(until))
  } catch (error) {
    if (!(error instanceof Difference)) throw error
    return {
      text: error.message,
      value: error.value < 0 ? null : ((engine as Engine | null)?.value(error.value) ?? null),
    }
  }
  return wrong
}

/** Whether the general decoder says of a value what the core says. */
function outcomeOf(
  recogniser: Recogniser,
  i: number,
  { world, decoder, truth }: { world: World; decoder: Decoder; truth: Truth | undefined },
): Mismatch | null {
  const { engine } = recogniser
  const found = engine.outcomes[i] ?? outcome.general
  // Only what is read in the same state of the lane is comparable.
  if (truth === undefined || truth.state !== decoder.state || (found < 0 && found !== outcome.skipped)) return null
  const wrong = (said: object): Mismatch => ({
    text: `the core says ${JSON.stringify(said)}, the decoder ${JSON.stringify(truth.entries.map(outlineOf))}`,
    value: engine.value(i),
  })
  const [entry] = truth.entries
  if (found === outcome.skipped)
    return truth.entries.length === 1 && entry?.kind === 'skipped' ? null : wrong({ kind: 'skipped' })
  const names = recogniser.namesOf(found, decoder)
  // Read by the decoder after all.
  if (names === null || names === undefined) return null
  const said = {
    kind: 'record',
    status: engine.statuses[i],
    timeMs: engine.times[i],
    tenant: names.tenant,
    api: names.api,
  }
  if (truth.entries.length !== 1 || entry?.kind !== 'record') return wrong(said)
  const { record } = entry
  const isSame =
    record.status === said.status &&
    (record.timeMs ?? 0) === said.timeMs &&
    record.tenant === said.tenant &&
    record.api === said.api &&
    world.reading.judge(record) === null
  return isSame ? null : wrong(said)
}

function outlineOf(entry: Decoded): object {
  if (entry.kind !== 'record') return entry
  const { status, timeMs, tenant, api, upstreamStatus, upstreamRefused } = entry.record
  return { kind: 'record', status, timeMs, tenant, api, upstreamStatus, upstreamRefused }
}

/** Tells which recogniser is asked for. */
class WatchedRecognisers extends Recognisers {
  onUse: (recogniser: Recogniser, decoder: Decoder) => void = () => {}

  constructor(one: FuzzCase, make: MakeEngine) {
    const isSpecial = (record: Parameters<typeof kindOf>[0]) => kindOf(record, one.classify) !== null
    super({ ...engineOptionsOf(one), isSpecial, makeEngine: () => make(one) })
  }

  override of(decoder: Decoder, format: string | null): Recogniser | null {
    const recogniser = super.of(decoder, format)
    if (recogniser !== null) this.onUse(recogniser, decoder)
    return recogniser
  }
}

function differing(expected: string, found: string): string {
  let at = 0
  while (at < expected.length && expected[at] === found[at]) at++
  const from = Math.max(0, at - 200)
  return `expected ...${expected.slice(from, at + 200)}... found ...${found.slice(from, at + 200)}...`
}
