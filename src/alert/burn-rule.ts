import { dayMs, formatDuration, hourMs, minuteMs } from '../time/duration.ts'
import { windowLengthsMs } from '../window/view.ts'
import type { AlertFact, Severity } from './alert.ts'
import { budgetLeft, burnRate, type Spent } from './burn-rate.ts'
import { type Grouping, type GroupLabels, noGroup } from './grouping.ts'
import { compareSeverity, noLevel } from './levels.ts'
import type { Memory } from './memory.ts'
import { firstField, MinuteFeed } from './minute-feed.ts'
import { type Evaluator, groupCounts, type Memo, type Reading, uncounted } from './reading.ts'
import type { BurnCondition, BurnWindow, Rule } from './rule.ts'
import { addToRing, ringWidth, type SlotRing, sumOfRing } from './slot-ring.ts'
import { spanText } from './span.ts'
import type { Groupings, StepSums } from './step-sums.ts'
import { formatCount, formatPercent } from './summary.ts'

/** Up to here ten-minute slots are fine enough; longer windows are made of hours, and the period of days. */
const fineMs = 6 * hourMs
const fineSlotMs = 10 * minuteMs
/** A window counts once so much of it was watched. */
const leastWatched = 0.75

/** One pair of windows of one series. */
interface WindowReading {
  readonly window: BurnWindow
  readonly long: Spent
  readonly short: Spent
  readonly burns: boolean
}

/** Tells when the error budget of a series is spent too fast, in a long and a short window at once (reference 4.5). */
export class BurnEvaluator implements Evaluator {
  readonly #condition: BurnCondition
  readonly #feed: MinuteFeed
  /** Ten-minute, hourly and daily slots. */
  readonly #rings: readonly [SlotRing, SlotRing, SlotRing]

  constructor(rule: Rule, condition: BurnCondition, options: { groupings: Groupings; seriesLimit: number }) {
    this.#condition = condition
    // One slot more than the window, for the one that is not finished yet.
    const longest = Math.max(...condition.windows.map(({ longMs }) => longMs))
    const fine = { from: firstField, slots: fineMs / fineSlotMs + 1, slotMs: fineSlotMs }
    const hours = longest <= fineMs ? 1 : Math.ceil(longest / hourMs) + 1
    const coarse = { from: fine.from + ringWidth(fine), slots: hours, slotMs: hourMs }
    const days = {
      from: coarse.from + ringWidth(coarse),
      slots: Math.ceil(condition.periodMs / dayMs) + 1,
      slotMs: dayMs,
    }
    this.#rings = [fine, coarse, days]
    this.#feed = new MinuteFeed({
      rule,
      ...options,
      shape: JSON.stringify(['burn', this.#rings]),
      fields: days.from + ringWidth(days) - firstField,
      meets: 'requests',
    })
  }

  get grouping(): Grouping {
    return this.#feed.grouping
  }

