import { isUnreadable, unpacked } from '../source/packed.ts'
import type { Packed, RawValue } from '../source/source.ts'
import {
  type Engine,
  type EngineOptions,
  kind,
  longestWord,
  mostValues,
  namesOf,
  outcome,
  type Pair,
  type Plan,
  type Program,
  type Slot,
} from './engine.ts'
import { PlainCounting } from './plain-count.ts'
import { PlainJson } from './plain-json.ts'
import { plainTime } from './plain-time.ts'

const mostWords = 4096
const mostShapes = 1024
const longestName = 200
const longestPath = 400
const blankWords = new Set(['N/A', 'null', 'UNKNOWN'])
const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i

/** What was found at one slot of one value. */
interface Found {
  readonly kind: number
  readonly number: number
  /** Raw bytes, one character each. */
  readonly text: string
}

/** An object that is looked into: its keys with their slots, and the objects inside that are looked into too. */
interface Node {
  readonly slots: Map<string, number>
  readonly inside: Map<string, Node>
  objectsAsked: boolean
}

/** Why reading a value has come to its end. */
class Stop {
  readonly outcome: number

  constructor(value: number) {
    this.outcome = value
  }
}

const general = new Stop(outcome.general)

/** The specification of the core in plain TypeScript, and what stands in for it. See `engine.ts`. */
export class PlainEngine extends PlainCounting implements Engine {
  readonly #options: EngineOptions
  readonly #watched: ReadonlySet<number>
  readonly #words = new Map<string, number>()
  readonly #shapes = new Map<string, { readonly plan: Plan | null; readonly verdict: number }>()
  readonly #pairs = new Map<string, number>()
  readonly #pairList: Pair[] = []
  readonly #names = new Map<string, number>([['', 0]])
  readonly #nameList = ['']
  #values: readonly RawValue[] = []
  #slots: readonly Slot[] = []
  #top: Node = nodeOf()
  #found: (Found | undefined)[] = []
  /** In which order the objects stood in those objects whose members matter: a reader takes the first that has what it needs. */
  #order: number[] = []
  /** Whether an upstream has answered with a status that is watched. */
  #isUpstreamWatched = false
  #word = { slot: 0, isNumber: false, bytes: new Uint8Array(0) }
  outcomes = new Int32Array(0)
  statuses = new Uint16Array(0)
  times = new Float64Array(0)
  offsets = new Float64Array(0)
  arrivals = new Float64Array(0)

  constructor(options: EngineOptions) {
    super()
    this.#options = options
    this.#watched = new Set(options.watched)
  }

  load(packed: Packed): number | 'broken' | 'too-many' {
    this.begin()
    const values = unpacked(packed)
    if (isUnreadable(values)) return 'broken'
    if (values.length > mostValues) return 'too-many'
    this.#values = values
    if (this.outcomes.length < values.length) this.#grow(values.length)
    for (const [i, { offset, arrivedMs }] of values.entries()) {
      this.offsets[i] = offset
      this.arrivals[i] = arrivedMs ?? 0
    }
    return values.length
  }

  run(from: number, to: number): void {
    for (let i = from; i < to; i++) this.read(i)
  }

  protected isWatched(status: number): boolean {
    return this.#watched.has(status)
  }

  protected read(i: number): void {
    this.outcomes[i] = this.#outcomeOf(i)
  }

  value(i: number): Uint8Array | null {
    return this.#values[i]?.bytes ?? null
  }

