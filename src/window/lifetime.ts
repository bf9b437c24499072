import { causes } from '../classify/cause.ts'
import type { SeriesTotals } from './view.ts'

export interface LifetimeTotal {
  requests: number
  /** By index of the cause; null before the first refusal. */
  refusals: Float64Array | null
}

/** Counts per series since the process started: the source of the monotonic counters in `/metrics`. */
export class Lifetime {
  readonly #tenants = new Map<string, Map<string, LifetimeTotal>>()
  readonly #limit: number
  #size = 0
  readonly #rest: LifetimeTotal = { requests: 0, refusals: null }

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The totals of a series; series beyond the limit share those of `__other__`. */
  of(tenant: string, api: string): LifetimeTotal {
    const known = this.#tenants.get(tenant)?.get(api)
    if (known !== undefined) return known
    if (this.#size >= this.#limit) return this.#rest
    const apis = this.#tenants.get(tenant) ?? new Map<string, LifetimeTotal>()
    this.#tenants.set(tenant, apis)
    const total: LifetimeTotal = { requests: 0, refusals: null }
    apis.set(api, total)
    this.#size++
    return total
  }

  /** Counts one request of a series; `cause` is the index of its cause, -1 when it was not refused. */
  count(total: LifetimeTotal, cause: number): void {
    total.requests++
    if (cause < 0) return
    total.refusals ??= new Float64Array(causes.length)
    total.refusals[cause] = (total.refusals[cause] ?? 0) + 1
  }

  totals(): readonly SeriesTotals[] {
    const rows: SeriesTotals[] = []
    for (const [tenant, apis] of this.#tenants) {
      for (const [api, total] of apis) rows.push(totalsOf(tenant, api, total))
    }
    if (this.#rest.requests > 0) rows.push(totalsOf('__other__', '__other__', this.#rest))
    return rows
  }
}

function totalsOf(tenant: string, api: string, { requests, refusals }: LifetimeTotal): SeriesTotals {
  const found = causes
    .map((cause, index) => ({ cause, count: refusals?.[index] ?? 0 }))
    .filter(({ count }) => count > 0)
  return { tenant, api, requests, paymentRequired: found.reduce((sum, { count }) => sum + count, 0), causes: found }
}
