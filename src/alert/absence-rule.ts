import type { EpochMs } from '../time/clock.ts'
import { dayMs, hourMs, minuteMs } from '../time/duration.ts'
import { addGap, gapBins, usualGap } from './gap-histogram.ts'
import { type Grouping, noGroup } from './grouping.ts'
import type { Memory } from './memory.ts'
import { firstField, type MinuteCounts, MinuteFeed } from './minute-feed.ts'
import { clockText } from './quota-text.ts'
import { type Evaluator, type Memo, type Reading, uncounted } from './reading.ts'
import type { AbsenceCondition, Rule } from './rule.ts'
import { spanText } from './span.ts'
import type { Groupings, StepSums } from './step-sums.ts'

/** Fields of a row. Silence is measured in watched minutes, so that our own absence is not taken for the tenant's. */
const field = {
  firstTick: firstField,
  lastTick: firstField + 1,
  /** Requests, fading: who is big. */
  weight: firstField + 2,
  /** 1 for those among the `top(N)`. */
  isTop: firstField + 3,
  /** 1 once it has been silent so long that nobody waits for it any more. */
  isGone: firstField + 4,
  gaps: firstField + 5,
} as const
const fields = 5 + gapBins

/** The share of its time that a series is silent for less than its usual gap. */
const usualShare = 0.999
/**
 * Silence is news beyond so many usual gaps. The usual gap alone is passed in one minute of a thousand, by each of all
 * series; for requests that come at random, twice the gap squares that chance.
 */
const gapFactor = 2
const halfLifeDays = 14
/** A series that was silent for so long is forgotten. */
const keepTicks = (28 * dayMs) / minuteMs

/** Tells when a series that is usually busy sends nothing for much longer than it ever does. */
export class AbsenceEvaluator implements Evaluator {
  readonly #condition: AbsenceCondition
  readonly #feed: MinuteFeed

  constructor(rule: Rule, condition: AbsenceCondition, options: { groupings: Groupings; seriesLimit: number }) {
    this.#condition = condition
    this.#feed = new MinuteFeed({ rule, ...options, shape: 'absence', fields, meets: 'requests' })
  }

  get grouping(): Grouping {
    return this.#feed.grouping
  }

