import type { EpochMs } from '../time/clock.ts'
import { dayMs, minuteMs } from '../time/duration.ts'
import { Baselines, type Horizon } from './baseline.ts'
import { smallestAlarm } from './negative-binomial.ts'
import { type HorizonReading, isCalm, judgeSpike, logAlphaOf, logChance, type Side, type SpikeGates } from './spike.ts'
import { vaguePrior } from './spike-series.ts'

/** One line of a time series. */
export interface ScoreInput {
  readonly timeMs: EpochMs
  readonly count: number
  /** What the count is out of, such as requests; null where it is not known, then time stands in. */
  readonly exposure: number | null
}

/** What the spike detector says of one line. */
export interface Score {
  readonly timeMs: EpochMs
  readonly count: number
  /** What this line would normally hold. */
  readonly expected: number
  /** The most this line may hold by itself without an alarm. */
  readonly upper: number
  /** The chance of what the horizon that decides holds, on a normal day. */
  readonly pValue: number
  /** An alert is on: it started at this line or is not over. */
  readonly fired: boolean
  /** What the window that ends with this line holds, and would normally hold. */
  readonly windowCount: number
  readonly windowExpected: number
  readonly learning: boolean
}

export interface ScoreOptions {
  readonly windowMs: number
  readonly direction: SpikeGates['direction']
  readonly falseAlertsPerWeek: number
}

const slotsBack = 12
/** The first windows are only learnt: there is nothing to compare them with. */
const seedWindows = 3
const gateDefaults = { minCount: 5, minRatio: 2 } as const

/**
 * Runs the spike detector of the rules over one evenly spaced series: the same baseline, tests and freezing, with a
 * line for a minute. The second horizon is twelve times the window, the budget of false alerts is this series' own.
 *
 * @param rows in order of time; gaps are allowed and teach nothing
 * @param stepMs the usual distance between two lines
 */
export function scoreSeries(rows: readonly ScoreInput[], stepMs: number, options: ScoreOptions): readonly Score[] {
  const perWindow = Math.max(1, Math.round(options.windowMs / stepMs))
  const scorer = new Scorer(perWindow, stepMs, options)
  const startMs = rows[0]?.timeMs ?? 0
  let bucket = -1
  return rows.map((row) => {
    const at = Math.max(bucket + 1, Math.round((row.timeMs - startMs) / stepMs))
    for (bucket++; bucket < at; bucket++) scorer.skip(bucket)
    return scorer.take(bucket, row)
  })
}

/** The usual distance between two lines: the median, so that gaps do not matter. */
export function usualStepMs(rows: readonly ScoreInput[]): number {
  const steps = rows.slice(1).map((row, at) => row.timeMs - (rows[at]?.timeMs ?? 0))
  steps.sort((a, b) => a - b)
  return steps[Math.floor(steps.length / 2)] ?? minuteMs
}

class Scorer {
  readonly #baselines: Baselines
  readonly #perWindow: number
  readonly #stepMs: number
  readonly #options: ScoreOptions
  readonly #gates: SpikeGates
  readonly #logAlpha: number
  /** The last buckets of the long horizon. */
  readonly #counts: number[] = []
  readonly #exposures: number[] = []
  #place: number | null = null
  #seen = 0
  #on: { horizon: Horizon; side: Side; sinceMs: EpochMs } | null = null

