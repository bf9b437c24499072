import type { Batch, Packed, RawValue, RecordFraming, Unreadable } from './source.ts'
import { Varints } from './varints.ts'

const newline = 0x0a
const carriageReturn = 0x0d

/** What is told of a batch whose records run out of it. */
export const brokenFraming = 'a batch whose records do not fit into it'

/**
 * Takes packed values apart. They share the memory of the packed bytes.
 *
 * @returns the values with their offsets, or what cannot be read: one broken record leaves the rest of its batch unknown
 */
export function unpacked({ bytes, framing }: Packed): readonly RawValue[] | Unreadable {
  return framing.kind === 'lines' ? lines(bytes, framing.offset) : records(bytes, framing)
}

/** The same batch for whoever keeps it: its source may overwrite packed bytes once the batch was taken. */
export function withOwnBytes(batch: Batch): Batch {
  const { packed } = batch
  return packed === undefined
    ? batch
    : { ...batch, packed: packed.map((one) => ({ ...one, bytes: Buffer.from(one.bytes) })) }
}

export function isUnreadable(part: readonly RawValue[] | Unreadable): part is Unreadable {
  return 'reason' in part
}

function lines(bytes: Uint8Array, offset: number): readonly RawValue[] {
  const values: RawValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(newline, at)
    const next = found < 0 ? bytes.length : found + 1
    let end = found < 0 ? bytes.length : found
    if (end > at && bytes[end - 1] === carriageReturn) end--
    if (end > at) values.push({ offset: offset + at, bytes: bytes.subarray(at, end), arrivedMs: null })
    at = next
  }
  return values
}

/** Source of the layout: Apache Kafka, "Message format", record. */
function records(bytes: Uint8Array, framing: RecordFraming): readonly RawValue[] | Unreadable {
  const { base, last, count, firstMs, appendedMs, from } = framing
  const values: RawValue[] = []
  const broken = { lo: Math.max(from, base), hi: last, bytes: bytes.length, reason: brokenFraming }
  const varints = new Varints(bytes, 0)
  for (let i = 0; i < count; i++) {
    const length = varints.next()
    const end = varints.at + length
    if (length <= 0 || end > bytes.length) return broken
    // Attributes, of which none are in use.
    varints.at++
    const stamp = firstMs + varints.next()
    const offset = base + varints.next()
    const keyBytes = varints.next()
    if (keyBytes > 0) varints.at += keyBytes
    const valueBytes = varints.next()
    if (varints.at + Math.max(0, valueBytes) > end) return broken
    if (offset >= from) {
      const arrivedMs = appendedMs ?? stamp
      values.push({
        offset,
        bytes: valueBytes < 0 ? null : bytes.subarray(varints.at, varints.at + valueBytes),
        arrivedMs: arrivedMs > 0 ? arrivedMs : null,
      })
    }
    varints.at = end
  }
  return values
}
