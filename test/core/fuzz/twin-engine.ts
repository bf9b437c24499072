import {
  cellWidth,
  type Engine,
  kind,
  outcome,
  type Pair,
  type Plan,
  type Program,
  stop,
  type Tallies,
  type Terms,
} from '../../../src/core/engine.ts'
import type { Packed } from '../../../src/source/source.ts'

/** Two engines did not say the same. */
export class Difference extends Error {
  /** Number of the value in its chunk; -1 where it is not about one. */
  readonly value: number

  constructor(message: string, value = -1) {
    super(message)
    this.value = value
  }
}

/**
 * Two engines that are asked and taught the same at all times. Whatever they answer differently is thrown as a `Difference`.
 * The first one's answers are handed on.
 */
export class TwinEngine implements Engine {
  readonly #one: Engine
  readonly #other: Engine
  /** Told of every value that was read. */
  onOutcome: ((i: number) => void) | null = null
  #slots = 0
  /** The value that was read last, while nothing was taught since: to read it again in the slow way shows nothing new. */
  #last = -1

  constructor(one: Engine, other: Engine) {
    this.#one = one
    this.#other = other
  }

  get outcomes(): Int32Array {
    return this.#one.outcomes
  }

  get statuses(): Uint16Array {
    return this.#one.statuses
  }

  get times(): Float64Array {
    return this.#one.times
  }

  get offsets(): Float64Array {
    return this.#one.offsets
  }

  get arrivals(): Float64Array {
    return this.#one.arrivals
  }

  get pairCount(): number {
    return this.#same('pairCount', this.#one.pairCount, this.#other.pairCount)
  }

