import { causes } from '../classify/cause.ts'
import { grown } from './growing.ts'
import type { SeriesTotals } from './view.ts'

/** The number of a series' totals. */
export type LifetimeTotal = number

/** What the series beyond the limit share. */
const rest: LifetimeTotal = 0

/**
 * Counts per series since the process started: the source of the monotonic counters in `/metrics`. A million series
 * are two columns of numbers, and some more for those that have had a refusal.
 */
export class Lifetime {
  readonly #tenants = new Map<string, Map<string, LifetimeTotal>>()
  readonly #limit: number
  #size = 0
  #requests = new Float64Array(1)
  /** Where the refusals of a series begin, one number for each cause; -1 before the first. */
  #refusedAt = new Int32Array(1).fill(-1)
  #refusals = new Float64Array(0)
  #refused = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The totals of a series; series beyond the limit share those of `__other__`. */
  of(tenant: string, api: string): LifetimeTotal {
    const known = this.#tenants.get(tenant)?.get(api)
    if (known !== undefined) return known
    if (this.#size >= this.#limit) return rest
    const apis = this.#tenants.get(tenant) ?? new Map<string, LifetimeTotal>()
    this.#tenants.set(tenant, apis)
    this.#size++
    const total = this.#size
    this.#requests = grown(this.#requests, total + 1)
    this.#refusedAt = grown(this.#refusedAt, total + 1, -1)
    apis.set(api, total)
    return total
  }

  /** Counts one request of a series; `cause` is the index of its cause, -1 when it was not refused. */
  count(total: LifetimeTotal, cause: number): void {
    this.#requests[total] = (this.#requests[total] ?? 0) + 1
    if (cause >= 0) this.#refuse(total, cause)
  }

  /** Adds requests of a series that were not refused. */
  add(total: LifetimeTotal, requests: number): void {
    this.#requests[total] = (this.#requests[total] ?? 0) + requests
  }

  totals(): readonly SeriesTotals[] {
    const rows: SeriesTotals[] = []
    for (const [tenant, apis] of this.#tenants) {
      for (const [api, total] of apis) rows.push(this.#totalsOf(tenant, api, total))
    }
    if ((this.#requests[rest] ?? 0) > 0) rows.push(this.#totalsOf('__other__', '__other__', rest))
    return rows
  }

  #refuse(total: LifetimeTotal, cause: number): void {
    let from = this.#refusedAt[total] ?? -1
    if (from < 0) {
      from = this.#refused
      this.#refused += causes.length
      this.#refusals = grown(this.#refusals, this.#refused)
      this.#refusedAt[total] = from
    }
    this.#refusals[from + cause] = (this.#refusals[from + cause] ?? 0) + 1
  }

  #totalsOf(tenant: string, api: string, total: LifetimeTotal): SeriesTotals {
    const requests = this.#requests[total] ?? 0
    const from = this.#refusedAt[total] ?? -1
    if (from < 0) return { tenant, api, requests, paymentRequired: 0, causes: [] }
    const found = causes
      .map((cause, index) => ({ cause, count: this.#refusals[from + index] ?? 0 }))
      .filter(({ count }) => count > 0)
    return { tenant, api, requests, paymentRequired: found.reduce((sum, { count }) => sum + count, 0), causes: found }
  }
}
