import type { Batch, RawValue, Unreadable } from '../source/source.ts'
import type { EpochMs } from '../time/clock.ts'
import type { DeadLetter } from './range.ts'

/** One value of a batch, or a part that cannot be had. */
export type BatchPart =
  | { readonly lo: number; readonly hi: number; readonly value: RawValue; readonly unreadable: null }
  | { readonly lo: number; readonly hi: number; readonly unreadable: Unreadable }

/** Values and unreadable parts of a batch, in order of their offsets. */
export function* partsOf({ values, unreadable = [] }: Batch): Generator<BatchPart> {
  const waiting = [...unreadable]
  for (const value of values) {
    while (waiting[0] !== undefined && waiting[0].lo <= value.offset) {
      const part = waiting.shift() as Unreadable
      yield { lo: part.lo, hi: part.hi, unreadable: part }
    }
    yield { lo: value.offset, hi: value.offset, value, unreadable: null }
  }
  for (const part of waiting) yield { lo: part.lo, hi: part.hi, unreadable: part }
}

/** A part that cannot be had counts as one dead letter, at its first offset. */
export function letterOf({ lo, hi, bytes, reason }: Unreadable, now: EpochMs, sketch: string): DeadLetter {
  const message = `offsets ${lo} to ${hi}, ${reason}`
  return { atMs: now, reason: 'unreadable-batch', offset: lo, index: 0, bytes, message, sketch, raw: '' }
}
