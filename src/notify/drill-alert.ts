import type { Alert, Severity, Transition } from '../alert/alert.ts'
import { matchesAll } from '../alert/matcher.ts'
import type { Rule } from '../alert/rule.ts'
import { type Cause, causes, familyOf } from '../classify/cause.ts'
import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import type { Integration, Route, Routing } from './routing.ts'

/*
 * A fire drill is an alert that nothing has raised. It goes the way of every other alert: routes, groups, timers,
 * silences, messages, retries; and it ends by itself. It never stands in a group with real alerts and never inhibits any.
 */

/** Rules' fingerprints are hexadecimal, so no rule can be taken for one of these. */
const prefix = 'drill:'
const receiverLabel = 'drill_receiver'
/** How long it fires, at least: the dispatcher looks once a minute. */
const firesForMs = minuteMs

export function isDrill({ fingerprint }: Pick<Alert, 'fingerprint'>): boolean {
  return fingerprint.startsWith(prefix)
}

export function drillFingerprint(id: string): string {
  return prefix + id
}

/** What tells one drill from all other alerts of its group. */
export function drillLabels(alert: Alert): Readonly<Record<string, string>> {
  return isDrill(alert) ? { drill: alert.labels['drill'] ?? '' } : {}
}

/**
 * An invented alert as the rule would raise it, with labels that its routes would see.
 *
 * @param asked `rule` null for an alert of no rule; `receiver` null to let the routes decide
 */
export function drillAlert(
  id: string,
  asked: { rule: Rule | null; receiver: string | null; severity: Severity },
  now: EpochMs,
): Alert {
  const { rule, receiver } = asked
  const severity = rule?.severity ?? asked.severity
  const labels = {
    ...seriesLabels(rule),
    ...rule?.labels,
    severity,
    drill: id,
    ...(receiver === null ? {} : { [receiverLabel]: receiver }),
  }
  const fingerprint = drillFingerprint(id)
  return {
    ...{ fingerprint, episode: `${fingerprint}@${now}`, rule: rule?.name ?? 'Drill', severity, state: 'firing' },
    labels,
    annotations: { summary: 'This is a fire drill: the alert is invented, and nobody is affected.' },
    ...{ activeAtMs: now, firedAtMs: now, resolvedAtMs: null, evaluatedAtMs: now, value: 60, shadow: false },
    numbers: {
      ...{ windowMs: 5 * minuteMs, observed: 60, requests: 1_004, expected: 2.2, pValue: 1e-7, soFar: 60, peak: 60 },
      ...{ top: [], tenants: 1, scope: null, facts: [] },
    },
  }
}

/** The labels of an invented series, as far as the rule tells its series apart; with a cause that it looks at. */
function seriesLabels(rule: Rule | null): Readonly<Record<string, string>> {
  const matchers = (rule?.matchers ?? []).filter(({ label }) => label === 'cause' || label === 'family')
  const fits = (one: Cause) => matchesAll(matchers, { cause: one, family: familyOf[one] })
  const cause = fits('quota_exceeded') ? 'quota_exceeded' : (causes.find(fits) ?? 'unknown')
  const all = { tenant: 'example-tenant', api: 'example-api', cause, family: familyOf[cause] }
  const by: readonly string[] = rule?.groupBy ?? ['tenant', 'api', 'cause']
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => by.includes(name) || (name === 'family' && by.includes('cause'))),
  )
}

/** The drills that have fired for long enough, as they end. */
export function drillEnds(firing: Iterable<Alert>, now: EpochMs): readonly Transition[] {
  const due = new Map<string, Alert>()
  for (const alert of firing)
    if (isDrill(alert) && alert.activeAtMs + firesForMs <= now) due.set(alert.fingerprint, alert)
  return [...due.values()].map((alert) => ({
    from: 'firing',
    alert: { ...alert, state: 'resolved', resolvedAtMs: now, evaluatedAtMs: now },
  }))
}

/** The ways of the receiver that a drill is for; null where the routes decide. */
export function drillWays(alert: Alert, routing: Routing): readonly Integration[] | null {
  const receiver = isDrill(alert) ? alert.labels[receiverLabel] : undefined
  return receiver === undefined ? null : (routing.receivers.get(receiver) ?? [])
}

/** The route by which a drill goes to a receiver of its own. */
export const drillRoute: Route = {
  key: '{drill}',
  text: 'drill, which is built in,',
  receiver: 'log',
  matchers: [],
  continue: false,
  groupBy: ['rule'],
  groupWaitMs: 0,
  groupIntervalMs: minuteMs,
  repeatIntervalMs: null,
  muteTimes: [],
  activeTimes: [],
  routes: [],
}
