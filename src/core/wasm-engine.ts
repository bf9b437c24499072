import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Packed } from '../source/source.ts'
import {
  cellWidth,
  type Engine,
  type EngineOptions,
  mostCells,
  mostSlots,
  mostValues,
  namesOf,
  type Pair,
  type Plan,
  type Program,
  type Role,
  type Tallies,
  type Terms,
} from './engine.ts'
import { keyHash, nodeNumber, nodesOf, notationOf } from './wasm-tables.ts'

type Global =
  | 'kindsAt'
  | 'spansAt'
  | 'numbersAt'
  | 'startsAt'
  | 'lengthsAt'
  | 'offsetsAt'
  | 'arrivalsAt'
  | 'outcomesAt'
  | 'statusesAt'
  | 'timesAt'
  | 'wordSlot'
  | 'wordAt'
  | 'wordLength'
  | 'slotsAt'
  | 'nodesAt'
  | 'watchedAt'
  | 'termsAt'
  | 'talliesAt'
  | 'cellsAt'
  | 'stopped'
  | 'mentioned'
  | 'refusedAt'
  | 'refusedCount'

/** What `wasm/core.ts` exports. Addresses and sizes are in bytes. */
interface Exports extends Readonly<Record<Global, { readonly value: number }>> {
  readonly memory: { readonly buffer: ArrayBuffer }
  alloc(bytes: number): number
  setOptions(isTemplating: boolean, longest: number): void
  setSlotCount(count: number): void
  frameLines(at: number, length: number, offset: number): number
  frameRecords(
    at: number,
    length: number,
    records: number,
    base: number,
    firstMs: number,
    appendedMs: number,
    from: number,
  ): number
  run(from: number, to: number): void
  forgetShapes(): void
  addShape(verdict: number, time: number, status: number, tenant: number, api: number, names: number): number
  begin(): void
  setTerms(isAsking: boolean, account: number): void
  count(from: number, to: number): number
  know(pair: number): void
  allowPair(): void
  forgetKnown(): void
  clearTallies(): void
  clearRefused(): void
  cellCount(): number
  clearCells(): void
  addWord(slot: number, at: number, length: number, kind: number): number
  pairAt(pair: number): number
  nameAt(name: number): number
  pairCount(): number
}

const roles: { readonly [role in Role]: number } = { presence: 0, time: 1, status: 2, name: 3, word: 4, upstream: 5 }
const firstRoom = 2 * 1024 * 1024
const numberWord = 0x8000

/** As much of WebAssembly as is used; the types of Node have none. */
interface Host {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

const { WebAssembly: host } = globalThis as unknown as { readonly WebAssembly: Host }

let compiled: object | null | undefined

/** The compiled core; null on an engine without WebAssembly SIMD, or when `npm run build` has not made it. */
function coreModule(): object | null {
  if (compiled !== undefined) return compiled
  const file = fileURLToPath(new URL('core.wasm', import.meta.url))
  try {
    compiled = existsSync(file) ? new host.Module(readFileSync(file)) : null
  } catch {
    compiled = null
  }
  return compiled
}

/** Null where there is no core: then `PlainEngine` does the same, several times slower. */
export function wasmEngine(options: EngineOptions): Engine | null {
  const module = coreModule()
  return module === null ? null : new WasmEngine(module, options)
}

class WasmEngine implements Engine {
  readonly #core: Exports
  #input: number
  #room = firstRoom
  #chunk: Uint8Array = new Uint8Array(0)
  #bytes: Uint8Array = new Uint8Array(0)
  #text: Buffer = Buffer.alloc(0)
  #words: Uint32Array = new Uint32Array(0)
  #halfWords: Uint16Array = new Uint16Array(0)
  #kinds: Uint8Array = new Uint8Array(0)
  #starts: Uint32Array = new Uint32Array(0)
  #lengths: Int32Array = new Int32Array(0)
  #spans: Uint32Array = new Uint32Array(0)
  #numbers: BigInt64Array = new BigInt64Array(0)
  #terms: Float64Array = new Float64Array(0)
  #tallies: Float64Array = new Float64Array(0)
  cells: Int32Array = new Int32Array(0)
  outcomes: Int32Array = new Int32Array(0)
  statuses: Uint16Array = new Uint16Array(0)
  times: Float64Array = new Float64Array(0)
  offsets: Float64Array = new Float64Array(0)
  arrivals: Float64Array = new Float64Array(0)

  constructor(module: object, { longestValue, templates, watched }: EngineOptions) {
    const { exports } = new host.Instance(module, { env: { abort } })
    this.#core = exports as Exports
    this.#core.setOptions(templates, longestValue)
    this.#core.clearTallies()
    this.#input = this.#core.alloc(this.#room)
    this.#view()
    for (const status of watched) this.#bytes[this.#core.watchedAt.value + status] = 1
  }

