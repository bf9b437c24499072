import type { EpochMs } from '../time/clock.ts'
import { hourMs } from '../time/duration.ts'
import { severities } from './alert.ts'
import { type Grouping, noGroup } from './grouping.ts'
import { highest, type LevelReading, noLevel } from './levels.ts'
import { matchesAll } from './matcher.ts'
import type { Memory } from './memory.ts'
import { labelsOfKey } from './minute-feed.ts'
import { aheadOf, type Judgement, judgeQuota } from './quota-judgement.ts'
import { QuotaLearning } from './quota-learning.ts'
import type { QuotaBoard, QuotaReading } from './quota-reading.ts'
import { type QuotaOutlook, quotaText } from './quota-text.ts'
import { forecastBit, type QuotaStand, QuotaTracks, rearmed } from './quota-tracks.ts'
import { type Evaluator, type Memo, type Reading, uncounted } from './reading.ts'
import { type QuotaCondition, type Rule, seriesLabels } from './rule.ts'
import type { Groupings, StepSums } from './step-sums.ts'

/** One quota as a rule follows it. */
export interface KnownQuota {
  readonly labels: Readonly<Record<string, string>>
  readonly stand: QuotaStand
  /** Of running out within the span the rule looks ahead; null where too little was watched to say. */
  readonly chance: number | null
  /** Event time up to which it is known. */
  readonly nowMs: EpochMs
}

/**
 * Tells of quotas that are used up to a level, each level once per period and limit, and of those that will probably
 * run out before they are reset. What is told is remembered by quota, so that usage that wavers around a level, a
 * restart, or an alert that was resolved in between do not tell it again; a reset or a new limit makes it news again.
 */
export class QuotaEvaluator implements Evaluator {
  readonly #rule: Rule
  readonly #condition: QuotaCondition
  readonly #board: QuotaBoard
  readonly #tracks: QuotaTracks
  readonly #learning: QuotaLearning
  /** The labels of a quota's key. */
  readonly #by: readonly string[]
  /** Series of whom a gateway has told: what we would learn of them is worth less. */
  readonly #told = new Set<string>()
  /** Whether it has taken part in a step since it was made. */
  #live = false

