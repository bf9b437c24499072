import { unpacked } from '../source/packed.ts'
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

/** Values and unreadable parts of a batch, in order of their offsets. Nearly every batch is its values and no more. */
export function partsOf(batch: Batch): Iterable<BatchPart> {
  return batch.packed === undefined && (batch.unreadable ?? []).length === 0 ? batch.values : takenApart(batch)
}

function* takenApart(batch: Batch): Generator<BatchPart> {
  for (const piece of piecesOf(batch)) {
    const found = isPacked(piece) ? unpacked(piece) : piece
    if ('length' in found) yield* found
    else yield found
  }
}

/** A part that cannot be had counts as one dead letter, at its first offset. */
export function letterOf({ lo, hi, bytes, reason }: Unreadable, now: EpochMs, sketch: string): DeadLetter {
  const message = `offsets ${lo} to ${hi}, ${reason}`
  return { atMs: now, reason: 'unreadable-batch', offset: lo, index: 0, bytes, message, sketch, raw: '' }
}
