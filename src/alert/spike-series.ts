import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import { Baselines, type Horizon, type Seed } from './baseline.ts'
import { GroupPlaces } from './group-places.ts'
import { type Grouping, type GroupingPlan, type GroupLabels, noGroup, planGrouping } from './grouping.ts'
import {
  type Amount,
  ageOf,
  before,
  guardAt,
  memoryMs,
  type Past,
  secondLookMs,
  settledAgeMs,
  settledGuardMs,
} from './newcomer.ts'
import { borrowedEvents, borrowedExposure, Pools, unknownRate } from './pools.ts'
import { GroupFilter, groupCounts, rowMatchers } from './reading.ts'
import type { Rule, SpikeCondition } from './rule.ts'
import type { HorizonReading } from './spike.ts'
import { type Groupings, type StepSums, spanId } from './step-sums.ts'

/** Counts and exposure of every place, over one span. */
export interface Gathered {
  readonly counts: Float64Array
  readonly exposures: Float64Array
}

/** The slots in which a baseline learns; its guard is twelve of them. */
export const slotMs: number = 5 * minuteMs
/** A series without a refusal for so many half-lives has nothing left worth keeping. */
const forgetAfterHalfLives = 7
/** A prior so vague that the first minute decides; for exposures whose unit we do not know. */
export const vaguePrior = { a: 0.5, b: 0.1 } as const

/** The series of one spike rule: which have a baseline, at which place, and what the windows say of each. */
export class SpikeSeries {
  readonly baselines: Baselines
  readonly pools: Pools
  /** The key of the series at each place; undefined where the place is free. */
  readonly keys: (string | undefined)[] = []
  /** Series that have refusals and found no room at the last evaluation. */
  turnedAway = 0
  readonly #condition: SpikeCondition
  readonly #groupings: Groupings
  readonly #plan: GroupingPlan
  readonly #filter: GroupFilter
  readonly #places = new Map<string, number>()
  /** The numbers of the pools that the series at each place lends to. */
  readonly #poolsOf: (readonly number[] | undefined)[] = []
  /** Places of young series, and of some that were young before. */
  readonly #young = new Set<number>()
  readonly #groupPlaces = new GroupPlaces((key) => this.#places.get(key))
  /** What was gathered in which step, by span; the arrays are filled anew in the next. */
  readonly #gathered = new Map<number, Gathered>()
  #gatheredIn: StepSums | null = null
  #spare: Gathered[] = []

  constructor(rule: Rule, condition: SpikeCondition, groupings: Groupings, seriesLimit: number) {
    this.#condition = condition
    this.#groupings = groupings
    this.#plan = planGrouping(rule.groupBy, rowMatchers(rule))
    this.#filter = new GroupFilter(rule)
    this.pools = new Pools(rule.groupBy)
    this.baselines = new Baselines({
      slotMs,
      halfLifeMs: condition.halfLifeMs,
      horizonsMs: [rule.windowMs, condition.alsoWindowMs],
      seriesLimit,
    })
  }

  get grouping(): Grouping {
    return this.#groupings.get(this.#plan)
  }

  placeOfKey(key: string): number | undefined {
    return this.#places.get(key)
  }

  /** The number, in the present grouping, of the series at a place. */
  groupAt(place: number): number {
    const key = this.keys[place]
    return key === undefined ? noGroup : this.grouping.numberOf(key)
  }

  labelsOf(key: string): GroupLabels {
    const values: unknown = JSON.parse(key)
    const labels: Record<string, string> = {}
    for (const [at, label] of this.#plan.by.entries()) {
      if (Array.isArray(values)) labels[label] = String(values[at])
    }
    return labels
  }

