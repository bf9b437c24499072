import { concatenated } from './concatenated.ts'
import type { Decoded } from './decode.ts'
import { insideOf, withoutPrefix } from './envelope.ts'
import { skipped, unreadable } from './format.ts'
import { isObject, type JsonObject } from './json.ts'
import { carriedBy } from './otlp-record.ts'

/** Most entries read from one value; what lies beyond is one `too-large` entry. */
export const entryLimit = 100_000

// Text in text, arrays in arrays and wrappers in wrappers are opened this deep: a shipper's wrapper around a container's,
// each with JSON text inside, takes five steps.
const openingLimit = 6

/** What reads the opened entries. */
export interface EntryReader {
  object(entry: JsonObject, index: number): Decoded
  /** The entries of a wrapper that belongs to a layout; null when it is none. */
  unwrap(entry: JsonObject): readonly JsonObject[] | null
  /** Text that is no JSON; null when no text layout wants it. */
  text(text: string, index: number): Decoded | null
}

/**
 * Opens one value: an object, an array of objects, several lines of JSON, objects one after the other, or a JSON string
 * that holds any of these. Entries are numbered in the order they stand in.
 */
export function openValue(text: string, reader: EntryReader): readonly Decoded[] {
  const parsed = parse(text)
  const isWhole = isObject(parsed) && insideOf(parsed) === null
  const wrapped = isWhole ? reader.unwrap(parsed) : null
  // By far the most common: one object, one entry.
  if (isWhole && wrapped === null) return [reader.object(parsed, 0)]
  const opening = new Opening(reader)
  if (wrapped !== null) {
    opening.wrapper(wrapped, 0)
  } else if (parsed === notJson) {
    opening.text(text, 0)
  } else {
    opening.value(parsed, 0)
  }
  return opening.finish()
}

/** Reads an object that is one entry by itself; null when it is a wrapper, whose inside has to be opened. */
export function readWhole(entry: JsonObject, reader: EntryReader): Decoded | null {
  return insideOf(entry) === null && reader.unwrap(entry) === null ? reader.object(entry, 0) : null
}

const notJson = Symbol('not JSON')

/** Longest JSON that is no object, array or text: a number. */
const bareChars = 30

