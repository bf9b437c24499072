import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import { Baselines, type Horizon, type Seed } from './baseline.ts'
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
import type { Groupings, StepSums } from './step-sums.ts'

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
  #placeOf: Int32Array = new Int32Array(0)
  #placesKnownFor: Grouping | null = null

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
    const placeOf = this.#placesOf(grouping)
    const newcomers: number[] = []
    for (let group = 0; group < long.refusals.length; group++) {
      if ((long.refusals[group] ?? 0) === 0 || (placeOf[group] ?? noGroup) !== noGroup) continue
      if (this.#filter.passes(grouping, group)) newcomers.push(group)
    }
    newcomers.sort((a, b) => ((grouping.keys[a] ?? '') < (grouping.keys[b] ?? '') ? -1 : 1))
    this.turnedAway = 0
    for (const group of newcomers) {
      const place = this.#create(sums, group)
      if (place === null) {
        this.turnedAway++
        continue
      }
      this.restorePlace(place, grouping.keys[group] ?? '')
      placeOf[group] = place
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
    for (let place = 0; place < this.baselines.places; place++) {
      if (!this.baselines.isLive(place) || !this.baselines.isYoung(place) || !wanted(place)) continue
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

  /** Counts and exposures of all places, over the span that ends at `endMs`. */
  gather(sums: StepSums, spanMs: number, endMs: EpochMs): Gathered {
    const { grouping } = this
    const places = this.baselines.places
    const counts = new Float64Array(places)
    const timed = this.#condition.exposure === 'time'
    const exposures = new Float64Array(places).fill(timed ? minutesKnown(sums, spanMs, endMs) : 0)
    const { refusals, requests } = sums.sums(grouping, spanMs, endMs)
    const placeOf = this.#placesOf(grouping)
    for (let group = 0; group < refusals.length; group++) {
      const place = placeOf[group] ?? noGroup
      if (place === noGroup) continue
      counts[place] = refusals[group] ?? 0
      if (!timed) exposures[place] = requests[grouping.exposureOf[group] ?? noGroup] ?? 0
    }
    return { counts, exposures }
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
      this.#placesKnownFor = null
    }
    this.sumUpPools(atMs)
  }

  sumUpPools(atMs: EpochMs): void {
    this.pools.clear()
    const clumps = [
      { excess: 0, events: 0 },
      { excess: 0, events: 0 },
    ]
    for (let place = 0; place < this.baselines.places; place++) {
      const key = this.keys[place]
      // Those that still live on what they borrowed have nothing to lend.
      if (key === undefined || this.baselines.isHeld(place) || this.baselines.isLearning(place, atMs)) continue
      const { a, b } = this.baselines.shape(place)
      this.pools.add(this.labelsOf(key), a, b)
      for (const [horizon, sum] of clumps.entries()) {
        const own = this.baselines.clumps(place, horizon === 0 ? 0 : 1)
        sum.excess += own?.excess ?? 0
        sum.events += own?.events ?? 0
      }
    }
    for (const [horizon, sum] of clumps.entries()) this.pools.addClumps(horizon === 0 ? 0 : 1, sum)
  }

  /** The place of each group, kept in step with the grouping. */
  #placesOf(grouping: Grouping): Int32Array {
    const old = this.#placesKnownFor === grouping ? this.#placeOf : null
    if (old !== null && old.length >= grouping.size) return old
    const placeOf = new Int32Array(Math.max(64, Math.ceil(grouping.size * 1.5))).fill(noGroup)
    for (let group = 0; group < grouping.size; group++) {
      placeOf[group] = this.#places.get(grouping.keys[group] ?? '') ?? noGroup
    }
    this.#placeOf = placeOf
    this.#placesKnownFor = grouping
    return placeOf
  }
}

/** Minutes of a span that the windows have seen; before the first record there was no watching. */
function minutesKnown(sums: StepSums, spanMs: number, endMs: EpochMs): number {
  const oldestMs = sums.view.oldestMs ?? endMs
  return Math.max(0, Math.min(spanMs, endMs - oldestMs)) / minuteMs
}
