import { grown } from './growing.ts'
import type { Lifetime, LifetimeTotal } from './lifetime.ts'
import { OwnedCells } from './owned-cells.ts'

/** Where the APIs (or, last of all, tenants) beyond a limit are counted. */
export const otherLabel = '__other__'

/** Most names of APIs of which all tenants share one text. */
const sharedNames = 10_000

/** One (tenant, api). Whoever keeps it looks at `id` before counting: a forgotten series must be looked up anew. */
export interface Series {
  readonly tenant: string
  readonly api: string
  /** Its cell in the rings, which another series gets once this one is forgotten; -1 from then on. */
  id: number
  /** Where the cells of its causes stand; -1 before the first refusal. */
  refusedAt: number
  /** What was counted since the process started; survives reloads of the windows. */
  readonly total: LifetimeTotal
}

/**
 * Gives each (tenant, api) its series, within limits: over `perTenant` a tenant's further APIs fold into its
 * `__other__`; over `limit` new APIs fold inside their tenant and, last, new tenants into `__other__`. Totals stay
 * exact, because a folded record is counted under the folded name everywhere.
 */
export class SeriesTable {
  readonly cells: OwnedCells = new OwnedCells({ byCause: false })
  readonly #tenants = new Map<string, Map<string, Series>>()
  readonly #names = new Map<string, string>()
  readonly #limit: number
  readonly #perTenant: number
  #size = 0
  readonly #lifetime: Lifetime
  /** By id the newest slice that was counted. */
  #lastSlices = new Int32Array(0)
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

  /** Visits every series. Plain loops: a generator costs more than most visits. */
  forEach(visit: (series: Series) => void): void {
    for (const apis of this.#tenants.values()) {
      for (const series of apis.values()) visit(series)
    }
  }

  /** Notes that a series was counted in a slice. */
  touch(id: number, slice: number): void {
    if (slice > (this.#lastSlices[id] ?? -1)) this.#lastSlices[id] = slice
  }

  /** The newest slice in which a series was counted; -1 for none. */
  lastSliceOf(id: number): number {
    return this.#lastSlices[id] ?? -1
  }

  forget(series: Series): void {
    const apis = this.#tenants.get(series.tenant)
    if (apis?.get(series.api) !== series) return
    apis.delete(series.api)
    if (apis.size === 0) this.#tenants.delete(series.tenant)
    this.cells.take(series.id)
    series.id = -1
    this.#size--
  }

  #make(tenant: string, api: string): Series {
    let apis = this.#tenants.get(tenant)
    const known = apis?.get(api)
    if (known !== undefined) return known
    if (apis === undefined) {
      apis = new Map<string, Series>()
      this.#tenants.set(tenant, apis)
    }
    // A million series have few different names, and each record brings them in a text of its own.
    const first: Series | undefined = apis.values().next().value
    const name = { tenant: first?.tenant ?? tenant, api: this.#shared(api) }
    const total = this.#lifetime.of(name.tenant, name.api)
    const series = { tenant: name.tenant, api: name.api, id: -1, refusedAt: -1, total }
    series.id = this.cells.give(series)
    this.#lastSlices = grown(this.#lastSlices, series.id + 1, -1)
    this.#lastSlices[series.id] = -1
    apis.set(name.api, series)
    this.#size++
    return series
  }

  #shared(api: string): string {
    const known = this.#names.get(api)
    if (known !== undefined) return known
    if (this.#names.size < sharedNames) this.#names.set(api, api)
    return api
  }
}