function parse(text: string): unknown {
  // A line of text is told by its first character: to let the parser throw costs fifty times as much.
  if (text.length > bareChars && text.charCodeAt(0) !== 0x7b && !/^\s*[[{"]/.test(text)) return notJson
  try {
    return JSON.parse(text)
  } catch {
    return notJson
  }
}

class Opening {
  readonly #reader: EntryReader
  readonly #entries: Decoded[] = []
  #beyond = 0

  constructor(reader: EntryReader) {
    this.#reader = reader
  }

  finish(): readonly Decoded[] {
    if (this.#beyond > 0) {
      const message = `only the first ${entryLimit} entries of this value were read, ${this.#beyond} were not`
      this.#entries.push(unreadable(entryLimit, 'too-large', message))
    }
    return this.#entries
  }

  value(value: unknown, depth: number): void {
    if (Array.isArray(value)) {
      this.#array(value, depth)
    } else if (typeof value === 'string') {
      this.text(value, depth)
    } else if (isObject(value)) {
      this.#object(value, depth)
    } else {
      this.#fail('not-a-record', 'a record is a JSON object; this entry is a bare number, boolean or null')
    }
  }

  #object(value: JsonObject, depth: number): void {
    const inside = depth < openingLimit ? insideOf(value) : null
    if (inside?.kind === 'values') {
      if (inside.values.length === 0) this.#fail('empty', 'the wrapper holds no records')
      for (const inner of inside.values) this.#within(inner, depth + 1)
    } else if (inside?.kind === 'skipped') {
      this.#add((index) => skipped(index, inside.reason))
    } else {
      const entries = this.#reader.unwrap(value)
      if (entries === null) this.#add((index) => this.#reader.object(value, index))
      else this.wrapper(entries, depth)
    }
  }

  /** The entries of a layout's own wrapper. */
  wrapper(entries: readonly JsonObject[], depth: number): void {
    if (entries.length === 0) this.#fail('empty', 'the wrapper holds no records')
    for (const entry of entries) this.#wrapped(entry, depth)
  }

  /** An entry that is no record by itself may carry a gateway's line, which then counts in its place. */
  #wrapped(entry: JsonObject, depth: number): void {
    const at = this.#entries.length
    this.#add((index) => this.#reader.object(entry, index))
    const own = this.#entries[at]
    if (own?.kind !== 'skipped' || own.reason !== 'event') return
    for (const carried of carriedBy(entry)) {
      this.#entries.length = at
      this.value(carried, depth + 1)
      if (this.#entries.slice(at).some(({ kind }) => kind !== 'unreadable')) return
    }
    this.#entries.length = at
    this.#entries.push(own)
  }

  /** One of many values: those beyond the limit are only counted. */
  #within(value: unknown, depth: number): void {
    if (this.#entries.length >= entryLimit) this.#beyond++
    else this.value(value, depth)
  }

  #array(items: readonly unknown[], depth: number): void {
    if (depth >= openingLimit) {
      this.#tooDeep()
      return
    }
    if (items.length === 0) this.#fail('empty', 'the array holds no records')
    for (let i = 0; i < items.length; i++) {
      if (this.#entries.length >= entryLimit) {
        this.#beyond += items.length - i
        return
      }
      this.value(items[i], depth + 1)
    }
  }

  /** Text from outside or from within a JSON string. */
  text(text: string, depth: number): void {
    const trimmed = withoutPrefix(text.trim())
    if (trimmed === '') {
      this.#fail('empty', 'the text is empty')
      return
    }
    const parsed = /^[[{"]/.test(trimmed) ? parse(trimmed) : notJson
    if (parsed !== notJson) this.#parsed(parsed, depth)
    else if (isLines(trimmed)) this.#lines(trimmed, depth)
    else this.#unparsed(trimmed, depth)
  }

  #lines(text: string, depth: number): void {
    for (let start = 0; start < text.length; ) {
      let end = text.indexOf('\n', start)
      if (end < 0) end = text.length
      const line = withoutPrefix(text.slice(start, end).trim())
      start = end + 1
      if (line === '') continue
      if (this.#entries.length >= entryLimit) {
        this.#beyond++
        continue
      }
      const parsed = /^[[{"]/.test(line) ? parse(line) : notJson
      if (parsed !== notJson) this.#parsed(parsed, depth)
      else this.#unparsed(line, depth)
    }
  }

  #parsed(value: unknown, depth: number): void {
    if (depth < openingLimit) this.value(value, depth + 1)
    else this.#tooDeep()
  }

  #tooDeep(): void {
    this.#fail('not-a-record', 'arrays or texts are nested too deep to hold records')
  }

  #unparsed(text: string, depth: number): void {
    const pieces = depth < openingLimit ? concatenated(text) : null
    if (pieces === null) {
      this.#plain(text)
      return
    }
    for (const piece of pieces) {
      const parsed = this.#entries.length < entryLimit ? parse(piece) : null
      if (parsed === notJson) this.#plain(piece)
      else this.#within(parsed, depth + 1)
    }
  }

  #plain(text: string): void {
    this.#add((index) => this.#reader.text(text, index) ?? notJsonEntry(text, index))
  }

  #fail(failure: 'empty' | 'not-a-record', message: string): void {
    this.#add((index) => unreadable(index, failure, message))
  }

  #add(make: (index: number) => Decoded): void {
    if (this.#entries.length >= entryLimit) this.#beyond++
    else this.#entries.push(make(this.#entries.length))
  }
}

/**
 * Whether text that is no JSON as a whole is one record a line. A single record that is printed over several lines and
 * then cut has no complete object on its first line, and stays one failure.
 */
function isLines(text: string): boolean {
  const end = text.indexOf('\n')
  if (end < 0) return false
  const first = text.slice(0, end).trim()
  const last = text.slice(text.lastIndexOf('\n') + 1).trim()
  return isComplete(first) || (first.length > 1 && first.startsWith('{') && isComplete(last))
}

function isComplete(line: string): boolean {
  return (line.startsWith('{') && line.endsWith('}')) || (line.startsWith('[') && line.endsWith(']') && line.length > 2)
}

function notJsonEntry(text: string, index: number): Decoded {
  const trimmed = text.slice(0, 4096)
  if (/^[A-Z]{3,10} \S+ HTTP\/\d/.test(trimmed)) {
    const hint =
      'this is a raw HTTP request without a status (APISIX with meta_format: origin); use meta_format: default'
    return unreadable(index, 'not-a-record', hint)
  }
  if (/^[[{]/.test(trimmed) && /":\s*[,}\]]/.test(text.slice(0, 65_536))) {
    const hint =
      'a key has no value: a number variable of the log format was empty and not quoted (NGINX: write "$upstream_status" in quotes)'
    return unreadable(index, 'not-json', hint)
  }
  const hint = /^[[{]/.test(trimmed) ? 'broken or cut JSON' : 'the value is no JSON'
  return unreadable(index, 'not-json', hint)
}