  /** Gives a baseline to every group that has refusals and none yet, in the order of their keys. */
  meetNewcomers(sums: StepSums): void {
    const { grouping } = this
    const long = sums.sums(grouping, this.#condition.alsoWindowMs)
    this.#groupPlaces.follow(grouping)
    const newcomers: number[] = []
    for (let group = 0; group < long.refusals.length; group++) {
      if ((long.refusals[group] ?? 0) === 0 || this.#groupPlaces.hasPlace(group)) continue
      if (this.#filter.passes(grouping, group)) newcomers.push(group)
    }
    newcomers.sort((a, b) => ((grouping.keys[a] ?? '') < (grouping.keys[b] ?? '') ? -1 : 1))
    this.turnedAway = 0
    if (newcomers.length > 0) this.#gatheredIn = null
    for (const group of newcomers) {
      const place = this.#create(sums, group)
      if (place === null) {
        this.turnedAway++
        continue
      }
      this.restorePlace(place, grouping.keys[group] ?? '')
      this.#groupPlaces.pair(group, place)
    }
  }

  /**
   * A new series starts from its relatives' rate and from what the windows remember of it. Without relatives its first
   * minute is all there is to compare it with, however bad.
   */
  #create(sums: StepSums, group: number): number | null {
    const { atMs } = sums
    const past = this.#past(sums, group, atMs)
    const ageMs = ageOf(past)
    if (ageMs !== null) {
      const seed = this.#blend(group, before(past, guardAt(ageMs)))
      return this.baselines.create(seed, { bornMs: atMs - ageMs, seenMs: atMs, stage: 'young' })
    }
    const alone = this.pools.rateFor(this.grouping.labels[group] ?? {}) === null
    const seed = this.#blend(group, alone ? past(memoryMs) : { count: 0, exposure: 0 })
    return this.baselines.create(seed, { bornMs: atMs, seenMs: atMs, stage: alone ? 'fresh' : 'young' })
  }

  /** Writes down which series is at a place. */
  restorePlace(place: number, key: string): void {
    this.keys[place] = key
    this.#young.add(place)
    this.#poolsOf[place] = this.pools.numbersOf(this.labelsOf(key))
    this.#places.set(key, place)
  }

  /**
   * Lets the first minute of a fresh series count as it passes. Once it has passed, what came until then is what the
   * series is compared with.
   */
  refresh(sums: StepSums): void {
    for (const { place, group } of this.#youngOnes(sums, (place) => this.baselines.isFresh(place))) {
      const past = this.#past(sums, group, sums.atMs)
      if (ageOf(past) === null) this.baselines.reseed(place, this.#blend(group, past(memoryMs)))
      else this.baselines.endFirstMinute(place, sums.atMs - minuteMs)
    }
  }

  /**
   * Once a minute: tells young series what they have become by now. The windows know them to the second, where the
   * slots would make much of how their beginning fell on them.
   */
  takeStock(sums: StepSums, toMs: EpochMs): void {
    const { baselines } = this
    for (const { place, group } of this.#youngOnes(sums, (place) => !baselines.isFresh(place))) {
      const ageMs = toMs - baselines.bornMs(place)
      const past = this.#past(sums, group, toMs)
      if (ageMs >= settledAgeMs) {
        baselines.reseed(place, this.#blend(group, before(past, settledGuardMs)))
        const { count, exposure } = past(settledGuardMs)
        baselines.settle(place, count, exposure)
      } else if (ageMs >= secondLookMs && ageMs < secondLookMs + minuteMs) {
        baselines.reseed(place, this.#blend(group, before(past, guardAt(ageMs))))
      }
    }
  }

  #youngOnes(sums: StepSums, wanted: (place: number) => boolean): { place: number; group: number }[] {
    const found: { place: number; group: number }[] = []
    for (const place of this.#young) {
      if (!this.baselines.isLive(place) || !this.baselines.isYoung(place)) {
        this.#young.delete(place)
        continue
      }
      if (!wanted(place)) continue
      // Right after a restart the grouping knows its groups only once they have been summed.
      if (found.length === 0) sums.sums(this.grouping, this.#condition.alsoWindowMs)
      const group = this.groupAt(place)
      if (group !== noGroup) found.push({ place, group })
    }
    return found
  }

  /** Adds what is known of a series itself to what it borrows from its relatives. */
  #blend(group: number, { count, exposure }: Amount): Seed {
    const timed = this.#condition.exposure === 'time'
    const rate = this.pools.rateFor(this.grouping.labels[group] ?? {})
    if (rate === null) {
      // A rate that is only assumed must not outweigh what little was seen, or a tenant that has always been refused
      // a lot would be news in our first hour.
      const b = timed ? vaguePrior.b : Math.max(vaguePrior.b, Math.min(vaguePrior.a / unknownRate, exposure))
      return { a: vaguePrior.a + count, b: b + exposure, borrowed: b }
    }
    const borrowed = Math.min(borrowedExposure, borrowedEvents / rate)
    return { a: borrowed * rate + count, b: borrowed + exposure, borrowed }
  }

  /** What the windows hold of a group's last so many milliseconds before `endMs`. */
  #past(sums: StepSums, group: number, endMs: EpochMs): Past {
    const { grouping } = this
    const timed = this.#condition.exposure === 'time'
    return (spanMs) => {
      const counts = groupCounts(sums.sums(grouping, spanMs, endMs), grouping, group)
      return { count: counts.refusals, exposure: timed ? minutesKnown(sums, spanMs, endMs) : counts.requests }
    }
  }

  /** Counts and exposures of all places, over the span that ends at `endMs`. They hold until the next step. */
  gather(sums: StepSums, spanMs: number, endMs: EpochMs): Gathered {
    if (this.#gatheredIn !== sums) {
      this.#spare = [...this.#gathered.values()]
      this.#gathered.clear()
      this.#gatheredIn = sums
    }
    const id = spanId(spanMs, sums.atMs - endMs)
    let gathered = this.#gathered.get(id)
    if (gathered === undefined) {
      gathered = this.#gather(sums, spanMs, endMs)
      this.#gathered.set(id, gathered)
    }
    return gathered
  }

  #gather(sums: StepSums, spanMs: number, endMs: EpochMs): Gathered {
    const { grouping } = this
    const { counts, exposures } = this.#emptied()
    const timed = this.#condition.exposure === 'time'
    if (timed) exposures.fill(minutesKnown(sums, spanMs, endMs))
    const { refusals, requests } = sums.sums(grouping, spanMs, endMs)
    this.#groupPlaces.follow(grouping)
    for (let place = 0; place < counts.length; place++) {
      const group = this.#groupPlaces.groupAt(place)
      if (group === noGroup || group >= refusals.length) continue
      counts[place] = refusals[group] ?? 0
      if (!timed) exposures[place] = requests[grouping.exposureOf[group] ?? noGroup] ?? 0
    }
    return { counts, exposures }
  }

  /** Zeros for all places: new arrays would be megabytes a step. */
  #emptied(): Gathered {
    const { places } = this.baselines
    const spare = this.#spare.pop()
    if (spare?.counts.length !== places) {
      return { counts: new Float64Array(places), exposures: new Float64Array(places) }
    }
    spare.counts.fill(0)
    spare.exposures.fill(0)
    return spare
  }

  reading(place: number, horizon: Horizon, gathered: Gathered): HorizonReading {
    const count = gathered.counts[place] ?? 0
    const exposure = gathered.exposures[place] ?? 0
    const { mean, spread } = this.baselines.predict(place, horizon, exposure)
    return { count, exposure, mean, spread }
  }

  /** Forgets series that have long been quiet and sums up what the others know. */
  tidy(atMs: EpochMs): void {
    for (const place of this.baselines.forget(atMs - forgetAfterHalfLives * this.#condition.halfLifeMs)) {
      this.#places.delete(this.keys[place] ?? '')
      this.keys[place] = undefined
      this.#poolsOf[place] = undefined
      this.#groupPlaces.forget()
      this.#gatheredIn = null
    }
    this.sumUpPools(atMs)
  }

  sumUpPools(atMs: EpochMs): void {
    const { baselines, pools } = this
    // Most of the pools are those of tenants that are gone.
    if (pools.size > 4 * baselines.size + 1_024) this.#renumberPools()
    pools.clear()
    const short = { excess: 0, events: 0 }
    const long = { excess: 0, events: 0 }
    for (let place = 0; place < baselines.places; place++) {
      const poolsOf = this.#poolsOf[place]
      // Those that still live on what they borrowed have nothing to lend.
      if (poolsOf === undefined || baselines.isHeld(place) || baselines.isLearning(place, atMs)) continue
      const { a, b } = baselines.shape(place)
      pools.add(poolsOf, a, b)
      addClumps(short, baselines.clumps(place, 0))
      addClumps(long, baselines.clumps(place, 1))
    }
    pools.addClumps(0, short)
    pools.addClumps(1, long)
  }

  #renumberPools(): void {
    this.pools.renumber()
    for (const [place, key] of this.keys.entries()) {
      if (key !== undefined) this.#poolsOf[place] = this.pools.numbersOf(this.labelsOf(key))
    }
  }
}

type Clumps = { excess: number; events: number }

function addClumps(sum: Clumps, own: Readonly<Clumps> | null): void {
  if (own === null) return
  sum.excess += own.excess
  sum.events += own.events
}

/** Minutes of a span that the windows have seen; before the first record there was no watching. */
function minutesKnown(sums: StepSums, spanMs: number, endMs: EpochMs): number {
  const oldestMs = sums.view.oldestMs ?? endMs
  return Math.max(0, Math.min(spanMs, endMs - oldestMs)) / minuteMs
}
