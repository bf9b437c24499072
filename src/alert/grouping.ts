import { type Cause, type CauseFamily, causes, familyOf } from '../classify/cause.ts'
import { formatMatcher, type Matcher } from './matcher.ts'
import { type OwnLabel, type SeriesLabel, seriesLabels } from './rule.ts'

/*
 * The hot part of the rules: every step sums tens of thousands of series by several sets of labels. Strings are
 * looked at once per row and span (two map look-ups); all else works on small integers in typed arrays.
 *
 * pair: number of a (tenant, api). group: number of a set of label values. Both are forgotten together when the
 * index is renewed, so no result may depend on their order.
 */

export const noGroup = -1
const notYetKnown = -2
const causeCount = causes.length
const causeNumbers = new Map<Cause, number>(causes.map((cause, number) => [cause, number]))

/** Numbers the pairs of tenant and API. */
export class PairIndex {
  readonly #apis = new Map<string, Map<string, number>>()
  readonly tenants: string[] = []
  readonly apis: string[] = []

  /** @param guess a number that may be it: windows list series in much the same order every time */
  numberOf(tenant: string, api: string, guess: number): number {
    if (this.tenants[guess] === tenant && this.apis[guess] === api) return guess
    let apis = this.#apis.get(tenant)
    if (apis === undefined) {
      apis = new Map()
      this.#apis.set(tenant, apis)
    }
    let number = apis.get(api)
    if (number === undefined) {
      number = this.tenants.length
      apis.set(api, number)
      this.tenants.push(tenant)
      this.apis.push(api)
    }
    return number
  }
}

export type GroupLabels = Readonly<Partial<Record<SeriesLabel | OwnLabel, string>>>

/** One way of grouping: its labels, and which rows count. Shared by all rules that group alike. */
export class Grouping {
  readonly by: readonly SeriesLabel[]
  /** Label values and sort key of each group. */
  readonly labels: GroupLabels[] = []
  readonly keys: string[] = []
  /** The group whose requests are this group's exposure: the same, without the cause. */
  readonly exposureOf: number[] = []
  exposureCount = 0
  readonly #pairs: PairIndex
  readonly #rowMatchers: readonly Matcher[]
  readonly #byCause: boolean
  readonly #causePasses: readonly boolean[]
  readonly #groups = new Map<string, number>()
  readonly #exposures = new Map<string, number>()
  #exposureOfPair = new Int32Array(0)
  #groupOfPairCause = new Int32Array(0)

  constructor(pairs: PairIndex, { by, rowMatchers }: GroupingPlan) {
    this.#pairs = pairs
    this.by = by
    this.#rowMatchers = rowMatchers
    this.#byCause = this.by.includes('cause') || this.by.includes('family')
    this.#causePasses = causes.map((cause) => passes(rowMatchers, { cause, family: familyOf[cause] }))
  }

  get size(): number {
    return this.keys.length
  }

  /** The number of the group with this key, or `noGroup`. */
  numberOf(key: string): number {
    return this.#groups.get(key) ?? noGroup
  }