  constructor(
    rule: Rule,
    condition: QuotaCondition,
    { groupings, board, seriesLimit }: { groupings: Groupings; board: QuotaBoard; seriesLimit: number },
  ) {
    this.#rule = rule
    this.#condition = condition
    this.#board = board
    this.#by = [...seriesLabels.filter((label) => rule.groupBy.includes(label)), 'quota']
    const shape = JSON.stringify([1, this.#by])
    this.#tracks = new QuotaTracks({ shape, seriesLimit, rearmOn: condition.rearmOn })
    this.#learning = new QuotaLearning(rule, groupings, seriesLimit)
  }

  get #nowMs(): EpochMs {
    return this.#tracks.fedToMs ?? 0
  }

  get grouping(): Grouping {
    return this.#learning.feed.grouping
  }

  evaluate(sums: StepSums, active: ReadonlyMap<string, Memo | null>): readonly Reading[] {
    this.#feed(sums)
    const { atMs } = sums
    const { series } = this.#tracks
    const readings: Reading[] = []
    for (let place = 0; place < series.places; place++) {
      const key = series.keys[place]
      if (key === undefined) continue
      this.#tracks.pass(place, atMs)
      const reading = this.#judge(place, key, active.has(key), atMs)
      if (reading !== null) readings.push(reading)
    }
    for (const key of active.keys()) if (series.placeOf(key) === undefined) readings.push(this.#gone(key))
    return readings
  }

  #judge(place: number, key: string, isActive: boolean, atMs: EpochMs): Reading | null {
    const stand = this.#tracks.stand(place, atMs)
    if (stand === null) return isActive ? this.#gone(key) : null
    // The episode of a period that is over ends before the next may begin.
    const ends = isActive && stand.ended !== rearmed.no
    const judged = judgeQuota(this.#condition, stand, atMs)
    const news = (judged.crossed & ~stand.told) !== 0 || (judged.foreseen && (stand.told & forecastBit) === 0)
    const holds = judged.reached !== null || judged.foreseen
    const met = !ends && (isActive ? holds : news)
    if (!isActive && !met) return null
    if (isActive && !ends) this.#tracks.tell(place, judged.crossed | (judged.foreseen ? forecastBit : 0))
    const labels = labelsOfKey(key, this.#by)
    return {
      ...uncounted,
      key,
      labels,
      group: noGroup,
      met,
      calm: !judged.near && !judged.stillForeseen,
      value: stand.used / stand.limit,
      levels: this.#severities(judged, stand.told),
      ...(ends ? { ends } : {}),
      ...quotaText(labels, stand, this.#outlook(stand, judged.chance, atMs)),
    }
  }

  #outlook(stand: QuotaStand, chance: number | null, nowMs: EpochMs): QuotaOutlook {
    return { chance, aheadMs: aheadOf(this.#condition, stand, nowMs), nowMs }
  }

  /**
   * The level, or the rule's own severity for a forecast, whichever is worse. What was told in this period is kept, or
   * usage that falls and rises again would tell it a second time.
   */
  #severities({ reached, foreseen }: Judgement, told: number): LevelReading {
    const { severity } = this.#rule
    const toldLevels = severities.filter((_, bit) => (told & (1 << bit)) !== 0)
    return {
      reached: highest([reached, foreseen ? severity : null]),
      kept: highest([...toldLevels, (told & forecastBit) === 0 ? null : severity]),
    }
  }

  /** An alert on a quota that is no longer followed. */
  #gone(key: string): Reading {
    const labels = labelsOfKey(key, this.#by)
    const text = `Nothing more is heard of the quota ${labels['quota'] ?? ''}`
    const words = { now: text, calm: text, over: `${text}, and its alert ends` }
    return {
      ...uncounted,
      key,
      labels,
      group: noGroup,
      met: false,
      calm: true,
      value: 0,
      words,
      levels: noLevel,
      ends: true,
    }
  }

  /** Takes what gateways said and what minutes ended since the last step, once a step. */
  #feed(sums: StepSums): void {
    const lastMs = this.#tracks.fedToMs
    if (lastMs === sums.atMs) return
    if (!this.#live) this.#noteTold()
    this.#live = true
    this.#tracks.fedToMs = sums.atMs
    for (const reading of this.#board.due) {
      const labels = readingLabels(reading)
      if (!matchesAll(this.#rule.matchers, labels)) continue
      this.#tracks.take(this.#keyOf(labels), reading, false)
      this.#told.add(this.#seriesOf(labels))
    }
    for (const { key, reading } of this.#learning.readings(sums)) {
      if (this.#told.has(key) || !matchesAll(this.#rule.matchers, readingLabels(reading))) continue
      this.#tracks.take(this.#keyOf(readingLabels(reading)), reading, true)
    }
    if (lastMs !== null && Math.floor(lastMs / hourMs) === Math.floor(sums.atMs / hourMs)) return
    this.#tracks.tidy(sums.atMs)
    this.#noteTold()
  }

  #noteTold(): void {
    this.#told.clear()
    for (const key of this.#tracks.toldKeys()) this.#told.add(this.#seriesOf(labelsOfKey(key, this.#by)))
  }

  #keyOf(labels: Readonly<Record<string, string>>): string {
    return JSON.stringify(this.#by.map((label) => labels[label] ?? ''))
  }

  #seriesOf(labels: Readonly<Record<string, string>>): string {
    return JSON.stringify(this.#by.slice(0, -1).map((label) => labels[label] ?? ''))
  }

  hold(key: string): void {
    const place = this.#tracks.series.placeOf(key)
    // Right after a restart the tracks know by themselves what was told.
    if (place === undefined || !this.#live) return
    const stand = this.#tracks.stand(place, this.#nowMs)
    if (stand === null) return
    const { crossed, foreseen } = judgeQuota(this.#condition, stand, this.#nowMs)
    this.#tracks.tell(place, crossed | (foreseen ? forecastBit : 0))
  }

  release(key: string): void {
    const place = this.#tracks.series.placeOf(key)
    if (place !== undefined) this.#tracks.tell(place, 0)
  }

  adopt(): boolean {
    return false
  }

  learn(sums: StepSums): void {
    this.#feed(sums)
  }

  explain(key: string): readonly string[] {
    const place = this.#tracks.series.placeOf(key)
    const stand = place === undefined ? null : this.#tracks.stand(place, this.#nowMs)
    if (stand === null) return ['nothing is known of this quota any more']
    const { chance } = judgeQuota(this.#condition, stand, this.#nowMs)
    const facts = quotaText(labelsOfKey(key, this.#by), stand, this.#outlook(stand, chance, this.#nowMs)).facts
    const lines = facts.map(({ label, text }) => `${label.toLowerCase()}: ${text}`)
    if (chance === null) lines.push('usage has been watched for too short a time to forecast it')
    return [...lines, ...this.#conditionText()]
  }

  #conditionText(): readonly string[] {
    const { levels, forecast, rearmOn } = this.#condition
    const texts = levels.map(({ severity, bound }) => `${severity} at ${Math.round(bound * 100)} %`)
    const lines = levels.length === 0 ? [] : [`levels, each told once per period and limit: ${texts.join(', ')}`]
    if (forecast !== null) {
      const { probability, minUsed } = forecast
      lines.push(`forecast: from a chance of ${probability} on, once ${Math.round(minUsed * 100)} % is used`)
    }
    lines.push(`told again after: ${rearmOn.length === 0 ? 'nothing' : rearmOn.join(', ').replaceAll('_', ' ')}`)
    return lines
  }

  status(): readonly string[] {
    const { size } = this.#tracks.series
    const known = this.#learning.known
    const lines = [`${size} quotas are followed; ${this.#told.size} series have theirs from the gateway`]
    if (size === 0) {
      lines.push('it is silent: no gateway has logged a quota (RateLimit or x-ratelimit-* headers)')
      const began = 'no series has yet had refusals for quota_exceeded that the end of a day or month (UTC) ended'
      if (known === 0) lines.push(`and ${began}`)
    }
    const turnedAway = this.#tracks.turnedAway + this.#board.turnedAway
    if (turnedAway > 0) lines.push(`${turnedAway} readings were turned away: no room, or no sense in them`)
    return lines
  }

  kept(): { series: number; turnedAway: number } {
    const { feed } = this.#learning
    return { series: this.#tracks.series.size, turnedAway: this.#tracks.turnedAway + feed.turnedAway }
  }

  /** The quotas of one tenant as they stand. */
  quotasOf(tenant: string): readonly KnownQuota[] {
    if (!this.#by.includes('tenant')) return []
    const nowMs = this.#nowMs
    // Keys are read only where the name occurs at all: there may be very many.
    const mark = JSON.stringify(tenant)
    return this.#tracks.series.keys.flatMap((key, place) => {
      if (!key?.includes(mark)) return []
      const labels = labelsOfKey(key, this.#by)
      const stand = labels['tenant'] === tenant ? this.#tracks.stand(place, nowMs) : null
      return stand === null ? [] : [{ labels, stand, chance: judgeQuota(this.#condition, stand, nowMs).chance, nowMs }]
    })
  }

  memories(): readonly Memory[] {
    return [this.#tracks, this.#learning.feed]
  }
}

function readingLabels({ tenant, api, quota }: QuotaReading): Readonly<Record<string, string>> {
  return { tenant, api, quota }
}
