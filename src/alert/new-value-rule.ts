import { dayMs, hourMs, minuteMs } from '../time/duration.ts'
import { type Grouping, noGroup } from './grouping.ts'
import type { Memory } from './memory.ts'
import { firstField, type MinuteCounts, MinuteFeed } from './minute-feed.ts'
import { clockText } from './quota-text.ts'
import { type Evaluator, type Memo, type Reading, uncounted } from './reading.ts'
import type { NewValueCondition, Rule } from './rule.ts'
import { spanText } from './span.ts'
import type { Groupings, StepSums } from './step-sums.ts'
import { formatCount } from './summary.ts'

/** Fields of a row. */
const field = {
  lastTick: firstField,
  /** When it turned up, by the clock of watched minutes; 0 for a value that is known. */
  newTick: firstField + 1,
  count: firstField + 2,
  /** When it had been seen often enough to be told; 0 before. */
  toldTick: firstField + 3,
  /** End of the minute in which it turned up. */
  newMs: firstField + 4,
} as const
const fields = 5

/** In the first day of watching nothing is new: nobody knows yet what is usual. */
const learnMs = dayMs
/** For so long a new value is news. */
const newsMs = hourMs

/** Tells when a value turns up that was not seen for long, such as a cause that nobody ever had. */
export class NewValueEvaluator implements Evaluator {
  readonly #condition: NewValueCondition
  readonly #feed: MinuteFeed
  /** What counts: refusals of a cause, requests of a tenant or an API. */
  readonly #counts: 'refusals' | 'requests'

  constructor(rule: Rule, condition: NewValueCondition, options: { groupings: Groupings; seriesLimit: number }) {
    this.#condition = condition
    this.#counts = rule.groupBy.includes('cause') || rule.groupBy.includes('family') ? 'refusals' : 'requests'
    this.#feed = new MinuteFeed({ rule, ...options, shape: 'new-value', fields, meets: this.#counts })
  }

  get grouping(): Grouping {
    return this.#feed.grouping
  }

  evaluate(sums: StepSums, active: ReadonlyMap<string, Memo | null>): readonly Reading[] {
    this.learn(sums)
    const { series, ticks } = this.#feed
    const readings: Reading[] = []
    for (let place = 0; place < series.places; place++) {
      const key = series.keys[place]
      const toldTick = series.get(place, field.toldTick)
      if (key === undefined) continue
      const met = toldTick > 0 && (ticks - toldTick) * minuteMs < newsMs
      if (met || active.has(key)) readings.push(this.#read(place, key, met))
    }
    for (const key of active.keys()) if (series.placeOf(key) === undefined) readings.push(this.#gone(key))
    return readings
  }

  #read(place: number, key: string, met: boolean): Reading {
    const { series } = this.#feed
    const labels = this.#feed.labelsOf(key)
    const value = labels[this.#condition.of] ?? ''
    const others = Object.entries(labels).filter(([label]) => label !== this.#condition.of)
    const where = others.map(([label, text]) => ` ${label === 'api' ? 'on' : 'of'} ${label} ${text}`).join('')
    const kind = this.#condition.of === 'cause' ? value.replaceAll('_', ' ') : value
    const name = `The ${this.#condition.of} ${kind}${where}`
    const nowMs = this.#feed.fedToMs ?? 0
    const firstMs = series.get(place, field.newMs) - minuteMs
    const seen = `${formatCount(series.get(place, field.count))} ${this.#counts}`
    const over = `${name} is no longer new`
    return {
      ...uncounted,
      key,
      labels,
      group: this.#feed.groupOf(key),
      met,
      calm: !met,
      value: series.get(place, field.count),
      facts: [
        { label: 'First seen', text: `${clockText(firstMs, nowMs)}, ${seen} since` },
        { label: 'Not seen', text: this.#unseenText() },
      ],
      words: { now: `${name} is new: ${seen}, none ${this.#unseenText()}`, calm: over, over },
    }
  }

  /** `in the 30 d before`, or as much of them as were watched. */
  #unseenText(): string {
    const { memoryMs } = this.#condition
    const watchedMs = Math.min(memoryMs, this.#feed.ticks * minuteMs)
    if (watchedMs >= memoryMs) return `in the ${spanText(memoryMs)} before`
    return `in the ${spanText(watchedMs)} watched so far, of ${spanText(memoryMs)}`
  }

  #gone(key: string): Reading {
    const text = 'A value that was forgotten'
    const words = { now: text, calm: text, over: `${text} is no longer new` }
    return { ...uncounted, key, labels: {}, group: noGroup, met: false, calm: true, value: 0, words }
  }

  hold(): void {}

  release(): void {}

  adopt(): boolean {
    return false
  }

  learn(sums: StepSums): void {
    const before = this.#feed.fedToMs
    this.#feed.feed(sums, (place, counts) => this.#seen(place, counts))
    const after = this.#feed.fedToMs
    if (after === null || before === null || Math.floor(before / hourMs) === Math.floor(after / hourMs)) return
    const { series, ticks } = this.#feed
    for (let place = 0; place < series.places; place++) {
      if (series.keys[place] === undefined || this.#remembers(ticks - series.get(place, field.lastTick))) continue
      this.#feed.forget(place)
    }
  }

  #remembers(ticks: number): boolean {
    return ticks * minuteMs <= this.#condition.memoryMs
  }

  #seen(place: number, counts: MinuteCounts): void {
    const { series } = this.#feed
    const { tick, endMs, lastMs } = counts
    const count = counts[this.#counts]
    if (count === 0) return
    const isNew = lastMs === 0 || !this.#remembers(tick - series.get(place, field.lastTick))
    series.set(place, field.lastTick, tick)
    if (isNew) {
      series.clear(place, field.newTick, firstField + fields)
      if (tick * minuteMs > Math.min(learnMs, this.#condition.memoryMs)) {
        series.set(place, field.newTick, tick)
        series.set(place, field.newMs, endMs)
      }
    }
    if (series.get(place, field.newTick) === 0) return
    series.add(place, field.count, count)
    const isTold = series.get(place, field.toldTick) > 0
    if (!isTold && series.get(place, field.count) >= this.#condition.minCount) series.set(place, field.toldTick, tick)
  }

  explain(): readonly string[] {
    const { of, memoryMs, minCount } = this.#condition
    const seen = `not seen for ${spanText(memoryMs)}, once it has ${minCount} ${this.#counts}`
    return [`fires for ${spanText(newsMs)} when there is a ${of} ${seen}`, ...this.status()]
  }

  status(): readonly string[] {
    const watchedMs = this.#feed.ticks * minuteMs
    const leastMs = Math.min(learnMs, this.#condition.memoryMs)
    const lines = [`${this.#feed.series.size} values are known, from ${spanText(watchedMs)} of watching`]
    if (watchedMs < leastMs) lines.push(`it is silent until ${spanText(leastMs)} were watched`)
    if (this.#feed.turnedAway > 0) lines.push(`${this.#feed.turnedAway} values found no room`)
    return lines
  }

  kept(): { series: number; turnedAway: number } {
    return { series: this.#feed.series.size, turnedAway: this.#feed.turnedAway }
  }

  memories(): readonly Memory[] {
    return [this.#feed]
  }
}
