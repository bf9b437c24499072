import { PlainEngine } from '../../../src/core/plain-engine.ts'
import { wasmEngine } from '../../../src/core/wasm-engine.ts'
import { isUnreadable, unpacked } from '../../../src/source/packed.ts'
import type { Packed } from '../../../src/source/source.ts'
import type { FuzzCase } from './cases.ts'
import { type Entry, packedLines, packedRecords } from './packing.ts'
import { differenceBetween } from './snapshot.ts'
import { Truths } from './truths.ts'
import { Difference, TwinEngine } from './twin-engine.ts'
import { type MakeEngine, WatchedRecognisers } from './watched-recognisers.ts'
import { engineOptionsOf, World, type WorldOptions } from './world.ts'
import { type Mismatch, outcomeOf } from './wrong-outcome.ts'

/** Values for one lane, in the chunks in which they come. */
export interface Round {
  readonly one: FuzzCase
  readonly options: WorldOptions
  readonly framing: 'lines' | 'records'
  /** Whether the core's specification reads everything too, and nothing is taken from what the decoder said before. */
  readonly isThorough: boolean
  readonly chunks: readonly Chunk[]
}

export interface Chunk {
  readonly entries: readonly Entry[]
  /** How many of the values are left for a second try, and how many were not asked for. */
  readonly heldBack: number
  readonly notAsked: number
}

export interface RoundResult {
  readonly mismatch: Mismatch | null
  readonly values: number
  /** Of them, how many came to nothing but the core. */
  readonly recognised: number
}

const coreOf: MakeEngine = (one) => {
  const core = wasmEngine(engineOptionsOf(one))
  if (core === null) throw new Error('there is no core to compare: npm run build makes it')
  return core
}

/** The core in use and its specification, in step. */
const twinsOf: MakeEngine = (one) => new TwinEngine(coreOf(one), new PlainEngine(engineOptionsOf(one)))

/**
 * Reads the values of a round twice, value by value with the general decoder alone and packed with the core, and compares
 * all that comes of them: each outcome of the core, and what reaches ranges, windows and totals.
 */
export function checked(round: Round): RoundResult {
  // Many values are broken, and to note where their errors were thrown from would take longer than all else that reads them.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return compared(round)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function compared(round: Round): RoundResult {
  const plain = new World(round.one, round.options, null)
  const recognisers = new WatchedRecognisers(round.one, round.isThorough ? twinsOf : coreOf)
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
      if (!round.isThorough) packed.known = (bytes, state) => truths.of(bytes, state)
      const mismatch = recognised(packed, { recognisers, input, until, truths, twice: !round.isThorough })
      if (mismatch !== null) return result(mismatch)
      for (const world of [plain, packed]) world.advance()
      const difference = differenceBetween(plain.snapshot(), packed.snapshot())
      if (difference !== null) return result({ text: `after a chunk: ${difference}`, value: null })
    }
  }
  const difference = differenceBetween(plain.lastSnapshot(), packed.lastSnapshot())
  return result(difference === null ? null : { text: `at the end: ${difference}`, value: null })
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
function decoded(world: World, input: Packed, last: number): Truths {
  const truths = new Truths()
  const values = unpacked(input)
  if (isUnreadable(values)) return truths
  const context = world.context(last)
  for (const value of values) {
    if (value.offset < world.lane.builder.next) continue
    if (value.offset > last) break
    const { offset, bytes } = value
    const { state } = world.lane.decoder
    const entries = world.intake.take(world.lane, value, context)
    truths.add({ offset, bytes, state, stateAfter: world.lane.decoder.state, entries })
    world.lane.builder.next = value.offset + 1
    context.taken()
  }
  return truths
}

/**
 * The core's way, with a look at each of its outcomes.
 *
 * @param twice whether it is asked once more about all of the chunk, when it has learnt what it could of it
 */
function recognised(
  world: World,
  of: { recognisers: WatchedRecognisers; input: Packed; until: number; truths: Truths; twice: boolean },
): Mismatch | null {
  const { recognisers, input, until, truths, twice } = of
  const { lane, packed, reading } = world
  let wrong: Mismatch | null = null
  recognisers.onOutcome = (recogniser, decoder, i) => {
    wrong ??= outcomeOf(recogniser, i, { decoder, reading, truth: truths.at(recogniser.engine.offsets[i] ?? -1) })
  }
  try {
    packed.take(lane, input, world.context(until))
    if (twice) recognisers.ask(lane.decoder, lane.format, input)
  } catch (error) {
    if (!(error instanceof Difference)) throw error
    return { text: error.message, value: recognisers.valueAt(error.value) }
  }
  return wrong
}