  evaluate(sums: StepSums, active: ReadonlyMap<string, Memo | null>): readonly Reading[] {
    this.learn(sums)
    const { series } = this.#feed
    const readings: Reading[] = []
    for (let place = 0; place < series.places; place++) {
      const key = series.keys[place]
      if (key === undefined) continue
      const isActive = active.has(key)
      if (!isActive && !this.#mayBurn(place)) continue
      const pairs = this.#condition.windows.map((window) => this.#measure(sums, place, key, window))
      const burning = pairs.filter(({ burns }) => burns)
      if (burning.length > 0 || isActive) readings.push(this.#read(place, key, { pairs, burning }))
    }
    for (const key of active.keys()) if (series.placeOf(key) === undefined) readings.push(this.#gone(key))
    return readings
  }

  /** Without a refusal in the longest window there is nothing to work out. */
  #mayBurn(place: number): boolean {
    const ring = this.#rings[1].slots > 1 ? this.#rings[1] : this.#rings[0]
    return this.#ringSum(place, ring, ring.slots * ring.slotMs).bad >= this.#condition.minBad
  }

  #measure(sums: StepSums, place: number, key: string, window: BurnWindow): WindowReading {
    const { objective, minBad } = this.#condition
    const long = this.#spent(sums, place, key, window.longMs)
    const short = this.#spent(sums, place, key, window.shortMs)
    const fast = burnRate(long, objective) > window.factor && burnRate(short, objective) > window.factor
    return { window, long, short, burns: fast && long.bad >= minBad && this.#isWatched(sums, window.longMs) }
  }

  #read(
    place: number,
    key: string,
    { pairs, burning }: { pairs: readonly WindowReading[]; burning: readonly WindowReading[] },
  ): Reading {
    const { objective } = this.#condition
    const burn = ({ long }: WindowReading) => burnRate(long, objective)
    // The most severe speaks; of these the one that burns fastest against its own bound.
    const worst = (one: WindowReading, other: WindowReading) => {
      const order = compareSeverity(one.window.severity, other.window.severity)
      return order > 0 || (order === 0 && burn(one) / one.window.factor >= burn(other) / other.window.factor)
        ? one
        : other
    }
    const shown = (burning.length > 0 ? burning : pairs).reduce(worst)
    const reached: Severity | null = burning.length > 0 ? shown.window.severity : null
    const labels: GroupLabels = this.#feed.labelsOf(key)
    return {
      ...uncounted,
      key,
      labels,
      group: this.#feed.groupOf(key),
      met: burning.length > 0,
      calm: burning.length === 0,
      value: burn(shown),
      windowMs: shown.window.longMs,
      observed: shown.long.bad,
      requests: shown.long.total,
      expected: shown.window.factor * (1 - objective) * shown.long.total,
      levels: { reached, kept: reached },
      facts: this.#facts(place, burn(shown), shown),
      words: this.#words(labels, shown),
    }
  }

  #facts(place: number, burn: number, shown: WindowReading): readonly AlertFact[] {
    const { objective, periodMs } = this.#condition
    const watchedMs = this.#watchedMs(periodMs)
    const period = this.#ringSum(place, this.#rings[2], periodMs)
    const left = budgetLeft(period, objective, { watchedMs, periodMs })
    const seen =
      watchedMs < leastWatched * periodMs ? `, by the ${spanText(watchedMs)} watched of ${spanText(periodMs)}` : ''
    const rest = left > 0 ? `${formatPercent(left)} of it left` : 'nothing of it left'
    const facts = [
      { label: 'Burn', text: `${timesText(burn)} the budget, ${rest}${seen}` },
      {
        label: 'Windows',
        text: `${spanText(shown.window.longMs)} and ${spanText(shown.window.shortMs)}, limit ${timesText(shown.window.factor)}`,
      },
      { label: 'Objective', text: `${Number((objective * 100).toPrecision(6))} % over ${spanText(periodMs)}` },
    ]
    if (burn > 1 && left > 0)
      facts.push({ label: 'Budget ends', text: `in ${spanText((left * periodMs) / burn)} at this pace` })
    return facts
  }

