import type { Batch, RawValue, Unreadable } from '../source/source.ts'
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

/** Values and unreadable parts of a batch, in order of their offsets. Nearly every batch is its values and no more. */
export function partsOf({ values, unreadable = [] }: Batch): Iterable<BatchPart> {
  return unreadable.length === 0 ? values : merged(values, unreadable)
}

function* merged(values: readonly RawValue[], unreadable: readonly Unreadable[]): Generator<BatchPart> {
  let next = 0
  for (const value of values) {
    for (let part = unreadable[next]; part !== undefined && part.lo <= value.offset; part = unreadable[++next]) yield part
    yield value
  }
  yield* unreadable.slice(next)
}

/** A part that cannot be had counts as one dead letter, at its first offset. */
export function letterOf({ lo, hi, bytes, reason }: Unreadable, now: EpochMs, sketch: string): DeadLetter {
  const message = `offsets ${lo} to ${hi}, ${reason}`
  return { atMs: now, reason: 'unreadable-batch', offset: lo, index: 0, bytes, message, sketch, raw: '' }
}