  constructor(perWindow: number, stepMs: number, options: ScoreOptions) {
    const windowMs = perWindow * stepMs
    this.#perWindow = perWindow
    this.#stepMs = stepMs
    this.#options = options
    this.#gates = { ...gateDefaults, direction: options.direction }
    this.#logAlpha = logAlphaOf(options.falseAlertsPerWeek, 1, dayMs / stepMs)
    this.#baselines = new Baselines({
      slotMs: windowMs,
      // A day, but long enough for a series with few lines to know itself.
      halfLifeMs: Math.max(dayMs, 4 * slotsBack * windowMs),
      horizonsMs: [windowMs, slotsBack * windowMs],
      seriesLimit: 1,
    })
  }

  /** A bucket without a line. */
  skip(bucket: number): void {
    this.#remember(0, 0)
    this.#learn(bucket, 0, 0)
  }

  take(bucket: number, row: ScoreInput): Score {
    // The baseline's own clock starts with the first line, so that its slots do.
    const atMs = (bucket + 1) * this.#stepMs
    const exposure = row.exposure ?? 1
    this.#remember(row.count, exposure)
    const place = this.#placeFor(exposure, atMs)
    const short = this.#reading(place, 0)
    const long = this.#reading(place, 1)
    const verdict = judgeSpike(short, long, {
      gates: this.#gates,
      logAlpha: this.#logAlpha,
      longMuted: this.#baselines.isLongMuted(place, atMs),
    })
    const fires = verdict.fires && this.#seen > seedWindows * this.#perWindow
    const deciding = fires && verdict.horizon === 1 ? long : short
    const fired = this.#move(place, atMs, { fires, horizon: verdict.horizon, side: verdict.side, short, long })
    const single = this.#baselines.predict(place, 0, exposure)
    const logBound = this.#logAlpha - Math.log(this.#options.direction === 'both' ? 4 : 2)
    const upper = single.mean > 0 ? smallestAlarm(single.mean, 1 / single.spread, logBound, this.#gates) - 1 : 0
    this.#learn(bucket, row.count, exposure)
    return {
      timeMs: row.timeMs,
      count: row.count,
      expected: single.mean,
      upper,
      pValue: Math.exp(logChance(deciding, verdict.side)),
      fired,
      windowCount: short.count,
      windowExpected: short.mean,
      learning: this.#baselines.isLearning(place, atMs),
    }
  }

  /** Moves the alert; ends it without a wait, so that the lines say exactly what the test says. */
  #move(
    place: number,
    atMs: EpochMs,
    now: { fires: boolean; horizon: Horizon; side: Side; short: HorizonReading; long: HorizonReading },
  ): boolean {
    if (this.#on === null) {
      if (!now.fires) return false
      this.#on = { horizon: now.horizon, side: now.side, sinceMs: atMs }
      this.#baselines.hold(place)
      return true
    }
    if (now.fires && now.horizon === 0) this.#on = { ...this.#on, horizon: 0 }
    if (atMs - this.#on.sinceMs >= dayMs) {
      this.#baselines.adopt(place, now.long.count, now.long.exposure)
    } else if (now.fires || !isCalm(this.#on.horizon === 0 ? now.short : now.long, this.#on.side)) {
      return true
    }
    this.#baselines.release(place)
    if (this.#on.horizon === 0) this.#baselines.muteLong(place, atMs + slotsBack * this.#perWindow * this.#stepMs)
    this.#on = null
    return false
  }

  #placeFor(exposure: number, atMs: EpochMs): number {
    this.#seen++
    const place = this.#place
    if (place !== null && !this.#baselines.isFresh(place)) return place
    const a = vaguePrior.a + sum(this.#counts)
    const b = vaguePrior.b * exposure + sum(this.#exposures)
    const seed = { a, b: b > 0 ? b : vaguePrior.b, borrowed: vaguePrior.b * exposure }
    if (place === null) {
      const birth = { bornMs: atMs - this.#stepMs, seenMs: atMs, stage: 'fresh' } as const
      this.#place = this.#baselines.create(seed, birth) ?? 0
      return this.#place
    }
    this.#baselines.reseed(place, seed)
    if (this.#seen >= seedWindows * this.#perWindow) this.#baselines.settle(place, 0, 0)
    return place
  }

  #remember(count: number, exposure: number): void {
    this.#counts.push(count)
    this.#exposures.push(exposure)
    if (this.#counts.length > slotsBack * this.#perWindow) {
      this.#counts.shift()
      this.#exposures.shift()
    }
  }

  #reading(place: number, horizon: Horizon): HorizonReading {
    const buckets = horizon === 0 ? this.#perWindow : slotsBack * this.#perWindow
    const count = sum(this.#counts.slice(-buckets))
    const exposure = sum(this.#exposures.slice(-buckets))
    const { mean, spread } = this.#baselines.predict(place, horizon, exposure)
    return { count, exposure, mean, spread }
  }

  #learn(bucket: number, count: number, exposure: number): void {
    const place = this.#place
    const atMs = (bucket + 1) * this.#stepMs
    if (place === null) return
    for (const horizon of [0, 1] as const) {
      const buckets = horizon === 0 ? this.#perWindow : slotsBack * this.#perWindow
      if ((bucket + 1) % buckets !== 0) continue
      const reading = this.#reading(place, horizon)
      this.#baselines.learnSpread(place, horizon, reading.count, reading.exposure, atMs)
    }
    this.#baselines.feed(place, count, exposure, atMs)
    if ((bucket + 1) % this.#perWindow === 0) this.#baselines.closeSlot(Math.floor(bucket / this.#perWindow))
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
