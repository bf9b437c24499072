import type { EpochMs } from '../time/clock.ts'
import { formatDuration, hourMs, minuteMs } from '../time/duration.ts'
import { Calibration } from './calibration.ts'
import { type Grouping, noGroup } from './grouping.ts'
import { formatMatcher } from './matcher.ts'
import type { Evaluator, Memo, Reading } from './reading.ts'
import type { Rule, SpikeCondition } from './rule.ts'
import { evaluationsPerDay, type HorizonReading, isCalm, judgeSpike, logAlphaOf, logChance, mayFire } from './spike.ts'
import { type Gathered, SpikeSeries, slotMs } from './spike-series.ts'
import type { Groupings, StepSums } from './step-sums.ts'

/** After a gap in event time so many slots are caught up one by one; beyond, there is nothing left to decay. */
const mostSlotsAtOnce = 288

/** Evaluates a spike rule over all its series: what is normal for each, and whether it still is (reference 4.2). */
export class SpikeEvaluator implements Evaluator {
  readonly series: SpikeSeries
  readonly calibration: Calibration = new Calibration()
  /** End of the last minute that was fed, and of the last windows that taught the dispersion. */
  fedToMs: EpochMs | null = null
  spreadAtMs: [EpochMs, EpochMs] = [0, 0]
  readonly #rule: Rule
  readonly #condition: SpikeCondition
  #logAlpha = 0
  #tested = 0

  constructor(rule: Rule, condition: SpikeCondition, groupings: Groupings, seriesLimit: number) {
    this.#rule = rule
    this.#condition = condition
    this.series = new SpikeSeries(rule, condition, groupings, seriesLimit)
  }

  get grouping(): Grouping {
    return this.series.grouping
  }

  /** What decides whether saved baselines still mean the same. */
  get shape(): string {
    const { groupBy, windowMs, matchers } = this.#rule
    const { exposure, alsoWindowMs, halfLifeMs } = this.#condition
    const texts = matchers.map(formatMatcher).sort()
    return JSON.stringify([1, [...groupBy].sort(), windowMs, alsoWindowMs, exposure, halfLifeMs, texts])
  }

