import type { Alert, Transition } from '../../src/alert/alert.ts'
import { fingerprint } from '../../src/alert/fingerprint.ts'
import type { EpochMs } from '../../src/time/clock.ts'
import type { WindowView } from '../../src/window/view.ts'

/** Something that looks at the windows once a minute and says what it would alert on. */
export interface Watcher {
  readonly name: string
  /** A minute of event time has been closed. */
  step(atMs: EpochMs, view: WindowView): readonly Transition[]
  /** Called every minute of the clock, also while the log stands still and event time with it. */
  wait(nowMs: EpochMs, watermarkAgeMs: number): readonly Transition[]
}

const fiveMinutes = 300_000
const minute = 60_000

/** One series that is out of bounds now. */
interface Finding {
  readonly labels: Readonly<Record<string, string>>
  readonly observed: number
  readonly requests: number
}

/**
 * What most teams write: the share of 402s over 5 minutes, by tenant and API, above 5 % for 5 minutes, as
 * `sum by (tenant, api) (rate(payment_required_total[5m])) / sum by (tenant, api) (rate(requests_total[5m])) > 0.05`.
 */
export class StaticRatio implements Watcher {
  readonly name = 'static ratio > 5 % for 5m'
  readonly #lifecycle = new Lifecycle('StaticRatio', 5)

  step(atMs: EpochMs, view: WindowView): readonly Transition[] {
    const found: Finding[] = []
    for (const { tenant, api, requests, paymentRequired } of view.totals(atMs - fiveMinutes, atMs)) {
      if (requests > 0 && paymentRequired / requests > 0.05) {
        found.push({ labels: { tenant, api }, observed: paymentRequired, requests })
      }
    }
    return this.#lifecycle.step(atMs, found)
  }

  wait(): readonly Transition[] {
    return []
  }
}

/**
 * The other usual way: the count of 402s in 5 minutes, by tenant, API and cause, more than three standard deviations
 * above its exponentially weighted mean (half-life one day), and at least 5.
 */
export class ThreeSigma implements Watcher {
  readonly name = '3-sigma EWMA'
  readonly #lifecycle = new Lifecycle('ThreeSigma', 0)
  readonly #known = new Map<string, { mean: number; variance: number; seen: number }>()

  step(atMs: EpochMs, view: WindowView): readonly Transition[] {
    const found: Finding[] = []
    const counts = new Map<string, Finding>()
    for (const { tenant, api, requests, causes } of view.totals(atMs - fiveMinutes, atMs)) {
      for (const { cause, count } of causes) {
        counts.set(JSON.stringify([tenant, api, cause]), { labels: { tenant, api, cause }, observed: count, requests })
      }
    }
    for (const key of counts.keys()) if (!this.#known.has(key)) this.#known.set(key, { mean: 0, variance: 0, seen: 0 })
    const weight = 1 - 2 ** (-1 / (24 * 60))
    for (const [key, state] of this.#known) {
      const finding = counts.get(key)
      const count = finding?.observed ?? 0
      const high = count > state.mean + 3 * Math.sqrt(state.variance) && count >= 5
      // An hour to get to know a series is the least one would give it.
      if (finding !== undefined && high && state.seen >= 60) found.push(finding)
      const step = Math.max(weight, 1 / (state.seen + 1))
      const off = count - state.mean
      state.mean += step * off
      state.variance = (1 - step) * (state.variance + step * off * off)
      state.seen++
    }
    return this.#lifecycle.step(atMs, found)
  }

  wait(): readonly Transition[] {
    return []
  }
}

/** Pending, firing and resolved as Prometheus does it, so that the rivals' alerts go through the same routing as ours. */
class Lifecycle {
  readonly #rule: string
  readonly #forMinutes: number
  readonly #active = new Map<string, { since: EpochMs; alert: Alert | null }>()

  constructor(rule: string, forMinutes: number) {
    this.#rule = rule
    this.#forMinutes = forMinutes
  }

  step(atMs: EpochMs, found: readonly Finding[]): readonly Transition[] {
    const transitions: Transition[] = []
    const now = new Map(found.map((finding) => [fingerprint(this.#rule, finding.labels), finding]))
    for (const [print, finding] of now) {
      const entry = this.#active.get(print) ?? { since: atMs, alert: null }
      this.#active.set(print, entry)
      if (entry.alert !== null || atMs - entry.since < this.#forMinutes * minute) continue
      entry.alert = alertOf(this.#rule, print, finding, entry.since, atMs)
      transitions.push({ from: 'inactive', alert: entry.alert })
    }
    for (const [print, { alert }] of this.#active) {
      if (now.has(print)) continue
      this.#active.delete(print)
      if (alert === null) continue
      transitions.push({
        from: 'firing',
        alert: { ...alert, state: 'resolved', resolvedAtMs: atMs, evaluatedAtMs: atMs },
      })
    }
    return transitions
  }
}

function alertOf(rule: string, print: string, finding: Finding, activeAtMs: EpochMs, atMs: EpochMs): Alert {
  const { tenant = '', api = '', cause = 'unknown' } = finding.labels
  return {
    ...{ fingerprint: print, episode: `${print}-${activeAtMs}`, rule, severity: 'ticket', state: 'firing' },
    ...{ labels: { ...finding.labels, rule }, annotations: { summary: rule }, shadow: false },
    ...{ activeAtMs, firedAtMs: atMs, resolvedAtMs: null, evaluatedAtMs: atMs, value: finding.observed },
    numbers: {
      ...{
        windowMs: fiveMinutes,
        observed: finding.observed,
        requests: finding.requests,
        expected: null,
        pValue: null,
      },
      ...{ soFar: finding.observed, peak: finding.observed, tenants: 1, scope: null, facts: [] },
      top: [{ tenant, api, cause, count: finding.observed }],
    },
  }
}
