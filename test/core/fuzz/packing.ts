import type { Packed } from '../../../src/source/source.ts'
import { record } from '../../source/record-batches.ts'

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

/** A Kafka record batch. Negative stamps stand for a record without a time. */
export function packedRecords(entries: readonly Entry[], base: number, notAsked: number): Made {
  const offsets: number[] = []
  let next = base
  const records = entries.map(({ value, gap, stampMs }) => {
    const offset = next + gap
    offsets.push(offset)
    next = offset + 1
    return record(offset - base, value, stampMs, gap > 0 ? keyBytes : null)
  })
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
  return { packed: { bytes: Buffer.concat(records), framing }, offsets: offsets.slice(notAsked), next }
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
