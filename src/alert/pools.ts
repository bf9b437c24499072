import type { GroupLabels } from './grouping.ts'
import type { SeriesLabel } from './rule.ts'

/** How many units of exposure a borrowed rate is worth: reference 4.2, step 8. */
export const borrowedExposure = 200

/**
 * But never more than so many counted events: relatives differ among themselves, so what is borrowed must stay vague.
 */
export const borrowedEvents = 2

/** So many events without clumps are taken for granted, so that a handful of series proves nothing. */
const evenEvents = 100
/** Under these keys the clumps of the two horizons are saved; no pool of rates is called so. */
const clumpKeys = ['clumps short', 'clumps long'] as const

/**
 * The rate of one cause we assume where nothing at all is known: one request in a hundred. On the high side, so that a
 * first hour is rather calm than loud; a few thousand requests of the series' own outweigh it.
 */
export const unknownRate = 0.01

/**
 * What is normal for the relatives of a series: the same cause over all tenants, on its API, at its tenant. A new
 * series starts from these, each level shrunk towards the one above it.
 */
export class Pools {
  readonly #levels: readonly ('fleet' | 'api' | 'tenant')[]
  #sums = new Map<string, { a: number; b: number }>()

  constructor(groupBy: readonly SeriesLabel[]) {
    const both = groupBy.includes('tenant') && groupBy.includes('api')
    const one = groupBy.includes('tenant') || groupBy.includes('api')
    this.#levels = both ? ['fleet', 'api', 'tenant'] : one ? ['fleet'] : []
  }

  /** Starts a new count of what all series know. */
  clear(): void {
    this.#sums = new Map()
  }

  /** Adds what a rare series knows of its variance beyond Poisson. */
  addClumps(horizon: 0 | 1, { excess, events }: { excess: number; events: number }): void {
    this.#addTo(clumpKeys[horizon], excess, events)
  }

  /**
   * How many more come with each event: the index of dispersion less one, from the windows of the horizon that shows
   * more of it, since outliers are cut off on the short one.
   */
  get clumping(): number {
    let most = 0
    for (const key of clumpKeys) {
      const sum = this.#sums.get(key)
      if (sum !== undefined) most = Math.max(most, sum.a / (sum.b + evenEvents))
    }
    return most
  }

  add(labels: GroupLabels, a: number, b: number): void {
    for (const level of this.#levels) this.#addTo(poolKey(level, labels), a, b)
  }

  #addTo(key: string, a: number, b: number): void {
    const sum = this.#sums.get(key)
    if (sum === undefined) this.#sums.set(key, { a, b })
    else {
      sum.a += a
      sum.b += b
    }
  }

  /** The rate a new series would have if it were like its relatives; null if it has none. */
  rateFor(labels: GroupLabels): number | null {
    let rate: number | null = null
    for (const level of this.#levels) {
      const sum = this.#sums.get(poolKey(level, labels))
      if (sum === undefined || sum.b <= 0) continue
      rate = rate === null ? sum.a / sum.b : (sum.a + borrowedExposure * rate) / (sum.b + borrowedExposure)
    }
    return rate
  }

  save(): readonly (readonly [string, number, number])[] {
    return [...this.#sums].map(([key, { a, b }]) => [key, a, b])
  }

  load(saved: readonly (readonly [string, number, number])[]): void {
    this.#sums = new Map(saved.map(([key, a, b]) => [key, { a, b }]))
  }
}

/** The free text stands last, so that no tenant's name can pass for another pool. */
function poolKey(level: 'fleet' | 'api' | 'tenant', labels: GroupLabels): string {
  const name = level === 'fleet' ? '' : (labels[level] ?? '')
  return `${level} ${labels.cause ?? ''} ${labels.family ?? ''} ${name}`
}
