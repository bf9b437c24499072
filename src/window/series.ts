import type { Lifetime, LifetimeTotal } from './lifetime.ts'

/** Where the APIs (or, last of all, tenants) beyond a limit are counted. */
export const otherLabel = '__other__'

/** One (tenant, api). Its `id` is its row in the rings and is reused once the series is forgotten. */
export interface Series {
  readonly tenant: string
  readonly api: string
  readonly id: number
  /** Row of each cause in the rings of refusals, -1 until that cause was seen; null before the first refusal. */
  causeIds: Int32Array | null
  /** Newest slice that was counted. */
  lastSlice: number
  /** What was counted since the process started; survives reloads of the windows. */
  readonly total: LifetimeTotal
}

/**
 * Gives each (tenant, api) its series, within limits: over `perTenant` a tenant's further APIs fold into its
 * `__other__`; over `limit` new APIs fold inside their tenant and, last, new tenants into `__other__`. Totals stay
 * exact, because a folded record is counted under the folded name everywhere.
 */
export class SeriesTable {
  readonly #tenants = new Map<string, Map<string, Series>>()
  readonly #freeIds: number[] = []
  readonly #limit: number
  readonly #perTenant: number
  #size = 0
  #nextId = 0
  readonly #lifetime: Lifetime
  #folded = 0

  constructor(options: { limit: number; perTenant: number; lifetime: Lifetime }) {
    this.#lifetime = options.lifetime
    this.#limit = options.limit
    this.#perTenant = options.perTenant
  }

  get size(): number {
    return this.#size
  }

  /** Records that were counted under a folded name. */
  get folded(): number {
    return this.#folded
  }

  of(tenant: string, api: string): Series {
    const apis = this.#tenants.get(tenant)
    const known = apis?.get(api)
    if (known !== undefined) return known
    if (apis === undefined) {
      if (this.#size >= this.#limit && tenant !== otherLabel) {
        this.#folded++
        return this.#make(otherLabel, otherLabel)
      }
    } else if (api !== otherLabel && (this.#size >= this.#limit || apis.size >= this.#perTenant)) {
      this.#folded++
      return this.#make(tenant, otherLabel)
    }
    return this.#make(tenant, api)
  }

  /** The series of this name if there is one; unlike `of` it makes none. */
  find(tenant: string, api: string): Series | null {
    return this.#tenants.get(tenant)?.get(api) ?? null
  }

  /** Visits every series; `visit` may forget the one it is given. Plain loops: a generator costs more than most visits. */
  forEach(visit: (series: Series) => void): void {
    for (const apis of this.#tenants.values()) {
      for (const series of apis.values()) visit(series)
    }
  }

  forget(series: Series): void {
    const apis = this.#tenants.get(series.tenant)
    if (apis?.get(series.api) !== series) return
    apis.delete(series.api)
    if (apis.size === 0) this.#tenants.delete(series.tenant)
    this.#freeIds.push(series.id)
    this.#size--
  }

  #make(tenant: string, api: string): Series {
    const apis = this.#tenants.get(tenant) ?? new Map<string, Series>()
    const known = apis.get(api)
    if (known !== undefined) return known
    this.#tenants.set(tenant, apis)
    const id = this.#freeIds.pop() ?? this.#nextId++
    const series = { tenant, api, id, causeIds: null, lastSlice: -1, total: this.#lifetime.of(tenant, api) }
    apis.set(api, series)
    this.#size++
    return series
  }
}