  load({ bytes, framing }: Packed): number | 'broken' | 'too-many' {
    if (bytes.length > this.#room) {
      this.#room = bytes.length * 2
      this.#input = this.#core.alloc(this.#room)
    }
    this.#view()
    this.#core.begin()
    this.#chunk = bytes
    this.#bytes.set(bytes, this.#input)
    // What stands behind the chunk must not be taken for part of it.
    this.#bytes.fill(0, this.#input + bytes.length, this.#input + bytes.length + 64)
    const count =
      framing.kind === 'lines'
        ? this.#core.frameLines(this.#input, bytes.length, framing.offset)
        : this.#core.frameRecords(
            ...([this.#input, bytes.length, framing.count, framing.base] as const),
            ...([framing.firstMs, framing.appendedMs ?? Number.NaN, framing.from] as const),
          )
    return count >= 0 ? count : count === -1 ? 'broken' : 'too-many'
  }

  run(from: number, to: number): void {
    this.#core.run(from, to)
    // New names may have made the memory grow.
    this.#view()
  }

  agree({ account, now, aheadFrom, lateFrom, lateTo, spanFromMs, spanToMs, cellsLeft, asks }: Terms): void {
    this.#view()
    const terms = this.#terms
    terms[0] = now
    terms[1] = aheadFrom
    terms[2] = lateFrom
    terms[3] = lateTo
    terms[4] = spanFromMs
    terms[5] = spanToMs
    terms[6] = cellsLeft
    this.#core.setTerms(asks, account)
  }

  count(from: number, to: number): number {
    const at = this.#core.count(from, to)
    this.#view()
    return at
  }

  get stopped(): number {
    return this.#core.stopped.value
  }

  get mentioned(): boolean {
    return this.#core.mentioned.value !== 0
  }

  know(pair: number): void {
    this.#core.know(pair)
  }

  allowPair(): void {
    this.#core.allowPair()
  }

  forgetKnown(): void {
    this.#core.forgetKnown()
  }

  tallies(): Tallies {
    const [ok = 0, skipped = 0, newestMs = 0, leastMs = 0, greatestMs = 0] = this.#tallies
    return { ok, skipped, newestMs, leastMs, greatestMs }
  }

  clearTallies(): void {
    this.#core.clearTallies()
  }

  refused(): Int32Array {
    const { refusedAt, refusedCount } = this.#core
    return new Int32Array(this.#core.memory.buffer, refusedAt.value, refusedCount.value)
  }

  clearRefused(): void {
    this.#core.clearRefused()
  }

  get cellCount(): number {
    return this.#core.cellCount()
  }

  clearCells(): void {
    this.#core.clearCells()
  }

  value(i: number): Uint8Array | null {
    const length = this.#lengths[i] ?? -1
    const start = (this.#starts[i] ?? 0) - this.#input
    return length < 0 ? null : this.#chunk.subarray(start, start + length)
  }

  look(program: Program): void {
    this.#core.forgetShapes()
    const nodes = nodesOf(program)
    const slotTable = this.#core.slotsAt.value
    const nodeTable = this.#core.nodesAt.value
    const keyTables = nodes.map(({ keys }) => this.#keyTable(keys))
    this.#view()
    const words = new DataView(this.#core.memory.buffer)
    for (const [i, slot] of program.slots.entries()) {
      this.#bytes.set([roles[slot.role], notationOf(slot), 0, nodeNumber(nodes, slot.path) + 1], slotTable + i * 4)
    }
    for (const [i, { objectsAsked }] of nodes.entries()) {
      const table = keyTables[i] ?? { at: 0, mask: 0 }
      words.setUint32(nodeTable + i * 12, table.at, true)
      words.setUint32(nodeTable + i * 12 + 4, table.mask, true)
      words.setUint32(nodeTable + i * 12 + 8, objectsAsked ? 1 : 0, true)
    }
    this.#core.setSlotCount(program.slots.length)
  }

  kindAt(slot: number): number {
    return this.#kinds[slot] ?? 0
  }

  numberAt(slot: number): number {
    return Number(this.#numbers[slot] ?? 0n)
  }

  bytesAt(slot: number): Uint8Array {
    const at = this.#spans[slot * 2] ?? 0
    return this.#bytes.slice(at, at + (this.#spans[slot * 2 + 1] ?? 0))
  }

  get pairCount(): number {
    return this.#core.pairCount()
  }

  pairAt(pair: number): Pair {
    this.#view()
    const at = this.#core.pairAt(pair) / 2
    const parts = this.#halfWords
    const low = parts[at + 1] ?? 0
    const middle = parts[at + 2] ?? 0
    const high = parts[at + 3] ?? 0
    // 16, 24 and 24 bits.
    return {
      names: (parts[at] ?? 0) - 1,
      tenant: low + (middle & 0xff) * 0x1_0000,
      api: (middle >> 8) + high * 0x100,
    }
  }

  nameAt(name: number): string {
    if (name === 0) return ''
    this.#view()
    const at = this.#core.nameAt(name) / 4
    const text = this.#words[at] ?? 0
    return this.#text.toString('utf8', text, text + (this.#words[at + 1] ?? 0))
  }

  unknownWord(): { slot: number; isNumber: boolean; bytes: Uint8Array } {
    const { wordSlot, wordAt, wordLength } = this.#core
    const at = wordAt.value
    return {
      slot: wordSlot.value & ~numberWord,
      isNumber: (wordSlot.value & numberWord) !== 0,
      bytes: this.#bytes.slice(at, at + wordLength.value),
    }
  }

  addWord(word: { slot: number; isNumber: boolean; bytes: Uint8Array }, kind: number): boolean {
    const at = this.#core.alloc(word.bytes.length)
    this.#view()
    this.#bytes.set(word.bytes, at)
    const isAdded = this.#core.addWord(word.slot | (word.isNumber ? numberWord : 0), at, word.bytes.length, kind) !== 0
    this.#view()
    return isAdded
  }

  addShape(plan: Plan | null, verdict: number): boolean {
    if (plan === null) return this.#core.addShape(verdict, -1, -1, -1, -1, 0) !== 0
    const { timeSlot, statusSlot, tenantSlot, apiSlot } = plan
    return this.#core.addShape(0, timeSlot, statusSlot, tenantSlot, apiSlot, namesOf(plan)) !== 0
  }

  #keyTable(keys: readonly { readonly key: string; readonly slot: number }[]): { at: number; mask: number } {
    const size = 2 ** Math.ceil(Math.log2(Math.max(4, keys.length * 4)))
    const at = this.#core.alloc(size * 8)
    const texts = keys.map(({ key, slot }) => ({ slot, bytes: Buffer.from(key) }))
    const places = texts.map(({ bytes }) => this.#core.alloc(bytes.length))
    this.#view()
    const words = new DataView(this.#core.memory.buffer)
    this.#bytes.fill(0, at, at + size * 8)
    for (const [i, { bytes, slot }] of texts.entries()) {
      this.#bytes.set(bytes, places[i] ?? 0)
      let place = keyHash(bytes) & (size - 1)
      while (words.getUint32(at + place * 8, true) !== 0) place = (place + 1) & (size - 1)
      words.setUint32(at + place * 8, places[i] ?? 0, true)
      words.setUint16(at + place * 8 + 4, bytes.length, true)
      words.setUint16(at + place * 8 + 6, slot, true)
    }
    return { at, mask: size - 1 }
  }

  /** The memory moves when it grows. */
  #view(): void {
    const { memory } = this.#core
    if (this.#bytes.buffer === memory.buffer) return
    const at = (name: Global): number => this.#core[name].value
    this.#bytes = new Uint8Array(memory.buffer)
    this.#text = Buffer.from(memory.buffer)
    this.#words = new Uint32Array(memory.buffer)
    this.#halfWords = new Uint16Array(memory.buffer)
    this.#kinds = new Uint8Array(memory.buffer, at('kindsAt'), mostSlots)
    this.#spans = new Uint32Array(memory.buffer, at('spansAt'), mostSlots * 2)
    this.#numbers = new BigInt64Array(memory.buffer, at('numbersAt'), mostSlots)
    this.#terms = new Float64Array(memory.buffer, at('termsAt'), 8)
    this.#tallies = new Float64Array(memory.buffer, at('talliesAt'), 5)
    this.cells = new Int32Array(memory.buffer, at('cellsAt'), mostCells * cellWidth)
    this.#starts = new Uint32Array(memory.buffer, at('startsAt'), mostValues)
    this.#lengths = new Int32Array(memory.buffer, at('lengthsAt'), mostValues)
    this.offsets = new Float64Array(memory.buffer, at('offsetsAt'), mostValues)
    this.arrivals = new Float64Array(memory.buffer, at('arrivalsAt'), mostValues)
    this.outcomes = new Int32Array(memory.buffer, at('outcomesAt'), mostValues)
    this.statuses = new Uint16Array(memory.buffer, at('statusesAt'), mostValues)
    this.times = new Float64Array(memory.buffer, at('timesAt'), mostValues)
  }
}

function abort(): never {
  throw new Error('the core ran out of memory')
}