  evaluate(sums: StepSums, active: ReadonlyMap<string, Memo | null>): readonly Reading[] {
    this.learn(sums)
    const { series, ticks } = this.#feed
    const leastTicks = this.#condition.atLeastMs / minuteMs
    const readings: Reading[] = []
    for (let place = 0; place < series.places; place++) {
      const key = series.keys[place]
      if (key === undefined) continue
      const silentTicks = ticks - series.get(place, field.lastTick)
      const isActive = active.has(key)
      if (!isActive && (silentTicks < leastTicks || !this.#isJudged(place))) continue
      const longest = this.#longestTicks(place)
      const met = silentTicks >= longest && this.#isJudged(place)
      if (met || isActive) readings.push(this.#read(place, key, { met, silentTicks, longest, atMs: sums.atMs }))
    }
    for (const key of active.keys()) if (series.placeOf(key) === undefined) readings.push(this.#gone(key))
    return readings
  }

  #isJudged(place: number): boolean {
    const { series } = this.#feed
    if (series.get(place, field.isGone) === 1) return false
    if (this.#condition.top !== null && series.get(place, field.isTop) !== 1) return false
    const knownTicks = series.get(place, field.lastTick) - series.get(place, field.firstTick)
    return knownTicks * minuteMs >= this.#condition.learnMs
  }

  /** The silence, in minutes, from which it is news. */
  #longestTicks(place: number): number {
    const { longerThanMs, atLeastMs } = this.#condition
    if (longerThanMs !== null) return Math.max(longerThanMs, atLeastMs) / minuteMs
    return Math.max(atLeastMs / minuteMs, Math.ceil(gapFactor * this.#usual(place)))
  }

  #usual(place: number): number {
    return usualGap(this.#feed.series, place, field.gaps, usualShare)
  }

  #read(
    place: number,
    key: string,
    { met, silentTicks, longest, atMs }: { met: boolean; silentTicks: number; longest: number; atMs: EpochMs },
  ): Reading {
    const labels = this.#feed.labelsOf(key)
    const names = [labels['tenant'], labels['api']].filter((name) => name !== undefined)
    const who = names.length === 0 ? 'All traffic' : names.join(' on ')
    const silence = spanText(silentTicks * minuteMs)
    const seenMs = this.#feed.seenMs(place)
    const last = `${clockText(seenMs, atMs)}, ${silence} ago`
    const back = `${who} sends requests again`
    return {
      ...uncounted,
      key,
      labels,
      group: this.#feed.groupOf(key),
      met,
      calm: !met,
      value: silentTicks * 60,
      facts: [
        { label: 'Last seen', text: last },
        { label: 'Usual gap', text: this.#gapText(place, longest) },
      ],
      words: {
        now: `${who} has gone quiet: no request for ${silence}, usually ${this.#usualText(place)}`,
        calm: back,
        over: met ? `${who} has been quiet since ${clockText(seenMs, atMs)}` : back,
      },
    }
  }

  #usualText(place: number): string {
    const minutes = this.#usual(place)
    return minutes <= 1 ? 'at least one a minute' : `never for more than ${spanText(minutes * minuteMs)}`
  }

  #gapText(place: number, longest: number): string {
    const usual = Math.max(1, Math.round(this.#usual(place)))
    const bound = `told from ${spanText(longest * minuteMs)} on`
    if (this.#condition.longerThanMs !== null) return bound
    return `under ${spanText(usual * minuteMs)} in 99.9 % of the time; ${bound}`
  }

  #gone(key: string): Reading {
    const text = 'A series that was forgotten'
    const words = { now: text, calm: text, over: `${text} is no longer waited for` }
    return { ...uncounted, key, labels: {}, group: noGroup, met: false, calm: true, value: 0, words }
  }

  hold(): void {}

  release(): void {}

  /** After a day it is not coming back soon: it is told that nobody waits any more, and it is news only once it was back. */
  adopt(key: string): boolean {
    const place = this.#feed.series.placeOf(key)
    if (place === undefined || this.#feed.ticks - this.#feed.series.get(place, field.lastTick) < 1) return false
    this.#feed.series.set(place, field.isGone, 1)
    return true
  }

  learn(sums: StepSums): void {
    const before = this.#feed.fedToMs
    this.#feed.feed(sums, (place, counts) => this.#seen(place, counts))
    const after = this.#feed.fedToMs
    if (after === null || before === after) return
    // The first hour has nobody to compare; from then on once an hour is enough.
    if (before !== null && Math.floor(before / hourMs) === Math.floor(after / hourMs)) return
    this.#tidy()
  }

  #seen(place: number, { requests, tick, endMs, lastMs }: MinuteCounts): void {
    const { series } = this.#feed
    if (requests === 0) return
    if (lastMs === 0) series.set(place, field.firstTick, tick)
    else {
      // A tenant that had left for good and came back is no tenant that often pauses.
      const wasGone = series.get(place, field.isGone) === 1
      if (!wasGone) addGap(series, place, field.gaps, tick - series.get(place, field.lastTick))
      const days = Math.floor(endMs / dayMs) - Math.floor(lastMs / dayMs)
      if (days > 0) {
        const fade = 2 ** (-days / halfLifeDays)
        series.scale(place, field.gaps, field.gaps + gapBins, fade)
        series.set(place, field.weight, series.get(place, field.weight) * fade)
      }
    }
    series.set(place, field.lastTick, tick)
    series.add(place, field.weight, requests)
    series.set(place, field.isGone, 0)
  }

  /** Says who is big and forgets who is gone. */
  #tidy(): void {
    const { series, ticks } = this.#feed
    const places: number[] = []
    for (let place = 0; place < series.places; place++) {
      if (series.keys[place] === undefined) continue
      if (ticks - series.get(place, field.lastTick) > keepTicks) this.#feed.forget(place)
      else places.push(place)
    }
    const { top } = this.#condition
    if (top === null) return
    const key = (place: number) => series.keys[place] ?? ''
    const weight = (place: number) => series.get(place, field.weight)
    places.sort((a, b) => weight(b) - weight(a) || (key(a) < key(b) ? -1 : 1))
    for (const [rank, place] of places.entries()) series.set(place, field.isTop, rank < top ? 1 : 0)
  }

  explain(key: string): readonly string[] {
    const place = this.#feed.series.placeOf(key)
    if (place === undefined) return ['it has been forgotten']
    const silence = this.#feed.ticks - this.#feed.series.get(place, field.lastTick)
    return [
      `it has been silent for ${spanText(silence * minuteMs)}; gap: ${this.#gapText(place, this.#longestTicks(place))}`,
      ...this.status(),
    ]
  }

  status(): readonly string[] {
    const { learnMs, top } = this.#condition
    const { series, turnedAway } = this.#feed
    let judged = 0
    for (let place = 0; place < series.places; place++) {
      if (series.keys[place] !== undefined && this.#isJudged(place)) judged++
    }
    const among = top === null ? '' : ` among the ${top} with most requests`
    const lines = [`${judged} of ${series.size} series are waited for${among}`]
    if (learnMs > 0) lines.push(`a series is waited for once it was watched for ${spanText(learnMs)}`)
    if (turnedAway > 0) lines.push(`${turnedAway} series found no room and are not judged`)
    return lines
  }

  kept(): { series: number; turnedAway: number } {
    return { series: this.#feed.series.size, turnedAway: this.#feed.turnedAway }
  }

  memories(): readonly Memory[] {
    return [this.#feed]
  }
}