  look({ slots, objectsAsked }: Program): void {
    this.#shapes.clear()
    this.#slots = slots
    this.#top = nodeOf()
    for (const [slot, { path }] of slots.entries()) {
      insideOf(this.#top, path.slice(0, -1)).slots.set(latin1(path.at(-1) ?? ''), slot)
    }
    for (const path of objectsAsked) insideOf(this.#top, path).objectsAsked = true
  }

  kindAt(slot: number): number {
    return this.#found[slot]?.kind ?? kind.absent
  }

  numberAt(slot: number): number {
    return this.#found[slot]?.number ?? 0
  }

  bytesAt(slot: number): Uint8Array {
    return Buffer.from(this.#found[slot]?.text ?? '', 'latin1')
  }

  get pairCount(): number {
    return this.#pairList.length
  }

  pairAt(pair: number): Pair {
    return this.#pairList[pair] ?? { names: 0, tenant: 0, api: 0 }
  }

  nameAt(name: number): string {
    return utf8Text(this.#nameList[name] ?? '')
  }

  unknownWord(): { slot: number; isNumber: boolean; bytes: Uint8Array } {
    return this.#word
  }

  addWord(word: { slot: number; isNumber: boolean; bytes: Uint8Array }, kindOfWord: number): boolean {
    if (this.#words.size === mostWords) return false
    this.#words.set(wordKey(word.slot, word.isNumber, Buffer.from(word.bytes).toString('latin1')), kindOfWord)
    return true
  }

  addShape(plan: Plan | null, verdict: number): boolean {
    if (this.#shapes.size === mostShapes) return false
    this.#shapes.set(this.#shape(), { plan, verdict })
    return true
  }

  #grow(size: number): void {
    this.outcomes = new Int32Array(size)
    this.statuses = new Uint16Array(size)
    this.times = new Float64Array(size)
    this.offsets = new Float64Array(size)
    this.arrivals = new Float64Array(size)
  }

  #shape(): string {
    return `${this.#slots.map((_, slot) => this.kindAt(slot)).join()}/${this.#order.join()}`
  }

  #outcomeOf(i: number): number {
    const bytes = this.#values[i]?.bytes ?? null
    if (bytes === null || bytes.length === 0 || bytes.length > this.#options.longestValue) return outcome.general
    this.#found = []
    this.#order = []
    this.#isUpstreamWatched = false
    const stop = this.#scan(bytes)
    if (stop !== null) return stop.outcome
    const shape = this.#shapes.get(this.#shape())
    if (shape === undefined) return outcome.unknownShape
    if (shape.plan === null) return shape.verdict
    this.times[i] = shape.plan.timeSlot < 0 ? 0 : this.numberAt(shape.plan.timeSlot)
    const status = this.numberAt(shape.plan.statusSlot)
    // Refused by the upstream alone: that is for the general decoder.
    if (this.#isUpstreamWatched && !this.isWatched(status)) return outcome.general
    this.statuses[i] = status
    return this.#pairOf(shape.plan)
  }

  /** Number of the pair of names; a new one gets the next. */
  #pairOf(plan: Plan): number {
    const { tenantSlot, apiSlot } = plan
    const found = this.#found[apiSlot]
    const tenant = this.#found[tenantSlot]?.text ?? ''
    const api = found?.kind === kind.path ? this.#withoutIds(found.text) : (found?.text ?? '')
    const pair = { names: namesOf(plan), tenant: this.#nameOf(tenant), api: this.#nameOf(api) }
    const key = [pair.names, pair.tenant, pair.api].join()
    const known = this.#pairs.get(key)
    if (known !== undefined) return known
    this.#pairs.set(key, this.#pairList.length)
    this.#pairList.push(pair)
    return this.#pairList.length - 1
  }

  #nameOf(text: string): number {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    this.#names.set(text, this.#nameList.length)
    return this.#nameList.push(text) - 1
  }

  /** Paths that get the same label are one name: without their query, numbers as 0 and UUIDs as zeros. */
  #withoutIds(path: string): string {
    const segments = path.split(/[?#]/, 1)[0]?.split('/') ?? []
    if (!this.#options.templates) return segments.join('/')
    return segments
      .map((segment) => {
        if (/^\d{1,40}$/.test(segment)) return '0'
        return uuid.test(segment) && /\d/.test(segment) ? segment.replace(/[\da-f]/gi, '0') : segment
      })
      .join('/')
  }

  #scan(bytes: Uint8Array): Stop | null {
    const json = new PlainJson(bytes)
    const start = json.blanks(0)
    if (json.at(start) !== 0x7b || !isUtf8(bytes)) return general
    const end = this.#object(json, start, this.#top)
    if (end instanceof Stop) return end
    return json.blanks(end) >= bytes.length ? null : general
  }

  /** Reads an object that is looked into; gives the position behind it. */
  #object(json: PlainJson, p: number, node: Node): number | Stop {
    p = json.blanks(p + 1)
    if (json.at(p) === 0x7d) return p + 1
    for (;;) {
      if (json.at(p) !== 0x22) return general
      const keyEnd = json.string(p + 1)
      // A key that is spelled with escapes may be one that matters.
      if (keyEnd < 0 || json.hasEscape) return general
      const key = json.text(p + 1, keyEnd - 1)
      p = json.blanks(keyEnd)
      if (json.at(p) !== 0x3a) return general
      const next = this.#member(json, json.blanks(p + 1), node, key)
      if (next instanceof Stop) return next
      p = json.blanks(next)
      if (json.at(p) === 0x7d) return p + 1
      if (json.at(p) !== 0x2c) return general
      p = json.blanks(p + 1)
    }
  }

  #member(json: PlainJson, p: number, node: Node, key: string): number | Stop {
    const slot = node.slots.get(key)
    const isObject = json.at(p) === 0x7b
    if (slot === undefined) {
      if (isObject && node.objectsAsked) return new Stop(outcome.unknownObject)
      const end = json.value(p)
      return end < 0 ? general : end
    }
    // JSON.parse takes the last of several.
    if (this.#found[slot] !== undefined) return general
    if (isObject && node.objectsAsked) this.#order.push(slot)
    const inside = node.inside.get(key)
    if (isObject && inside !== undefined) {
      this.#found[slot] = { kind: kind.object, number: 0, text: '' }
      return this.#object(json, p, inside)
    }
    const end = json.value(p)
    if (end < 0) return general
    const found = this.#foundAt(json, slot, p, end)
    if (found instanceof Stop) return found
    this.#found[slot] = found
    return end
  }

  #foundAt(json: PlainJson, slot: number, p: number, end: number): Found | Stop {
    const simple = simpleKinds[String.fromCharCode(json.at(p))]
    if (simple !== undefined) return { kind: simple, number: 0, text: '' }
    const isText = json.at(p) === 0x22
    const isEscaped = isText && json.hasEscape
    const text = isText ? json.text(p + 1, end - 1) : json.text(p, end)
    const one = this.#slots[slot]
    if (one === undefined || one.role === 'presence') return { kind: isText ? kind.text : kind.number, number: 0, text }
    if (one.role === 'word') return this.#wordAt(slot, !isText, text)
    if (isText && (text === '' || text === '-')) return { kind: kind.blank, number: 0, text }
    if (one.role === 'name') return isText ? this.#nameAt(slot, text, isEscaped) : numberName(text)
    if (one.role === 'time') {
      const ms = one.time === null ? null : plainTime(text, isText, one.time)
      return ms === null ? general : { kind: kind.time, number: ms, text }
    }
    const status = /^[1-5]\d\d$/.test(text) ? Number(text) : null
    if (one.role === 'upstream') {
      if (status !== null && this.isWatched(status)) this.#isUpstreamWatched = true
      return status === null ? this.#wordAt(slot, !isText, text) : { kind: kind.otherStatus, number: 0, text }
    }
    return status === null ? general : { kind: isText ? kind.statusText : kind.statusNumber, number: status, text }
  }

  #wordAt(slot: number, isNumber: boolean, text: string): Found | Stop {
    if (text.length > longestWord) return general
    const known = this.#words.get(wordKey(slot, isNumber, text))
    if (known !== undefined) return { kind: known, number: 0, text }
    this.#word = { slot, isNumber, bytes: Buffer.from(text, 'latin1') }
    return new Stop(outcome.unknownWord)
  }

  /** A name as it stands. What is trimmed, cut or means nothing is left to the general decoder. */
  #nameAt(slot: number, text: string, isEscaped: boolean): Found | Stop {
    const word = this.#slots[slot]?.hasWords === true ? this.#words.get(wordKey(slot, false, text)) : undefined
    if (word !== undefined) return { kind: word, number: 0, text }
    if (text.startsWith(' ') || text.endsWith(' ')) return general
    if (text.startsWith('/') || /^https?:\/\//.test(text)) {
      return isEscaped || text.length > longestPath ? general : { kind: kind.path, number: 0, text }
    }
    return text.length > longestName || blankWords.has(text) ? general : { kind: kind.name, number: 0, text }
  }
}

const simpleKinds: { readonly [first: string]: number | undefined } = {
  '{': kind.object,
  '[': kind.array,
  t: kind.true,
  f: kind.false,
  n: kind.null,
}

function numberName(text: string): Found | Stop {
  return /^(?:0|[1-9]\d{0,14})$/.test(text) ? { kind: kind.nameNumber, number: 0, text } : general
}

function wordKey(slot: number, isNumber: boolean, text: string): string {
  return `${slot}${isNumber ? '#' : '"'}${text}`
}

/** Bytes as characters, as the scanner sees keys. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** The text of bytes that are held as characters. */
function utf8Text(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString()
}

function nodeOf(): Node {
  return { slots: new Map(), inside: new Map(), objectsAsked: false }
}

function insideOf(top: Node, path: readonly string[]): Node {
  let node = top
  for (const key of path) {
    const inside = node.inside.get(latin1(key)) ?? nodeOf()
    node.inside.set(latin1(key), inside)
    node = inside
  }
  return node
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes)
    return true
  } catch {
    return false
  }
}
