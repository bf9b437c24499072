// Where the values of a chunk lie: lines, or the records of a Kafka record batch.

export const mostValues = 131_072
/** By value: address, length (-1 for none), offset and time of arrival (0 for none). */
export const starts: usize = heap.alloc(mostValues * 4)
export const lengths: usize = heap.alloc(mostValues * 4)
export const offsets: usize = heap.alloc(mostValues * 8)
export const arrivals: usize = heap.alloc(mostValues * 8)

export const brokenFraming = -1
export const tooManyValues = -2

// @ts-ignore: decorator
@inline
function note(i: i32, start: usize, length: i32, offset: f64, arrivedMs: f64): void {
  store<u32>(starts + (<usize>i << 2), <u32>start)
  store<i32>(lengths + (<usize>i << 2), length)
  store<f64>(offsets + (<usize>i << 3), offset)
  store<f64>(arrivals + (<usize>i << 3), arrivedMs)
}

let count = 0

/** Lines, without their ends; blank ones are left out. */
export function frameLines(p: usize, length: usize, offset: f64): i32 {
  const end = p + length
  const newlines = i8x16.splat(10)
  count = 0
  let start = p
  for (let at = p; at < end; at += 16) {
    let mask = i8x16.bitmask(i8x16.eq(v128.load(at), newlines))
    while (mask != 0) {
      const found = at + <usize>ctz(mask)
      mask &= mask - 1
      if (found >= end) break
      if (!noteLine(start, found, offset + <f64>(start - p))) return tooManyValues
      start = found + 1
    }
  }
  return noteLine(start, end, offset + <f64>(start - p)) ? count : tooManyValues
}

// @ts-ignore: decorator
@inline
function noteLine(start: usize, end: usize, offset: f64): bool {
  let size = <i32>(end - start)
  if (size > 0 && load<u8>(end - 1) == 13) size--
  if (size <= 0) return true
  if (count == mostValues) return false
  note(count++, start, size, offset, 0)
  return true
}

let cursor: usize = 0

/** A zigzag varint at the cursor. Source: Protocol Buffers, "Encoding", signed integers. */
// @ts-ignore: decorator
@inline
function varint(): i64 {
  let value: u64 = 0
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    const byte = <u64>load<u8>(cursor++)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  return <i64>(value >> 1) ^ -(<i64>(value & 1))
}

/**
 * The records of a batch from an offset on. Source: Apache Kafka, "Message format", record, magic 2.
 *
 * @param appendedMs not a number where each record has its own time
 */
export function frameRecords(p: usize, length: usize, records: i32, base: f64, firstMs: f64, appendedMs: f64, from: f64): i32 {
  const bytesEnd = p + length
  let count = 0
  cursor = p
  for (let i = 0; i < records; i++) {
    const size = varint()
    if (size <= 0 || size > <i64>(bytesEnd - cursor)) return brokenFraming
    const end = cursor + <usize>size
    cursor++
    const stamp = firstMs + <f64>varint()
    const offset = base + <f64>varint()
    const keyBytes = varint()
    if (keyBytes > <i64>length) return brokenFraming
    if (keyBytes > 0) cursor += <usize>keyBytes
    const valueBytes = varint()
    if (cursor > end || valueBytes > <i64>(end - cursor)) return brokenFraming
    if (offset >= from) {
      if (count == mostValues) return tooManyValues
      const arrivedMs = isNaN(appendedMs) ? stamp : appendedMs
      note(count++, cursor, valueBytes < 0 ? -1 : <i32>valueBytes, offset, arrivedMs > 0 ? arrivedMs : 0)
    }
    cursor = end
  }
  return count
}
