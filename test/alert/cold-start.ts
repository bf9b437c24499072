import type { SliceRow } from '../../src/alert/scripted-view.ts'
import { Dice } from './processes.ts'
import { engineOf, rulesOf, ScriptedView } from './simulation.ts'

/*
 * The whole rule, windows and all, on series that have just begun. Slices of 10 seconds, an evaluation at each.
 */

const spike = '- {rule: Spike, group_by: [tenant, api, cause], condition: {type: spike}, keep_firing_for: 10m}'
export const slicesPerMinute = 6
/** A Monday morning, with a phase against all the detector's clocks. */
const epochMs = Date.UTC(2026, 2, 2, 9, 0, 0)

/** What one tenant does: calls a minute, and the share of them that is refused at a minute of the run. */
export interface Tenant {
  readonly perMinute: number
  readonly shareAt: (minute: number) => number
  /** The minute of its first call; 0 is the start of the daemon. */
  readonly fromMinute?: number
}

/**
 * Runs one rule over tenants of which nothing is known.
 *
 * @param phaseMs of the start against the clock, in whole slices
 * @returns for each tenant the minutes at which an alert began to fire
 */
export function firings(
  tenants: readonly Tenant[],
  { minutes, phaseMs, seed, rules = spike }: { minutes: number; phaseMs: number; seed: number; rules?: string },
): readonly (readonly number[])[] {
  const dice = new Dice(seed)
  const engine = engineOf(rulesOf(rules))
  const view = new ScriptedView(epochMs + phaseMs)
  const found: number[][] = tenants.map(() => [])
  for (let slice = 0; slice < minutes * slicesPerMinute; slice++) {
    const minute = slice / slicesPerMinute
    const rows: SliceRow[] = []
    for (const [at, { perMinute, shareAt, fromMinute = 0 }] of tenants.entries()) {
      const requests = minute < fromMinute ? 0 : dice.poisson(perMinute / slicesPerMinute)
      if (requests === 0) continue
      const refused = Math.min(requests, dice.binomial(requests, shareAt(minute)))
      rows.push({ tenant: `t${at}`, api: 'x', requests, causes: refused > 0 ? { payment_failed: refused } : {} })
    }
    view.push(rows)
    for (const { alert } of engine.step(view.endMs, view)) {
      if (alert.state !== 'firing') continue
      found[Number(alert.labels['tenant']?.slice(1))]?.push((slice + 1) / slicesPerMinute)
    }
  }
  return found
}

/**
 * How soon an incident is noticed that begins after so many minutes of calm.
 *
 * @returns minutes from its beginning for each phase, null where it ended unnoticed
 */
export function delays(options: {
  readonly calmMinutes: number
  readonly incidentMinutes: number
  readonly perMinute: number
  readonly calmShare: number
  readonly share: number
  readonly phases: readonly number[]
  readonly tenantsEach: number
  readonly rules?: string
}): (number | null)[] {
  const { calmMinutes, incidentMinutes, perMinute, calmShare, share, phases, tenantsEach, rules = spike } = options
  return phases.flatMap((phaseMs) => {
    const shareAt = (minute: number) => (minute >= calmMinutes ? share : calmShare)
    const tenants = Array.from({ length: tenantsEach }, () => ({ perMinute, shareAt }))
    const run = { minutes: calmMinutes + incidentMinutes, phaseMs, seed: phaseMs / 1000 + calmMinutes, rules }
    return firings(tenants, run).map((at) => {
      const first = at.find((minute) => minute > calmMinutes)
      return first === undefined ? null : first - calmMinutes
    })
  })
}
