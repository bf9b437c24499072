import type { Cause } from '../classify/cause.ts'
import type { SeriesTotals } from '../window/view.ts'

/** The tenant and the API of the rest, the same word the windows use for folded series. */
export const otherLabel = '__other__'

/**
 * Decides which (tenant, api) pairs get metrics of their own. A pair once exported keeps its labels for the life of
 * the process, and one that was left out stays in the rest: counters that moved between the two would fall, and
 * Prometheus would read each fall as a restart and count everything again.
 */
export class ExportedSeries {
  readonly #limit: number
  readonly #apisByTenant = new Map<string, Set<string>>()
  #size = 0

  /** @param limit how many pairs get labels of their own */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Gives labels to pairs not seen before while there is room, those with the most refusals first. */
  admit(totals: readonly SeriesTotals[]): void {
    const room = this.#limit - this.#size
    if (room <= 0) return
    const fresh = totals.filter((series) => !isOther(series) && !this.has(series))
    if (fresh.length > room) {
      fresh.sort((a, b) => b.paymentRequired - a.paymentRequired || b.requests - a.requests)
      fresh.length = room
    }
    for (const { tenant, api } of fresh) {
      const apis = this.#apisByTenant.get(tenant) ?? new Set<string>()
      this.#apisByTenant.set(tenant, apis.add(api))
    }
    this.#size += fresh.length
  }

  has(series: { readonly tenant: string; readonly api: string }): boolean {
    return this.#apisByTenant.get(series.tenant)?.has(series.api) === true
  }

  /** The exported pairs as they are, and all others summed into one row at the end, so that sums stay right. */
  withRest(totals: readonly SeriesTotals[]): readonly SeriesTotals[] {
    const exported: SeriesTotals[] = []
    const causes = new Map<Cause, number>()
    let requests = 0
    let paymentRequired = 0
    for (const series of totals) {
      if (this.has(series)) {
        exported.push(series)
        continue
      }
      requests += series.requests
      paymentRequired += series.paymentRequired
      for (const { cause, count } of series.causes) causes.set(cause, (causes.get(cause) ?? 0) + count)
    }
    if (exported.length < totals.length) {
      const byCause = [...causes].map(([cause, count]) => ({ cause, count }))
      exported.push({ tenant: otherLabel, api: otherLabel, requests, paymentRequired, causes: byCause })
    }
    return exported
  }
}

/** Tenants the windows folded already carry the name of the rest and must not appear beside it. */
function isOther(series: SeriesTotals): boolean {
  return series.tenant === otherLabel && series.api === otherLabel
}
