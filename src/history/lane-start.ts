import type { Lane } from '../source/source.ts'
import type { Pending, Position } from './lane-writer.ts'

/** Offsets that can no longer be read and have not landed. */
export interface Gap {
  readonly source: string
  readonly lo: number
  readonly hi: number
}

/** Where a lane begins. */
export type LaneStart =
  | { readonly kind: 'read'; readonly at: number; readonly gaps: readonly Gap[] }
  /** Repeat the pending range, exactly as it was cut, before anything else. */
  | { readonly kind: 'settle'; readonly at: number; readonly pending: Pending }
  /** The position lies beyond the end of the input: nothing is read until a person has decided. */
  | { readonly kind: 'stop'; readonly reason: string }

/**
 * Decides where a lane begins, from its position and what can still be read of it.
 *
 * @param holds whether the ledger has exactly this range; asked only when a pending range was deleted
 */
export async function laneStart(
  lane: Lane,
  { next, pending, gone }: Position,
  holds: (range: Gap) => Promise<boolean>,
): Promise<LaneStart> {
  const gaps: Gap[] = []
  if (gone?.pending && !(await holds(gone.pending))) gaps.push(gapOf(gone.pending))
  // An input that came after us is read from its beginning, whatever the settings say of those that were there before.
  let at = next ?? (gone === undefined ? lane.initial : lane.earliest)
  if (pending !== null) {
    if (lane.latest !== null && pending.hi >= lane.latest) return { kind: 'stop', reason: beyond(lane, pending.hi) }
    if (pending.lo >= lane.earliest) return { kind: 'settle', at: pending.lo, pending }
    // Its records are gone; only the ledger knows whether it had landed.
    if (!(await holds(pending))) gaps.push(gapOf(pending))
    at = Math.max(at, pending.hi + 1)
  }
  if (lane.latest !== null && at > lane.latest) return { kind: 'stop', reason: beyond(lane, at - 1) }
  if (at < lane.earliest) {
    gaps.push({ source: lane.source, lo: at, hi: lane.earliest - 1 })
    at = lane.earliest
  }
  return { kind: 'read', at, gaps }
}

function gapOf({ source, lo, hi }: Pending): Gap {
  return { source, lo, hi }
}

/** Why a lane is stopped whose offsets end before the position, and what to do. */
export function beyond(lane: Lane, offset: number, latest = lane.latest ?? 0): string {
  return `${lane.label}: history reaches offset ${offset}, but the newest record is ${latest - 1}: was the topic re-created or cut? The lane is stopped. Raise history.epoch to read the topic from its beginning as a new one`
}
