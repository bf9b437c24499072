import type { Transition } from '../../src/alert/alert.ts'
import type { RuleEngine } from '../../src/alert/engine.ts'
import type { ScriptedView, SliceRow } from '../../src/alert/scripted-view.ts'
import { dayMs, hourMs, minuteMs } from '../../src/time/duration.ts'
import { startMs } from './simulation.ts'

/** What one minute found, with the minutes since the start. */
export interface Found {
  readonly minute: number
  readonly transition: Transition
}

/** Whole minutes at a time, for conditions that look back over days: all of a minute falls into its first slice. */
export function runMinutes(
  engine: RuleEngine,
  view: ScriptedView,
  minutes: number,
  rowsAt: (minute: number, atMs: number) => readonly SliceRow[],
): Found[] {
  const found: Found[] = []
  for (let k = 0; k < minutes; k++) {
    const minute = (view.endMs - startMs) / minuteMs
    view.push(rowsAt(minute, view.endMs))
    for (let slice = 1; slice < 6; slice++) view.push([])
    for (const transition of engine.step(view.endMs, view)) found.push({ minute: minute + 1, transition })
  }
  return found
}

/** `60 inactive>firing page`, for short expectations. */
export function minuteMoves(found: readonly Found[]): string[] {
  return found.map(({ minute, transition: { from, alert } }) => `${minute} ${from}>${alert.state} ${alert.severity}`)
}

export const dayMinutes: number = dayMs / minuteMs
export const hourMinutes: number = hourMs / minuteMs
