import type { Lane } from '../source/source.ts'
import type { Intent, Position } from './lane-writer.ts'

/** Where a lane begins. Offsets in `gaps` can no longer be read and have not landed. */
export type LaneStart =
  | {
      readonly kind: 'read'
      readonly at: number
      readonly gaps: readonly { readonly lo: number; readonly hi: number }[]
    }
  /** Repeat the pending range, exactly as it was cut, before anything else. */
  | { readonly kind: 'settle'; readonly at: number; readonly pending: Intent }
  /** The position lies beyond the end of the input: nothing is read until a person has decided. */
  | { readonly kind: 'stop'; readonly reason: string }

/**
 * Decides where a lane begins, from its position and what can still be read of it.
 *
 * @param holds whether the ledger has exactly this range; asked only when a pending range was deleted
 */
export async function laneStart(
  lane: Lane,
  { next, pending }: Position,
  holds: (range: { lo: number; hi: number }) => Promise<boolean>,
): Promise<LaneStart> {
  const gaps: { lo: number; hi: number }[] = []
  let at = next ?? lane.initial
  if (pending !== null) {
    if (lane.latest !== null && pending.hi >= lane.latest) return { kind: 'stop', reason: beyond(lane, pending.hi) }
    if (pending.lo >= lane.earliest) return { kind: 'settle', at: pending.lo, pending }
    // Its records are gone; only the ledger knows whether it had landed.
    if (!(await holds(pending))) gaps.push({ lo: pending.lo, hi: pending.hi })
    at = Math.max(at, pending.hi + 1)
  }
  if (lane.latest !== null && at > lane.latest) return { kind: 'stop', reason: beyond(lane, at - 1) }
  if (at < lane.earliest) {
    gaps.push({ lo: at, hi: lane.earliest - 1 })
    at = lane.earliest
  }
  return { kind: 'read', at, gaps }
}

function beyond(lane: Lane, offset: number): string {
  return `${lane.label}: history reaches offset ${offset}, but the newest record is ${(lane.latest ?? 0) - 1}: was the topic re-created or cut? The lane is stopped. Raise history.epoch to read the topic from its beginning as a new one`
}