  evaluate(sums: StepSums, active: ReadonlyMap<string, Memo | null>): readonly Reading[] {
    const { series } = this
    const { baselines } = series
    baselines.clumping = series.pools.clumping
    series.refresh(sums)
    series.meetNewcomers(sums)
    const short = series.gather(sums, this.#rule.windowMs, sums.atMs)
    const long = series.gather(sums, this.#condition.alsoWindowMs, sums.atMs)
    this.#shareBudget(sums, long)
    const memos = new Map<number, Memo | null>()
    for (const [key, memo] of active) memos.set(series.placeOfKey(key) ?? noGroup, memo)
    const readings: Reading[] = []
    for (let place = 0; place < baselines.places; place++) {
      const memo = memos.size === 0 ? undefined : memos.get(place)
      // First of all, since it turns nearly all of them away.
      if (memo === undefined && !mayFire(short.counts[place] ?? 0, long.counts[place] ?? 0, this.#condition)) continue
      if (!baselines.isLive(place) || (memo === undefined && baselines.isFresh(place))) continue
      const reading = this.#judge(place, memo, sums.atMs, [
        series.reading(place, 0, short),
        series.reading(place, 1, long),
      ])
      if (reading !== null) readings.push(reading)
    }
    for (const key of active.keys()) if (series.placeOfKey(key) === undefined) readings.push(silence(key, this.#rule))
    return readings
  }

  /** Judges one place; null if it is neither active (with a memo) nor out of line. */
  #judge(
    place: number,
    memo: Memo | null | undefined,
    atMs: EpochMs,
    [short, long]: readonly [HorizonReading, HorizonReading],
  ): Reading | null {
    const { baselines } = this.series
    const verdict = judgeSpike(short, long, {
      gates: this.#condition,
      logAlpha: this.#logAlpha,
      longMuted: baselines.isLongMuted(place, atMs),
    })
    if (!verdict.fires && memo === undefined) return null
    // An episode seen on the short horizon stays with it: the long one would hold on for an hour after the end.
    const seenLong = verdict.fires ? verdict.horizon === 1 && memo?.horizon !== 0 : memo?.horizon === 1
    const side = memo?.side ?? verdict.side
    const shown = seenLong ? long : short
    const key = this.series.keys[place] ?? ''
    return {
      key,
      labels: this.series.labelsOf(key),
      group: this.series.groupAt(place),
      met: verdict.fires,
      calm: !(verdict.fires && verdict.side === side) && isCalm(shown, side),
      value: shown.count,
      windowMs: seenLong ? this.#condition.alsoWindowMs : this.#rule.windowMs,
      observed: shown.count,
      requests: this.#condition.exposure === 'requests' ? shown.exposure : 0,
      expected: shown.mean,
      pValue: Math.exp(logChance(shown, side)),
      learning: baselines.isLearning(place, atMs),
      memo: { horizon: seenLong ? 1 : 0, side },
    }
  }

  hold(key: string): void {
    const place = this.series.placeOfKey(key)
    if (place !== undefined) this.series.baselines.hold(place)
  }

  release(key: string, calmSinceMs: EpochMs | null): void {
    const place = this.series.placeOfKey(key)
    if (place === undefined) return
    this.series.baselines.release(place)
    if (calmSinceMs !== null) this.series.baselines.muteLong(place, calmSinceMs + this.#condition.alsoWindowMs)
  }

  adopt(key: string, sums: StepSums): boolean {
    const place = this.series.placeOfKey(key)
    if (place === undefined) return false
    const long = this.series.gather(sums, this.#condition.alsoWindowMs, sums.atMs)
    this.series.baselines.adopt(place, long.counts[place] ?? 0, long.exposures[place] ?? 0)
    return true
  }

  /** Feeds the minutes that have ended since the last step, closes slots, compares windows with their predictions. */
  learn(sums: StepSums): void {
    const toMs = Math.floor(sums.atMs / minuteMs) * minuteMs
    const fromMs = this.fedToMs ?? toMs - minuteMs
    if (toMs <= fromMs) return
    const { series } = this
    const { baselines } = series
    baselines.clumping = series.pools.clumping
    this.#learnSpread(sums, toMs)
    // The rings hold an hour: of a longer gap in event time the rest is not known, and not learnt.
    const minute = series.gather(sums, Math.min(toMs - fromMs, hourMs), toMs)
    for (let place = 0; place < baselines.places; place++) {
      const count = minute.counts[place] ?? 0
      const exposure = minute.exposures[place] ?? 0
      if (count === 0 && exposure === 0) continue
      if (baselines.isLive(place)) baselines.feed(place, count, exposure, toMs)
    }
    this.fedToMs = toMs
    series.takeStock(sums, toMs)
    const closed = Math.floor(toMs / slotMs)
    const first = Math.max(Math.floor(fromMs / slotMs), closed - mostSlotsAtOnce)
    for (let slot = first; slot < closed; slot++) baselines.closeSlot(slot)
    if (closed > first) series.tidy(toMs)
    this.calibration.roll(toMs)
    baselines.inflation = this.calibration.inflation
  }

  #learnSpread(sums: StepSums, toMs: EpochMs): void {
    const { baselines } = this.series
    const lengths = [this.#rule.windowMs, this.#condition.alsoWindowMs] as const
    for (const horizon of [0, 1] as const) {
      const lengthMs = lengths[horizon]
      // Windows must not overlap, or one surprise would be counted several times.
      if (toMs - this.spreadAtMs[horizon] < lengthMs) continue
      this.spreadAtMs[horizon] = toMs
      const window = this.series.gather(sums, lengthMs, toMs)
      for (let place = 0; place < baselines.places; place++) {
        // Without exposure there is nothing to compare.
        if ((window.exposures[place] ?? 0) <= 0 || !baselines.isLive(place)) continue
        const reading = this.series.reading(place, horizon, window)
        if (horizon === 0) this.#check(place, reading, toMs)
        baselines.learnSpread(place, horizon, reading.count, reading.exposure, toMs)
      }
    }
  }

  /** Notes one test for the self-calibration. */
  #check(place: number, reading: HorizonReading, atMs: EpochMs): void {
    const { count, mean, spread, exposure } = reading
    const { baselines } = this.series
    if (exposure <= 0 || baselines.isHeld(place) || baselines.isLearning(place, atMs)) return
    const far = count > mean + 2 * Math.sqrt(mean + mean * mean * spread)
    this.calibration.note(far ? logChance(reading, 'up') : null)
  }

  /** Spreads the rule's budget of false alerts over the series that have traffic (step 6). */
  #shareBudget(sums: StepSums, long: Gathered): void {
    const known = countPositive(long.exposures)
    const present = countPositive(sums.sums(this.grouping, this.#condition.alsoWindowMs).requests)
    // A series without a baseline is tested too, in that its first refusals would be.
    this.#tested = this.#condition.exposure === 'time' ? known : Math.max(known, present)
    const perDay = evaluationsPerDay(this.#rule.intervalMs)
    this.#logAlpha = logAlphaOf(this.#condition.falseAlertsPerWeek, this.#tested, perDay)
  }

  /** For metrics and `explain`: how many series are tested, and how strictly. */
  stats(): { series: number; tested: number; turnedAway: number; alpha: number; inflation: number } {
    const { baselines, turnedAway } = this.series
    const alpha = Math.exp(this.#logAlpha)
    return {
      series: baselines.size,
      tested: this.#tested,
      turnedAway,
      alpha,
      inflation: this.calibration.inflation,
    }
  }

  explain(key: string): readonly string[] {
    const place = this.series.placeOfKey(key)
    if (place === undefined) return ['it has no baseline: it has had no refusal lately']
    const { baselines } = this.series
    const { a, b } = baselines.shape(place)
    const { clumping } = baselines
    const { tested, alpha, inflation } = this.stats()
    const { falseAlertsPerWeek, minCount, minRatio, alsoWindowMs, exposure, direction } = this.#condition
    const tests = direction === 'both' ? 4 : 2
    const windows = `${formatDuration(this.#rule.windowMs)} or ${formatDuration(alsoWindowMs)}`
    const lines = [
      `normal is ${((a / b) * 100).toPrecision(3)} refusals in 100 ${exposure === 'requests' ? 'requests' : 'minutes'}, ` +
        `as sure as ${a.toFixed(1)} counted ones make it`,
      `it fires when the chance of its count in the last ${windows} falls below ${(alpha / tests).toExponential(1)}: ` +
        `${falseAlertsPerWeek} false alerts a week, shared by ${tested} series`,
      `and with at least ${minCount} refusals and ${minRatio} times the normal`,
    ]
    if (baselines.isHeld(place)) lines.push('normal is frozen while the alert is on, for 24 h at most')
    if (baselines.isLearning(place, this.fedToMs ?? 0)) lines.push('it is still learning what is normal')
    if (clumping >= 0.1) {
      lines.push(
        `refusals of rare series come in clumps, ${(1 + clumping).toFixed(1)} for one: that counts as ordinary`,
      )
    }
    if (inflation > 1) {
      lines.push(`small chances came too often for a day: dispersion is inflated ${inflation.toFixed(2)} times`)
    }
    return lines
  }
}

/** A loop over indexes: an iterator would cost more than all the rest of a step. */
function countPositive(numbers: Float64Array): number {
  let count = 0
  for (let at = 0; at < numbers.length; at++) if ((numbers[at] ?? 0) > 0) count++
  return count
}

/** The reading of an active series that has lost its baseline: nothing keeps it on. */
function silence(key: string, rule: Rule): Reading {
  return {
    key,
    labels: {},
    group: noGroup,
    met: false,
    calm: true,
    value: 0,
    windowMs: rule.windowMs,
    observed: 0,
    requests: 0,
    expected: null,
    pValue: null,
    learning: false,
    memo: null,
  }
}
