import type { Alert } from '../alert/alert.ts'
import type { EpochMs } from '../time/clock.ts'
import type { Groups } from './groups.ts'
import { Inhibitions } from './inhibit.ts'
import { labelsOf } from './labels.ts'
import type { InhibitRule } from './routing.ts'
import type { Silences } from './silence.ts'

/**
 * Whether an alert is silenced or inhibited now. The inhibitions are worked out when they are first asked for, from the
 * groups as they are then; the answer is meant for one tick and not to be kept.
 */
export function mutingAt(
  now: EpochMs,
  silences: Silences,
  rules: readonly InhibitRule[],
  groups: Groups,
): (alert: Alert) => boolean {
  let inhibitions: Inhibitions | null = null
  return (alert) => {
    if (silences.muting(labelsOf(alert), now) !== null) return true
    inhibitions ??= new Inhibitions(rules, firing(groups))
    return inhibitions.inhibitorOf(alert) !== null
  }
}

function* firing(groups: Groups): Generator<Alert> {
  for (const { members } of groups.values()) {
    for (const member of members.values()) if (member.alert.state === 'firing') yield member.alert
  }
}
