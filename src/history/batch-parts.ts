import { isUnreadable as isUnreadableWhole, unpacked } from '../source/packed.ts'
import type { Batch, Packed, RawValue, Unreadable } from '../source/source.ts'
import type { EpochMs } from '../time/clock.ts'
import type { DeadLetter } from './range.ts'

/** One value of a batch, or a part that cannot be had. */
export type BatchPart = RawValue | Unreadable

export function isUnreadable(part: BatchPart): part is Unreadable {
  return 'reason' in part
}

export function firstOffset(part: BatchPart): number {
  return isUnreadable(part) ? part.lo : part.offset
}

export function lastOffset(part: BatchPart): number {
  return isUnreadable(part) ? part.hi : part.offset
}

/** A part of a batch as it came: also many values that are not taken apart yet. */
export type BatchPiece = BatchPart | Packed

export function isPacked(piece: BatchPiece): piece is Packed {
  return 'framing' in piece
}

/** The pieces of a batch in the order of their offsets. No unreadable part lies inside of packed values. */
export function* piecesOf({ values, packed = [], unreadable = [] }: Batch): Iterable<BatchPiece> {
  let next = 0
  for (const piece of packed.length === 0 ? values : packed) {
    const lo = isPacked(piece) ? firstOffsetOf(piece) : piece.offset
    for (let part = unreadable[next]; part !== undefined && part.lo <= lo; part = unreadable[++next]) yield part
    yield piece
  }
  yield* unreadable.slice(next)
}

function firstOffsetOf({ framing }: Packed): number {
  return framing.kind === 'lines' ? framing.offset : framing.base
}

/** Packed values that are taken without letting others have a turn. */
const turnBytes = 1024 * 1024

/** A batch cut into batches that are small enough to be taken at once, so that heartbeats and requests are served between. */
export function turnsOf(batch: Batch): readonly Batch[] {
  const { packed = [], unreadable = [] } = batch
  if (packed.length < 2) return [batch]
  const turns: Batch[] = []
  let lo = batch.lo
  let first = 0
  let bytes = 0
  for (const [i, piece] of packed.entries()) {
    bytes += piece.bytes.length
    const following = packed[i + 1]
    if (following !== undefined && bytes < turnBytes) continue
    const hi = following === undefined ? batch.hi : firstOffsetOf(following) - 1
    const own = unreadable.filter((part) => part.lo >= lo && part.lo <= hi)
    turns.push({ lo, hi, values: [], packed: packed.slice(first, i + 1), unreadable: own })
    lo = hi + 1
    first = i + 1
    bytes = 0
  }
  return turns
}

/** Values and unreadable parts of a batch, in order of their offsets. Nearly every batch is its values and no more. */
export function partsOf({ values, packed, unreadable = [] }: Batch): Iterable<BatchPart> {
  if (packed !== undefined) return takenApart(packed, unreadable)
  return unreadable.length === 0 ? values : merged(values, unreadable)
}

/** No unreadable part lies inside of packed values, so that it comes before all of them or after. */
function* takenApart(packed: readonly Packed[], unreadable: readonly Unreadable[]): Generator<BatchPart> {
  let next = 0
  for (const one of packed) {
    const { framing } = one
    const lo = framing.kind === 'lines' ? framing.offset : framing.base
    for (let part = unreadable[next]; part !== undefined && part.lo <= lo; part = unreadable[++next]) yield part
    const values = unpacked(one)
    if (isUnreadableWhole(values)) yield values
    else yield* values
  }
  yield* unreadable.slice(next)
}

function* merged(values: readonly RawValue[], unreadable: readonly Unreadable[]): Generator<BatchPart> {
  let next = 0
  for (const value of values) {
    for (let part = unreadable[next]; part !== undefined && part.lo <= value.offset; part = unreadable[++next])
      yield part
    yield value
  }
  yield* unreadable.slice(next)
}

/** A part that cannot be had counts as one dead letter, at its first offset. */
export function letterOf({ lo, hi, bytes, reason }: Unreadable, now: EpochMs, sketch: string): DeadLetter {
  const message = `offsets ${lo} to ${hi}, ${reason}`
  return { atMs: now, reason: 'unreadable-batch', offset: lo, index: 0, bytes, message, sketch, raw: '' }
}
