import type { Packed } from '../../../src/source/source.ts'

/** One value as a lane gets it. */
export interface Entry {
  readonly value: Buffer | null
  /** Offsets that are missing before it: compacted, or of control records. */
  readonly gap: number
  /** Time stamp of the record, after that of its batch; for Kafka only. */
  readonly stampMs: number
}

interface Made {
  readonly packed: Packed
  /** Offset of each value. */
  readonly offsets: readonly number[]
  /** Offset behind the chunk. */
  readonly next: number
}

export const firstMs = 1_790_000_000_000

/** Room for the numbers and the key of a record. */
const mostHeader = 64

/** A Kafka record batch. Negative stamps stand for a record without a time. */
export function packedRecords(entries: readonly Entry[], base: number, notAsked: number): Made {
  const writer = new Writer(entries.reduce((sum, { value }) => sum + mostHeader + (value?.length ?? 0), 0))
  const offsets: number[] = []
  let next = base
  for (const { value, gap, stampMs } of entries) {
    const offset = next + gap
    offsets.push(offset)
    next = offset + 1
    writer.record(offset - base, value, stampMs, gap > 0 ? keyBytes : null)
  }
  const from = offsets[notAsked] ?? base
  const framing = {
    kind: 'records',
    base,
    last: next - 1,
    count: entries.length,
    firstMs,
    appendedMs: null,
    from,
  } as const
  return { packed: { bytes: writer.bytes, framing }, offsets: offsets.slice(notAsked), next }
}

/** Writes records one behind the other. What it makes is what test/source/record-batches.ts makes, without a buffer for each number. */
class Writer {
  readonly #room: Buffer
  #at = 0

  constructor(room: number) {
    this.#room = Buffer.allocUnsafeSlow(room)
  }

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#at)
  }

  record(offsetDelta: number, value: Buffer | null, stampDelta: number, key: Buffer | null): void {
    const head = 1 + varintBytes(stampDelta) + varintBytes(offsetDelta)
    this.#varint(head + sizedBytes(key) + sizedBytes(value) + 1)
    this.#room[this.#at++] = 0
    this.#varint(stampDelta)
    this.#varint(offsetDelta)
    this.#sized(key)
    this.#sized(value)
    // No headers.
    this.#varint(0)
  }

  #sized(bytes: Buffer | null): void {
    this.#varint(bytes === null ? -1 : bytes.length)
    if (bytes !== null) this.#at += bytes.copy(this.#room, this.#at)
  }

  #varint(value: number): void {
    let rest = zigzag(value)
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#room[this.#at++] = (rest % 128) + 128
    this.#room[this.#at++] = rest
  }
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1
}

function varintBytes(value: number): number {
  let count = 1
  for (let rest = zigzag(value); rest >= 128; rest = Math.floor(rest / 128)) count++
  return count
}

function sizedBytes(bytes: Buffer | null): number {
  return bytes === null ? 1 : varintBytes(bytes.length) + bytes.length
}

const keyBytes = Buffer.from('key')
const newline = 0x0a

/** Lines: what cannot stand in one is made to. */
export function packedLines(entries: readonly Entry[], offset: number): Made {
  const pieces: Buffer[] = []
  const offsets: number[] = []
  let at = offset
  for (const { value, gap } of entries) {
    const line = value === null ? Buffer.alloc(0) : value.includes(newline) ? withoutNewlines(value) : value
    const end = gap > 2 ? '\r\n\n' : gap > 0 ? '\r\n' : '\n'
    const bare = line.length > 0 && line[line.length - 1] === 0x0d && gap === 0 ? line.length - 1 : line.length
    if (bare > 0) offsets.push(at)
    pieces.push(line, Buffer.from(end))
    at += line.length + end.length
  }
  return { packed: { bytes: Buffer.concat(pieces), framing: { kind: 'lines', offset } }, offsets, next: at }
}

function withoutNewlines(value: Buffer): Buffer {
  return Buffer.from(value.map((byte) => (byte === newline ? 0x20 : byte)))
}
