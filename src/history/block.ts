import { clickhouseTime } from './clickhouse-time.ts'

/** Rows that are on their way into a table, and how each column of theirs is written. */
export class Block<Row> {
  readonly #rows: readonly Row[]
  readonly #columns: readonly Column<Row>[]

  constructor(rows: readonly Row[], columns: readonly Column<Row>[]) {
    this.#rows = rows
    this.#columns = columns
  }

  get names(): readonly string[] {
    return this.#columns.map(({ name }) => name)
  }

  /** Row by row, as JSON carries them: the slow way that `pieces` must agree with. */
  rows(): unknown[][] {
    return this.#rows.map((row) => this.#columns.map((column) => column.json(row)))
  }

  /**
   * All of it in ClickHouse's format Native, a piece at a time, each good until the next is asked for. A piece is made in
   * some milliseconds, so that whoever lets the event loop turn between two of them holds nobody up.
   */
  *pieces(): Generator<Uint8Array, void, undefined> {
    const piece = new Bytes(Math.min(pieceBytes, 64 * this.#columns.length * (this.#rows.length + 1)))
    let steps = 0
    piece.varint(this.#columns.length)
    piece.varint(this.#rows.length)
    for (const { name, type, parts } of this.#columns) {
      piece.text(name)
      piece.text(type)
      for (const part of parts(this.#rows)) {
        piece.add(part)
        if (++steps < stepsPerPiece && piece.length < pieceBytes) continue
        yield piece.taken()
        steps = 0
      }
    }
    if (piece.length > 0) yield piece.taken()
  }
}

/** What one column holds. */
export interface Column<Row> {
  readonly name: string
  readonly type: string
  json(row: Row): unknown
  /** The column as it is sent, in steps of `stepRows` rows at most. A part is good until the next is asked for. */
  readonly parts: (rows: readonly Row[]) => Parts
}

type Parts = Generator<Uint8Array, void, undefined>

/** A column in which every row but the first has the type's zero, of so many bytes: nobody is asked for those. */
export function firstAlone<Row>(column: Column<Row>, zeroBytes: number): Column<Row> {
  function* parts(rows: readonly Row[]): Parts {
    yield* column.parts(rows.slice(0, 1))
    for (let from = 1; from < rows.length; from += stepRows) {
      yield new Uint8Array(zeroBytes * Math.min(stepRows, rows.length - from))
    }
  }
  return { ...column, parts }
}

/** Makes the columns of rows of one kind. Each value is what `at` gives for its row. */
export function columnsOf<Row>() {
  return {
    uint8: (name: string, at: (row: Row) => number) => numbers(name, 'UInt8', at, bytes),
    uint16: (name: string, at: (row: Row) => number) => numbers(name, 'UInt16', at, shorts),
    uint32: (name: string, at: (row: Row) => number) => numbers(name, 'UInt32', at, ints),
    /** Seconds since the epoch. */
    dateTime: (name: string, at: (row: Row) => number) => numbers(name, "DateTime('UTC')", at, ints),
    uint64: (name: string, at: (row: Row) => number): Column<Row> => {
      return { name, type: 'UInt64', json: at, parts: (rows) => longs(rows, at) }
    },
    /** Milliseconds since the epoch; what is below them is cut off. */
    dateTime64: (name: string, at: (row: Row) => number): Column<Row> => {
      const parts = (rows: readonly Row[]) => longs(rows, (row) => Math.trunc(at(row)))
      return { name, type: "DateTime64(3, 'UTC')", json: (row) => clickhouseTime(at(row)), parts }
    },
    /** Null where the number is none or not finite, as JSON has it. */
    nullableFloat: (name: string, at: (row: Row) => number | null): Column<Row> => {
      return { name, type: 'Nullable(Float64)', json: at, parts: (rows) => nullableFloats(rows, at) }
    },
    text: (name: string, at: (row: Row) => string): Column<Row> => {
      return { name, type: 'String', json: at, parts: (rows) => texts(rows, at) }
    },
    /** Text that repeats: each is sent once per step. The column of the table may be a plain String, too. */
    word: (name: string, at: (row: Row) => string): Column<Row> => {
      return { name, type: 'LowCardinality(String)', json: at, parts: (rows) => words(rows, at) }
    },
    /** Lists of a time in epoch seconds with two numbers each. */
    counts: (name: string, at: (row: Row) => readonly CountsAt[]): Column<Row> => {
      const type = "Array(Tuple(DateTime('UTC'), UInt64, UInt64))"
      return { name, type, json: at, parts: (rows) => countLists(rows, at) }
    },
  }
}

export type CountsAt = readonly [startSeconds: number, one: number, other: number]

/** Rows that one step of a column takes: few enough for indexes of two bytes. */
const stepRows = 16_384
const stepsPerPiece = 6
const pieceBytes = 1_048_576
const textBytes = 262_144
const two32 = 4_294_967_296

// One step's values. They are copied away before anybody else can make a step.
const scratch = new ArrayBuffer(8 * stepRows)
const bytes = new Uint8Array(scratch)
const shorts = new Uint16Array(scratch)
const ints = new Uint32Array(scratch)
const floats = new Float64Array(scratch)

// Typed arrays have the machine's byte order: the format's own on everything that runs both Node.js and ClickHouse.
function numbers<Row>(
  name: string,
  type: string,
  at: (row: Row) => number,
  values: Uint8Array | Uint16Array | Uint32Array,
): Column<Row> {
  function* parts(rows: readonly Row[]): Parts {
    for (let from = 0; from < rows.length; from += stepRows) {
      const to = Math.min(from + stepRows, rows.length)
      for (let i = from; i < to; i++) values[i - from] = at(rows[i] as Row)
      yield bytes.subarray(0, (to - from) * values.BYTES_PER_ELEMENT)
    }
  }
  return { name, type, json: at, parts }
}

/** Whole numbers up to 2^53 either way, as eight bytes in two's complement. */
function* longs<Row>(rows: readonly Row[], at: (row: Row) => number): Parts {
  for (let from = 0; from < rows.length; from += stepRows) {
    const to = Math.min(from + stepRows, rows.length)
    for (let i = from, k = 0; i < to; i++, k += 2) {
      const value = at(rows[i] as Row)
      ints[k] = value
      ints[k + 1] = value >= 0 && value < two32 ? 0 : Math.floor(value / two32)
    }
    yield bytes.subarray(0, 8 * (to - from))
  }
}

/** First which ones are null, then all values. */
function* nullableFloats<Row>(rows: readonly Row[], at: (row: Row) => number | null): Parts {
  yield* numbers<Row>('', '', (row) => (Number.isFinite(at(row)) ? 0 : 1), bytes).parts(rows)
  for (let from = 0; from < rows.length; from += stepRows) {
    const to = Math.min(from + stepRows, rows.length)
    for (let i = from; i < to; i++) {
      const value = at(rows[i] as Row)
      // JSON knows no negative zero.
      floats[i - from] = value !== null && Number.isFinite(value) ? value + 0 : 0
    }
    yield bytes.subarray(0, 8 * (to - from))
  }
}

function* texts<Row>(rows: readonly Row[], at: (row: Row) => string): Parts {
  const step = new Bytes(Math.min(textBytes, 24 * rows.length))
  for (let i = 0; i < rows.length; i++) {
    step.text(at(rows[i] as Row))
    if (step.length >= textBytes || (i + 1) % stepRows === 0) yield step.taken()
  }
  if (step.length > 0) yield step.taken()
}

/** The dictionary goes along with each step, so that no step needs to have seen all rows. */
function* words<Row>(rows: readonly Row[], at: (row: Row) => string): Parts {
  const step = new Bytes(Math.min(textBytes, 24 * rows.length + 64))
  const keys = new Bytes(1_024)
  for (let from = 0; from < rows.length; from += stepRows) {
    const to = Math.min(from + stepRows, rows.length)
    const numberOf = new Map<string, number>()
    let last: string | null = null
    let index = 0
    for (let i = from; i < to; i++) {
      const word = at(rows[i] as Row)
      if (word !== last) {
        last = word
        const known = numberOf.get(word)
        index = known ?? numberOf.size
        if (known === undefined) {
          numberOf.set(word, index)
          keys.text(word)
        }
      }
      shorts[i - from] = index
    }
    const isNarrow = numberOf.size <= 256
    if (from === 0) step.uint64(1)
    step.uint64(withOwnKeys | (isNarrow ? 0 : 1))
    step.uint64(numberOf.size)
    step.add(keys.taken())
    step.uint64(to - from)
    const indexes = shorts.subarray(0, to - from)
    step.add(isNarrow ? Uint8Array.from(indexes) : bytes.subarray(0, 2 * (to - from)))
    yield step.taken()
  }
}

/** The indexes are into keys that come with them; in the lowest byte the width of an index. */
const withOwnKeys = 0x600

/** First where each row's list ends, then all first elements, all second ones, and all third ones. */
function* countLists<Row>(rows: readonly Row[], at: (row: Row) => readonly CountsAt[]): Parts {
  let end = 0
  yield* longs(rows, (row) => {
    end += at(row).length
    return end
  })
  const all = rows.flatMap(at)
  yield* numbers<CountsAt>('', '', ([startSeconds]) => startSeconds, ints).parts(all)
  yield* longs(all, ([, one]) => one)
  yield* longs(all, ([, , other]) => other)
}

/** Bytes one after another, as many as come. */
class Bytes {
  #buffer: Buffer
  #at = 0

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size)
  }

  get length(): number {
    return this.#at
  }

  /** All of them, good until the next are added. */
  taken(): Uint8Array {
    const all = this.#buffer.subarray(0, this.#at)
    this.#at = 0
    return all
  }

  add(more: Uint8Array): void {
    this.#room(more.length)
    this.#buffer.set(more, this.#at)
    this.#at += more.length
  }

  varint(value: number): void {
    this.#room(8)
    let rest = value
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#buffer[this.#at++] = (rest & 127) | 128
    this.#buffer[this.#at++] = rest
  }

  /** Below 2^32. */
  uint64(value: number): void {
    this.#room(8)
    this.#buffer.writeUInt32LE(value, this.#at)
    this.#buffer.writeUInt32LE(0, this.#at + 4)
    this.#at += 8
  }

  /** A text behind its length in bytes. Most are short and plain: for those a loop is faster than a call. */
  text(text: string): void {
    const length = text.length
    this.#room(length + 1)
    const buffer = this.#buffer
    const start = this.#at + 1
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 127 || length > 64) {
        this.#anyText(text)
        return
      }
      buffer[start + i] = unit
    }
    buffer[this.#at] = length
    this.#at = start + length
  }

  #anyText(text: string): void {
    const size = Buffer.byteLength(text)
    this.varint(size)
    this.#room(size)
    this.#at += this.#buffer.write(text, this.#at)
  }

  #room(needed: number): void {
    if (this.#at + needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#at + needed))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}