  #words(labels: GroupLabels, { window, long }: WindowReading) {
    const { objective } = this.#condition
    const names = [labels.tenant, labels.api].filter((name) => name !== undefined)
    const who = names.length === 0 ? 'All traffic' : names.join(' on ')
    const burn = timesText(burnRate(long, objective))
    const share = long.total > 0 ? ` (${formatPercent(long.bad / long.total)})` : ''
    const seen = `${formatCount(long.bad)} of ${formatCount(long.total)} refused${share} in ${spanText(window.longMs)}`
    return {
      now: `${who} burns its error budget at ${burn} the sustainable rate: ${seen}`,
      calm: `${who} no longer burns its error budget too fast: ${seen}`,
      over: `${who} is back within its error budget`,
    }
  }

  #gone(key: string): Reading {
    const who = 'A series without traffic'
    const words = { now: who, calm: `${who} is calm`, over: `${who} is back within its error budget` }
    return { ...uncounted, key, labels: {}, group: noGroup, met: false, calm: true, value: 0, words, levels: noLevel }
  }

  /** Counts of the last `spanMs`: from the windows where that costs little, else from the slots. */
  #spent(sums: StepSums, place: number, key: string, spanMs: number): Spent {
    if (isKeptByWindows(spanMs)) {
      const group = this.#feed.groupOf(key)
      if (group === noGroup) return { bad: 0, total: 0 }
      const { refusals, requests } = groupCounts(sums.sums(this.grouping, spanMs), this.grouping, group)
      return { bad: refusals, total: requests }
    }
    return this.#ringSum(place, this.#ringFor(spanMs), spanMs)
  }

  #ringFor(spanMs: number): SlotRing {
    return spanMs <= fineMs ? this.#rings[0] : this.#rings[1]
  }

  #ringSum(place: number, ring: SlotRing, spanMs: number): Spent {
    const endMs = this.#feed.fedToMs ?? 0
    return sumOfRing(this.#feed.series, place, ring, { spanMs, endMs, lastMs: this.#feed.seenMs(place) })
  }

  /** Whether enough of a window was watched to speak of it. */
  #isWatched(sums: StepSums, spanMs: number): boolean {
    if (isKeptByWindows(spanMs)) return sums.atMs - (sums.view.oldestMs ?? sums.atMs) >= leastWatched * spanMs
    return this.#watchedMs(spanMs) >= leastWatched * spanMs
  }

  #watchedMs(spanMs: number): number {
    const endMs = this.#feed.fedToMs ?? 0
    return this.#feed.watched.watchedMs(endMs - spanMs, endMs)
  }

  hold(): void {}

  release(): void {}

  adopt(): boolean {
    return false
  }

  learn(sums: StepSums): void {
    const { series } = this.#feed
    const before = this.#feed.fedToMs
    this.#feed.feed(sums, (place, { refusals, requests, endMs, lastMs }) => {
      for (const ring of this.#rings) addToRing(series, place, ring, { bad: refusals, total: requests, endMs, lastMs })
    })
    const after = this.#feed.fedToMs
    if (after === null || before === null || Math.floor(before / hourMs) === Math.floor(after / hourMs)) return
    for (let place = 0; place < series.places; place++) {
      // The budget's period is over for a series that was not asked for so long.
      if (series.keys[place] !== undefined && this.#feed.seenMs(place) < after - this.#condition.periodMs) {
        this.#feed.forget(place)
      }
    }
  }

  explain(key: string): readonly string[] {
    const { objective, windows, minBad } = this.#condition
    const place = this.#feed.series.placeOf(key)
    if (place === undefined) return ['it has had no traffic for long']
    return [
      `the budget is ${formatPercent(1 - objective)} of requests refused`,
      ...windows.map(({ longMs, shortMs, factor, severity }) => {
        const needed = formatPercent(factor * (1 - objective))
        const pair = `${formatDuration(longMs)} and ${formatDuration(shortMs)}`
        return `${severity}: over ${needed} refused in both ${pair}, with at least ${minBad} refusals`
      }),
      ...this.status(),
    ]
  }

  status(): readonly string[] {
    const lines = this.#condition.windows
      .filter(({ longMs }) => !isKeptByWindows(longMs))
      .flatMap(({ longMs }) => {
        const watchedMs = this.#watchedMs(longMs)
        if (watchedMs >= leastWatched * longMs) return []
        return [`the window of ${formatDuration(longMs)} is not judged yet: ${spanText(watchedMs)} of it were watched`]
      })
    if (this.#feed.turnedAway > 0) lines.push(`${this.#feed.turnedAway} series found no room and are not judged`)
    return lines
  }

  kept(): { series: number; turnedAway: number } {
    return { series: this.#feed.series.size, turnedAway: this.#feed.turnedAway }
  }

  memories(): readonly Memory[] {
    return [this.#feed]
  }
}

/** Windows keep sums of a few lengths; for others they add up every slice of every series. */
function isKeptByWindows(spanMs: number): boolean {
  return Object.values(windowLengthsMs).some((ms) => ms === spanMs) || spanMs < 2 * fineSlotMs
}

function timesText(factor: number): string {
  return `${factor < 9.95 ? Number(factor.toPrecision(2)) : Number(factor.toPrecision(3))} ×`
}
