import type { Alert, AlertFact, Severity } from '../alert/alert.ts'
import { matchesAll } from '../alert/matcher.ts'
import { spanText } from '../alert/span.ts'
import type { EpochMs } from '../time/clock.ts'
import { hourMs, minuteMs } from '../time/duration.ts'
import { formatInstant } from '../time/instant.ts'
import { labelsOf } from './labels.ts'
import { plainText } from './plain-text.ts'
import type { FailureReason } from './receiver.ts'
import type { Integration, Route, Routing } from './routing.ts'
import type { Silences } from './silence.ts'

/*
 * Alerts that no rule raises: about the notifications themselves. They are worked out anew each minute from what is
 * stored elsewhere, and the groups remember whether they fire, so they have no state of their own.
 */

export const failingRule = 'NotificationsFailing'
export const silenceEndingRule = 'SilenceEnding'
/** About what comes in; see `InputWatch`. */
export const recordsLostRule = 'RecordsLost'
export const inputStoppedRule = 'InputStopped'
export const inputUnreadableRule = 'InputUnreadable'
export const topicAnewRule = 'TopicMadeAnew'

/** A receiver that has taken nothing for so long is told of elsewhere. */
export const failingAfterMs = 10 * minuteMs
/** How long a message that is dead is told of. */
export const deadToldForMs = hourMs
/** Rules' fingerprints are hexadecimal, so no rule can be taken for one of these. */
const prefix = 'tollwatch:'

/** How one integration fares. */
export interface Trouble {
  readonly integration: Integration
  readonly sinceMs: EpochMs
  readonly waiting: number
  readonly dead: number
  /** What went wrong last; null if it is not known since the start. */
  readonly reason: FailureReason | null
}

export function isBuiltIn(alert: Alert): boolean {
  return alert.fingerprint.startsWith(prefix)
}

/** That an integration fails; it is told to every other one, see `otherWays`. */
export function failingAlert({ integration, sinceMs, waiting, dead, reason }: Trouble, now: EpochMs): Alert {
  const parts = [...(waiting > 0 ? [`${waiting} waiting`] : []), ...(dead > 0 ? [`${dead} given up`] : [])]
  const why = reason === null ? '' : ` (${reason})`
  const state = parts.length === 0 ? 'nothing is taken' : parts.join(', ')
  return builtInAlert({
    key: `failing:${integration.key}`,
    rule: failingRule,
    severity: 'page',
    labels: { receiver: integration.receiver, integration: integration.key },
    activeAtMs: sinceMs,
    now,
    summary: `Notifications to ${integration.receiver} by ${integration.kind} fail${why}: ${state}.`,
    facts: [
      { label: 'Receiver', text: `${integration.receiver}, by ${integration.kind}` },
      { label: 'Waiting', text: `${waiting} messages` },
      { label: 'Given up', text: `${dead} messages in the last hour` },
    ],
  })
}

/** Reminders of silences that end soon while something still fires under them. */
export function endingAlerts(silences: Silences, firing: readonly Alert[], now: EpochMs): readonly Alert[] {
  return silences.ending(now).flatMap(({ silence, matchers }) => {
    const held = new Set(
      firing
        .filter((alert) => !isBuiltIn(alert) && matchesAll(matchers, labelsOf(alert)))
        .map((one) => one.fingerprint),
    )
    if (held.size === 0) return []
    const what = held.size === 1 ? '1 alert still fires' : `${held.size} alerts still fire`
    const who = plainText(silence.createdBy, 60)
    return [
      builtInAlert({
        key: `ending:${silence.id}`,
        rule: silenceEndingRule,
        severity: 'info',
        labels: { silence: silence.id, created_by: silence.createdBy },
        activeAtMs: now,
        now,
        summary: `A silence by ${who} ends in ${spanText(silence.endsAtMs - now)} and ${what} under it: ${plainText(silence.comment, 200)}`,
        facts: [
          { label: 'Silences', text: plainText(silence.matchers.join(' '), 300) },
          { label: 'Until', text: formatInstant(silence.endsAtMs) },
          { label: 'By', text: who },
        ],
      }),
    ]
  })
}

/** How each of them says that it is over. */
const endings = new Map<string, (alert: Alert) => string>([
  [failingRule, ({ labels }) => `Notifications to ${labels['receiver']} are taken again.`],
  [silenceEndingRule, () => 'The silence is over.'],
  [inputStoppedRule, ({ labels }) => `${labels['input']} is read again.`],
  [inputUnreadableRule, ({ labels }) => `What comes from ${labels['input']} can be read again.`],
  [recordsLostRule, ({ labels }) => `No more records of ${labels['input']} were lost for an hour.`],
  [topicAnewRule, ({ labels }) => `The new ${labels['input']} is being read.`],
])

/** What is no longer so, as it ended. */
export function endOf(alert: Alert, now: EpochMs): Alert {
  const summary = endings.get(alert.rule)?.(alert) ?? 'It is over.'
  const annotations = { ...alert.annotations, summary }
  return { ...alert, annotations, state: 'resolved', resolvedAtMs: Math.max(now, alert.activeAtMs), evaluatedAtMs: now }
}

/**
 * Where a failing integration is told of: everywhere people or programs are reached but through it, for nobody knows
 * who else looks. Mail to tenants is left out, and whatever comes to the heartbeat's receiver is taken for a sign of
 * life; the log always hears of it.
 */
export function otherWays(alert: Alert, routing: Routing): readonly Integration[] {
  return [...routing.receivers.values()].flat().filter((one) => {
    const isForTenants = one.kind === 'email' && one.email.audience === 'external'
    const isHeartbeat = one.receiver === routing.heartbeat?.receiver
    return one.kind !== 'none' && !isForTenants && !isHeartbeat && one.key !== alert.labels['integration']
  })
}

/** The route by which it goes there. */
export const failingRoute: Route = {
  key: `{${failingRule}}`,
  text: `rule="${failingRule}", which is built in,`,
  receiver: 'log',
  matchers: [],
  continue: false,
  groupBy: ['rule'],
  groupWaitMs: 0,
  groupIntervalMs: 5 * minuteMs,
  repeatIntervalMs: 4 * hourMs,
  muteTimes: [],
  activeTimes: [],
  routes: [],
}

/** An alert about Tollwatch itself, which fires. */
export function builtInAlert(given: {
  key: string
  rule: string
  severity: Severity
  labels: Readonly<Record<string, string>>
  activeAtMs: EpochMs
  now: EpochMs
  summary: string
  facts: readonly AlertFact[]
}): Alert {
  const fingerprint = prefix + given.key
  return {
    fingerprint,
    episode: `${fingerprint}@${given.activeAtMs}`,
    rule: given.rule,
    severity: given.severity,
    state: 'firing',
    labels: given.labels,
    annotations: { summary: given.summary },
    activeAtMs: given.activeAtMs,
    firedAtMs: given.activeAtMs,
    resolvedAtMs: null,
    evaluatedAtMs: given.now,
    value: 0,
    shadow: false,
    numbers: {
      windowMs: 0,
      observed: 0,
      requests: 0,
      expected: null,
      pValue: null,
      soFar: 0,
      peak: 0,
      top: [],
      tenants: 0,
      scope: null,
      facts: given.facts,
    },
  }
}
