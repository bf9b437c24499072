import type { Alert } from '../alert/alert.ts'
import type { TenantDirectory } from '../tenants/directory.ts'
import type { EpochMs } from '../time/clock.ts'
import { isTimezone } from '../time/local-time.ts'
import { isDrill } from './drill-alert.ts'
import type { Groups } from './groups.ts'
import { Inhibitions } from './inhibit.ts'
import { labelOf, labelsOf } from './labels.ts'
import type { Route, Routing } from './routing.ts'
import type { Silences } from './silence.ts'
import { contains } from './time-interval.ts'

/** Why an alert is not announced; `name` is the silence's id, or the name of the inhibition or time interval. */
export interface Muted {
  readonly by: 'silence' | 'inhibition' | 'time'
  readonly name: string
}

/** Null where the alert is announced. */
export type Muting = (alert: Alert, route: Route) => Muted | null

/**
 * Whether an alert is silenced, inhibited or out of hours now. The inhibitions are worked out when they are first asked
 * for, from the groups as they are then; the answers are meant for one tick and not to be kept.
 */
export function mutingAt(
  now: EpochMs,
  context: { silences: Silences; routing: Routing; tenants: TenantDirectory },
  groups: Groups,
): Muting {
  const { silences, routing, tenants } = context
  const hours = new Hours(now, routing)
  let inhibitions: Inhibitions | null = null
  return (alert, route) => {
    const silence = silences.muting(labelsOf(alert), now)
    if (silence !== null) return { by: 'silence', name: silence.id }
    inhibitions ??= new Inhibitions(routing.inhibitRules, realIn(groups), now)
    const inhibitor = inhibitions.inhibitorOf(alert)
    if (inhibitor !== null) return { by: 'inhibition', name: inhibitor }
    if (route.muteTimes.length + route.activeTimes.length === 0) return null
    return hours.mutedBy(route, tenants.find(labelOf(alert.labels, 'tenant'))?.timezone ?? null)
  }
}

/** Time intervals as they stand at one moment, each worked out once for a zone. */
class Hours {
  readonly #now: EpochMs
  readonly #routing: Routing
  readonly #found = new Map<string, boolean>()

  constructor(now: EpochMs, routing: Routing) {
    this.#now = now
    this.#routing = routing
  }

  mutedBy(route: Route, tenantZone: string | null): Muted | null {
    const muting = route.muteTimes.find((name) => this.#isIn(name, tenantZone))
    if (muting !== undefined) return { by: 'time', name: muting }
    const { activeTimes } = route
    const isActive = activeTimes.length === 0 || activeTimes.some((name) => this.#isIn(name, tenantZone))
    return isActive ? null : { by: 'time', name: activeTimes.join(', ') }
  }

  #isIn(name: string, tenantZone: string | null): boolean {
    const key = JSON.stringify([name, tenantZone])
    let found = this.#found.get(key)
    if (found === undefined) {
      const tenant = tenantZone !== null && isTimezone(tenantZone) ? tenantZone : null
      const intervals = this.#routing.timeIntervals.get(name) ?? []
      found = intervals.some((one) => contains(one, this.#now, { tenant, routing: this.#routing.timezone }))
      this.#found.set(key, found)
    }
    return found
  }
}

/** Every alert that is remembered, also those that have ended; a drill stands in front of nothing real. */
function* realIn(groups: Groups): Generator<Alert> {
  for (const { members } of groups.values()) {
    for (const { alert } of members.values()) if (!isDrill(alert)) yield alert
  }
}

/** Every alert that fires, muted or not; one that several groups hold comes as often. */
export function* firingIn(groups: Groups): Generator<Alert> {
  for (const { members } of groups.values()) {
    for (const member of members.values()) if (member.alert.state === 'firing') yield member.alert
  }
}
