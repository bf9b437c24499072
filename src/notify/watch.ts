import type { Alert, Transition } from '../alert/alert.ts'
import type { EpochMs } from '../time/clock.ts'
import { deadToldForMs, endOf, failingAfterMs, isBuiltIn, type Trouble } from './built-in.ts'
import type { Groups } from './groups.ts'
import { firingIn } from './muting.ts'
import type { Outbox } from './outbox.ts'
import type { FailureReason } from './receiver.ts'
import type { Integration } from './routing.ts'

/** Where to look for trouble with deliveries. */
export interface Ways {
  readonly integrations: Iterable<Integration>
  readonly outbox: Outbox
  /** Why the last attempt failed; null when it did not, or none was made since the start. */
  readonly lastFailure: (integration: string) => FailureReason | null
  /** Since when an Alertmanager takes nothing; null when it does. */
  readonly failingSince: (integration: string) => EpochMs | null
}

/** The integrations that do not deliver: messages wait for long or are dead, or nothing is taken any more. */
export function troublesOf(ways: Ways, now: EpochMs): readonly Trouble[] {
  const pending = ways.outbox.pending().filter(({ createdAtMs }) => createdAtMs + failingAfterMs <= now)
  const dead = ways.outbox.settled().filter(({ state, settledAtMs }) => {
    return state === 'dead' && now < settledAtMs + deadToldForMs
  })
  return [...ways.integrations].flatMap((integration): Trouble[] => {
    const isOwn = (entry: { integration: string }) => entry.integration === integration.key
    const waiting = pending.filter(isOwn)
    const lost = dead.filter(isOwn)
    const since = ways.failingSince(integration.key)
    const isCutOff = since !== null && since + failingAfterMs <= now
    if (waiting.length + lost.length === 0 && !isCutOff) return []
    const starts = [...waiting, ...lost].map(({ createdAtMs }) => createdAtMs)
    return [
      {
        integration,
        sinceMs: Math.min(...starts, ...(isCutOff ? [since] : [])),
        waiting: waiting.length,
        dead: lost.length,
        reason: ways.lastFailure(integration.key) ?? lost.at(-1)?.reason ?? null,
      },
    ]
  })
}

/** What changes when exactly these built-in alerts are to fire; those that fire already go on as the same episode. */
export function builtInChanges(groups: Groups, wanted: readonly Alert[], now: EpochMs): readonly Transition[] {
  const firing = new Map<string, Alert>()
  for (const alert of firingIn(groups)) if (isBuiltIn(alert)) firing.set(alert.fingerprint, alert)
  const changes: Transition[] = []
  for (const alert of wanted) {
    const known = firing.get(alert.fingerprint)
    firing.delete(alert.fingerprint)
    if (known === undefined) changes.push({ from: 'inactive', alert })
    else if (known.annotations['summary'] !== alert.annotations['summary']) {
      const { episode, activeAtMs, firedAtMs } = known
      changes.push({ from: 'firing', alert: { ...alert, episode, activeAtMs, firedAtMs } })
    }
  }
  for (const alert of firing.values()) changes.push({ from: 'firing', alert: endOf(alert, now) })
  return changes
}