  load(packed: Packed): number | 'broken' | 'too-many' {
    this.#last = -1
    const count = this.#same('load', this.#one.load(packed), this.#other.load(packed))
    if (typeof count !== 'number') return count
    for (let i = 0; i < count; i++) {
      this.#sameAt(i, 'offsets', this.#one.offsets[i], this.#other.offsets[i])
      this.#sameAt(i, 'arrivals', this.#one.arrivals[i], this.#other.arrivals[i])
      const [one, other] = [this.#one.value(i), this.#other.value(i)]
      const same = one === null || other === null ? one === other : Buffer.compare(one, other) === 0
      if (!same) throw new Difference('the value itself differs', i)
    }
    return count
  }

  run(from: number, to: number): void {
    this.#one.run(from, to)
    if (to !== from + 1 || this.#last !== from) this.#other.run(from, to)
    this.#last = to - 1
    for (let i = from; i < to; i++) {
      const found = this.#sameOutcome(i)
      if (to === from + 1 && found !== outcome.general) this.#sameSlots(i)
      this.onOutcome?.(i)
    }
  }

  #sameOutcome(i: number): number {
    const found = this.#one.outcomes[i] ?? outcome.general
    this.#sameAt(i, 'outcome', found, this.#other.outcomes[i])
    if (found >= 0) {
      this.#sameAt(i, 'status', this.#one.statuses[i], this.#other.statuses[i])
      this.#sameAt(i, 'time', this.#one.times[i], this.#other.times[i])
    }
    return found
  }

  agree(terms: Terms): void {
    this.#one.agree(terms)
    this.#other.agree(terms)
  }

  count(from: number, to: number): number {
    const at = this.#sameAt(from, 'count', this.#one.count(from, to), this.#other.count(from, to))
    this.#sameAt(at, 'stopped', this.#one.stopped, this.#other.stopped)
    this.#sameAt(at, 'mentioned', this.#one.mentioned, this.#other.mentioned)
    // What it stopped at and may be counted yet is told of when it is read again.
    const isRead = this.stopped !== stop.pair && this.stopped !== stop.ahead && this.stopped !== stop.end
    const end = isRead ? at + 1 : at
    for (let i = from; i < end; i++) {
      this.#sameOutcome(i)
      this.onOutcome?.(i)
    }
    this.#last = -1
    return at
  }

  get stopped(): number {
    return this.#one.stopped
  }

  get mentioned(): boolean {
    return this.#one.mentioned
  }

  know(pair: number): void {
    this.#one.know(pair)
    this.#other.know(pair)
  }

  allowPair(): void {
    this.#one.allowPair()
    this.#other.allowPair()
  }

  forgetKnown(): void {
    this.#one.forgetKnown()
    this.#other.forgetKnown()
  }

  tallies(): Tallies {
    const [one, other] = [this.#one.tallies(), this.#other.tallies()]
    for (const name of Object.keys(one) as (keyof Tallies)[]) this.#same(name, one[name], other[name])
    return one
  }

  clearTallies(): void {
    this.#one.clearTallies()
    this.#other.clearTallies()
  }

  refused(): Int32Array {
    this.#same('refused', this.#one.refused().join(), this.#other.refused().join())
    return this.#one.refused()
  }

  clearRefused(): void {
    this.#one.clearRefused()
    this.#other.clearRefused()
  }

  get cells(): Int32Array {
    const numbers = this.cellCount * cellWidth
    for (let at = 0; at < numbers; at++) this.#same('cells', this.#one.cells[at], this.#other.cells[at])
    return this.#one.cells
  }

  get cellCount(): number {
    return this.#same('cellCount', this.#one.cellCount, this.#other.cellCount)
  }

  clearCells(): void {
    this.#one.clearCells()
    this.#other.clearCells()
  }

  value(i: number): Uint8Array | null {
    return this.#one.value(i)
  }

  look(program: Program): void {
    this.#slots = program.slots.length
    this.#last = -1
    this.#one.look(program)
    this.#other.look(program)
  }

  kindAt(slot: number): number {
    return this.#same(`kind at ${slot}`, this.#one.kindAt(slot), this.#other.kindAt(slot))
  }

  /** Where there is no number, an engine may still have one of the value before. */
  numberAt(slot: number): number {
    if (!hasNumber(this.kindAt(slot))) return 0
    return this.#same(`number at ${slot}`, this.#one.numberAt(slot), this.#other.numberAt(slot))
  }

  bytesAt(slot: number): Uint8Array {
    return this.#sameBytes(`bytes at ${slot}`, this.#one.bytesAt(slot), this.#other.bytesAt(slot))
  }

  pairAt(pair: number): Pair {
    const [one, other] = [this.#one.pairAt(pair), this.#other.pairAt(pair)]
    this.#same('slots of a pair', one.names, other.names)
    this.#same('tenant of a pair', one.tenant, other.tenant)
    this.#same('API of a pair', one.api, other.api)
    return one
  }

  nameAt(name: number): string {
    return this.#same('name', this.#one.nameAt(name), this.#other.nameAt(name))
  }

  unknownWord(): { slot: number; isNumber: boolean; bytes: Uint8Array } {
    const [one, other] = [this.#one.unknownWord(), this.#other.unknownWord()]
    this.#same('slot of a word', one.slot, other.slot)
    this.#same('type of a word', one.isNumber, other.isNumber)
    this.#sameBytes('word', one.bytes, other.bytes)
    return one
  }

  addWord(word: { slot: number; isNumber: boolean; bytes: Uint8Array }, kindOfWord: number): boolean {
    this.#last = -1
    return this.#same('addWord', this.#one.addWord(word, kindOfWord), this.#other.addWord(word, kindOfWord))
  }

  addShape(plan: Plan | null, verdict: number): boolean {
    this.#last = -1
    return this.#same('addShape', this.#one.addShape(plan, verdict), this.#other.addShape(plan, verdict))
  }

  #sameSlots(i: number): void {
    for (let slot = 0; slot < this.#slots; slot++) {
      const found = this.#sameAt(i, `kind at ${slot}`, this.#one.kindAt(slot), this.#other.kindAt(slot))
      if (hasNumber(found)) {
        this.#sameAt(i, `number at ${slot}`, this.#one.numberAt(slot), this.#other.numberAt(slot))
      } else if (found === kind.name || found === kind.nameNumber || found === kind.path) {
        this.bytesAt(slot)
      }
    }
  }

  #same<Value>(what: string, one: Value, other: Value): Value {
    return this.#sameAt(-1, what, one, other)
  }

  #sameAt<Value>(i: number, what: string, one: Value, other: unknown): Value {
    if (one !== other) throw new Difference(`the engines differ in ${what}: ${String(one)} and ${String(other)}`, i)
    return one
  }

  #sameBytes(what: string, one: Uint8Array, other: Uint8Array): Uint8Array {
    this.#same(what, Buffer.from(one).toString('latin1'), Buffer.from(other).toString('latin1'))
    return one
  }
}

function hasNumber(found: number): boolean {
  return found === kind.time || found === kind.statusNumber || found === kind.statusText
}