  /** The exposure group of a pair, or `noGroup` if its rows do not count. */
  exposureOfPair(pair: number): number {
    if (pair >= this.#exposureOfPair.length) this.#makeRoom(pair)
    const known = this.#exposureOfPair[pair] ?? notYetKnown
    return known === notYetKnown ? this.#learnExposure(pair) : known
  }

  /** The group of a pair's refusals with this cause, or `noGroup`. The pair's exposure must be known. */
  groupOf(pair: number, cause: Cause): number {
    const number = causeNumbers.get(cause) ?? 0
    const at = pair * causeCount + number
    const known = this.#groupOfPairCause[at] ?? notYetKnown
    return known === notYetKnown ? this.#learnGroup(pair, number, at) : known
  }

  #learnExposure(pair: number): number {
    const tenant = this.#pairs.tenants[pair] ?? ''
    const api = this.#pairs.apis[pair] ?? ''
    let exposure: number = noGroup
    if (passes(this.#rowMatchers, { tenant, api })) {
      const labels: Partial<Record<SeriesLabel, string>> = {}
      if (this.by.includes('tenant')) labels.tenant = tenant
      if (this.by.includes('api')) labels.api = api
      const key = JSON.stringify([labels.tenant ?? null, labels.api ?? null])
      exposure = this.#exposures.get(key) ?? this.exposureCount
      if (exposure === this.exposureCount) {
        this.#exposures.set(key, exposure)
        this.exposureCount++
        if (!this.#byCause) this.#addGroup(labels, exposure)
      }
    }
    this.#exposureOfPair[pair] = exposure
    return exposure
  }

  #learnGroup(pair: number, causeNumber: number, at: number): number {
    const exposure = this.exposureOfPair(pair)
    let group: number = noGroup
    const cause = causes[causeNumber] ?? 'unknown'
    if (exposure !== noGroup && this.#causePasses[causeNumber] === true) {
      if (!this.#byCause) {
        // Without a cause in its labels a group is its own exposure.
        group = exposure
      } else {
        const labels: Partial<Record<SeriesLabel, string>> = {}
        if (this.by.includes('tenant')) labels.tenant = this.#pairs.tenants[pair] ?? ''
        if (this.by.includes('api')) labels.api = this.#pairs.apis[pair] ?? ''
        if (this.by.includes('cause')) labels.cause = cause
        if (this.by.includes('family')) labels.family = familyOf[cause]
        group = this.#addGroup(labels, exposure)
      }
    }
    this.#groupOfPairCause[at] = group
    return group
  }

  #addGroup(labels: GroupLabels, exposure: number): number {
    const key = JSON.stringify(this.by.map((label) => labels[label] ?? ''))
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const group = this.keys.length
    this.#groups.set(key, group)
    this.keys.push(key)
    this.labels.push(labels)
    this.exposureOf.push(exposure)
    return group
  }

  #makeRoom(pair: number): void {
    const size = Math.max(1024, 2 * (pair + 1))
    this.#exposureOfPair = grown(this.#exposureOfPair, size)
    this.#groupOfPairCause = grown(this.#groupOfPairCause, size * causeCount)
  }
}

/** A way of grouping, written down once for each rule. */
export interface GroupingPlan {
  /** In one fixed order, so that [api, tenant] and [tenant, api] are one grouping. */
  readonly by: readonly SeriesLabel[]
  readonly rowMatchers: readonly Matcher[]
  /** The name under which equal groupings are shared. */
  readonly id: string
}

export function planGrouping(by: readonly SeriesLabel[], rowMatchers: readonly Matcher[]): GroupingPlan {
  const labels = seriesLabels.filter((label) => by.includes(label))
  return { by: labels, rowMatchers, id: JSON.stringify([labels, rowMatchers.map(formatMatcher).sort()]) }
}

function grown(old: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const array = new Int32Array(size).fill(notYetKnown)
  array.set(old)
  return array
}

/** Whether those matchers that speak of the given labels accept them. */
export function passes(matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean {
  return matchers.every((matcher) => {
    const value = labels[matcher.label]
    return value === undefined || matcher.test(value)
  })
}

/** Whether a matcher speaks of what the groups are made of, so that groups and not rows can be filtered by it. */
export function concernsGroup(matcher: Matcher, by: readonly SeriesLabel[]): boolean {
  return by.some((label) => label === matcher.label) || (matcher.label === 'family' && by.includes('cause'))
}

/** All labels of a group, with the family that follows from its cause. */
export function fullLabels(labels: GroupLabels): Readonly<Record<string, string>> {
  const cause = causes.find((candidate) => candidate === labels.cause)
  const family: CauseFamily | null = cause === undefined ? null : familyOf[cause]
  return family === null ? { ...labels } : { ...labels, family }
}
