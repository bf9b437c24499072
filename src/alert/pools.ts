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
  readonly #numbers = new Map<string, number>()
  #sums: { a: number; b: number }[] = []

  constructor(groupBy: readonly SeriesLabel[]) {
    const both = groupBy.includes('tenant') && groupBy.includes('api')
    const one = groupBy.includes('tenant') || groupBy.includes('api')
    this.#levels = both ? ['fleet', 'api', 'tenant'] : one ? ['fleet'] : []
  }

  /** How many pools have a number, also those that nobody lends to any more. */
  get size(): number {
    return this.#sums.length
  }

  /** Starts a new count of what all series know; the pools keep their numbers. */
  clear(): void {
    for (const sum of this.#sums) {
      sum.a = 0
      sum.b = 0
    }
  }

  /** Forgets all pools and their numbers. */
  renumber(): void {
    this.#numbers.clear()
    this.#sums = []
  }

  /** Adds what a rare series knows of its variance beyond Poisson. */
  addClumps(horizon: 0 | 1, { excess, events }: { excess: number; events: number }): void {
    this.add([this.#numberOf(clumpKeys[horizon])], excess, events)
  }

  /**
   * How many more come with each event: the index of dispersion less one, from the windows of the horizon that shows
   * more of it, since outliers are cut off on the short one.
   */
  get clumping(): number {
    let most = 0
    for (const key of clumpKeys) {
      const sum = this.#sumOf(key)
      if (sum !== undefined) most = Math.max(most, sum.a / (sum.b + evenEvents))
    }
    return most
  }

  /** The numbers of the pools that a series lends to, for `add`; they hold until `renumber`. */
  numbersOf(labels: GroupLabels): readonly number[] {
    return this.#levels.map((level) => this.#numberOf(poolKey(level, labels)))
  }

  /** Adds what one series knows to its pools. */
  add(pools: readonly number[], a: number, b: number): void {
    for (let at = 0; at < pools.length; at++) {
      const sum = this.#sums[pools[at] ?? -1]
      if (sum === undefined) continue
      sum.a += a
      sum.b += b
    }
  }

  #numberOf(key: string): number {
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#sums.push({ a: 0, b: 0 }) - 1
      this.#numbers.set(key, number)
    }
    return number
  }

  #sumOf(key: string): { readonly a: number; readonly b: number } | undefined {
    return this.#sums[this.#numbers.get(key) ?? -1]
  }

  /** The rate a new series would have if it were like its relatives; null if it has none. */
  rateFor(labels: GroupLabels): number | null {
    let rate: number | null = null
    for (const level of this.#levels) {
      const sum = this.#sumOf(poolKey(level, labels))
      if (sum === undefined || sum.b <= 0) continue
      rate = rate === null ? sum.a / sum.b : (sum.a + borrowedExposure * rate) / (sum.b + borrowedExposure)
    }
    return rate
  }

  /** Those that somebody has added to. */
  save(): readonly (readonly [string, number, number])[] {
    return [...this.#numbers].flatMap(([key, number]) => {
      const { a, b } = this.#sums[number] ?? { a: 0, b: 0 }
      return a === 0 && b === 0 ? [] : [[key, a, b] as const]
    })
  }

  load(saved: readonly (readonly [string, number, number])[]): void {
    this.clear()
    for (const [key, a, b] of saved) this.add([this.#numberOf(key)], a, b)
  }
}

/** The free text stands last, so that no tenant's name can pass for another pool. */
function poolKey(level: 'fleet' | 'api' | 'tenant', labels: GroupLabels): string {
  const name = level === 'fleet' ? '' : (labels[level] ?? '')
  return `${level} ${labels.cause ?? ''} ${labels.family ?? ''} ${name}`
}
