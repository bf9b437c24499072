import type { EpochMs } from '../time/clock.ts'
import type { SeriesMemory } from './series-memory.ts'

/** Where a ring of slots lies in the rows of a memory: first all refusals, then all requests. */
export interface SlotRing {
  readonly from: number
  readonly slots: number
  readonly slotMs: number
}

export function ringWidth({ slots }: { slots: number }): number {
  return 2 * slots
}

/**
 * Adds counts to the slot of a minute. Slots that have passed since the row was last counted are emptied on the way.
 *
 * @param lastMs end of the last minute that was counted into the row; 0 for a new row
 */
export function addToRing(
  memory: SeriesMemory,
  place: number,
  ring: SlotRing,
  { bad, total, endMs, lastMs }: { bad: number; total: number; endMs: EpochMs; lastMs: EpochMs },
): void {
  const slot = slotOf(endMs, ring.slotMs)
  const first = Math.max(slotOf(lastMs, ring.slotMs) + 1, slot - ring.slots + 1)
  for (let passed = first; passed <= slot; passed++) {
    const at = ring.from + (passed % ring.slots)
    memory.set(place, at, 0)
    memory.set(place, at + ring.slots, 0)
  }
  const at = ring.from + (slot % ring.slots)
  memory.add(place, at, bad)
  memory.add(place, at + ring.slots, total)
}

/** What a row counted in the slots of the last `spanMs` up to `endMs`, the present and unfinished one included. */
export function sumOfRing(
  memory: SeriesMemory,
  place: number,
  ring: SlotRing,
  { spanMs, endMs, lastMs }: { spanMs: number; endMs: EpochMs; lastMs: EpochMs },
): { bad: number; total: number } {
  const now = slotOf(endMs, ring.slotMs)
  const last = slotOf(lastMs, ring.slotMs)
  // Slots after the last count have nothing, and what lies in their places is of a turn before.
  const first = Math.max(now - Math.round(spanMs / ring.slotMs) + 1, last - ring.slots + 1)
  let bad = 0
  let total = 0
  for (let slot = first; slot <= last; slot++) {
    const at = ring.from + (slot % ring.slots)
    bad += memory.get(place, at)
    total += memory.get(place, at + ring.slots)
  }
  return { bad, total }
}

/** The number of the slot that a minute falls in, by the end of the minute. */
function slotOf(endMs: EpochMs, slotMs: number): number {
  return Math.floor((endMs - 1) / slotMs)
}
