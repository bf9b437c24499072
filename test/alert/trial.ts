import { Baselines } from '../../src/alert/baseline.ts'
import { Calibration } from '../../src/alert/calibration.ts'
import { Pools } from '../../src/alert/pools.ts'
import {
  type HorizonReading,
  isCalm,
  judgeSpike,
  logChance,
  type Side,
  type SpikeGates,
} from '../../src/alert/spike.ts'
import { type Amount, day, type Process } from './processes.ts'

/*
 * The detector over fleets of simulated series, a minute at a time: baselines, tests, freezing and self-calibration are
 * the product's own, only windows and rules are left out, so that hundreds of series-years take minutes. One
 * evaluation a minute, windows of 5 and 60 minutes, half-life a day, as in the design's tables.
 */

export const minute = 60_000
export const minutesPerYear = 525_960
const short = 5
const long = 60
const keepFiring = 10
/** Alarms closer than this are one episode. */
const merge = 60

export interface FleetOptions {
  readonly size: number
  readonly process: (series: number) => Process
  /** Events per unit of exposure that series know at the start, as from a day of it. */
  readonly trueRate: number
  readonly logAlpha: number
  readonly gates?: Partial<SpikeGates>
  /** Hears of every test before it teaches. */
  readonly onTest?: (fleet: Fleet, series: number, at: number) => void
  /** Whether the rule checks its own chances, as it does in the product. */
  readonly calibrate?: boolean
  /** Whether series share what they know of clumps; by default they do, as in the product. */
  readonly pooled?: boolean
}

/** Many series of one rule, in step. */
export class Fleet {
  readonly baselines: Baselines
  readonly calibration = new Calibration()
  readonly #options: FleetOptions
  readonly #pools = new Pools(['cause'])
  readonly #gates: SpikeGates
  readonly #processes: readonly Process[]
  /** Counts and exposures of the last hour, series after series. */
  readonly #counts: Float64Array
  readonly #exposures: Float64Array
  /** Sums over the last 5 and 60 minutes: count and exposure. */
  readonly #sums: Float64Array
  /** When each alert began, -1 for none; its horizon; since when it is calm. */
  readonly #onSince: Int32Array
  readonly #horizon: Uint8Array
  readonly #calmSince: Int32Array
  readonly #lastAlarm: Int32Array
  readonly #amount: Amount = { count: 0, exposure: 0 }
  /** The minute that has just ended. */
  now = 0
  /** Alarms of each series that no other came before within an hour. */
  readonly episodes: Int32Array
  /** The minute of each series' first alarm; -1 for none. */
  readonly firedAt: Int32Array

  constructor(options: FleetOptions) {
    const { size, trueRate } = options
    this.#options = options
    this.#gates = { minCount: 5, minRatio: 2, direction: 'up', ...options.gates }
    this.baselines = new Baselines({
      slotMs: short * minute,
      halfLifeMs: day * minute,
      horizonsMs: [short * minute, long * minute],
      seriesLimit: size,
    })
    this.#processes = Array.from({ length: size }, (_, series) => options.process(series))
    this.#counts = new Float64Array(size * long)
    this.#exposures = new Float64Array(size * long)
    this.#sums = new Float64Array(size * 4)
    this.#onSince = new Int32Array(size).fill(-1)
    this.#horizon = new Uint8Array(size)
    this.#calmSince = new Int32Array(size).fill(-1)
    this.#lastAlarm = new Int32Array(size).fill(-merge)
    this.episodes = new Int32Array(size)
    this.firedAt = new Int32Array(size).fill(-1)
    const seed = { a: trueRate * day, b: day, borrowed: 0 }
    for (let k = 0; k < size; k++) this.baselines.create(seed, { bornMs: -day * minute, seenMs: 0, stage: 'settled' })
  }

  run(minutes: number): void {
    for (let k = 0; k < minutes; k++) this.step()
  }

  /** Forgets what was noted so far: the end of the warm-up. */
  startCounting(): void {
    this.episodes.fill(0)
    this.firedAt.fill(-1)
  }

  reading(series: number, horizon: 0 | 1): HorizonReading {
    const count = this.#sums[4 * series + 2 * horizon] ?? 0
    const exposure = this.#sums[4 * series + 2 * horizon + 1] ?? 0
    const { mean, spread } = this.baselines.predict(series, horizon, exposure)
    return { count, exposure, mean, spread }
  }

  lastCount(series: number): number {
    return this.#counts[series * long + (this.now % long)] ?? 0
  }

  lastExposure(series: number): number {
    return this.#exposures[series * long + (this.now % long)] ?? 0
  }

  step(): void {
    const { size, onTest } = this.#options
    this.now++
    for (let series = 0; series < size; series++) {
      this.#take(series)
      onTest?.(this, series, this.now)
      this.#judge(series)
    }
    this.#learn()
  }

  #take(series: number): void {
    const amount = this.#amount
    this.#processes[series]?.(this.now, amount)
    const { count, exposure } = amount
    const base = series * long
    const at = base + (this.now % long)
    const left = base + ((this.now + long - short) % long)
    const sums = 4 * series
    this.#sums[sums] = (this.#sums[sums] ?? 0) + count - (this.#counts[left] ?? 0)
    this.#sums[sums + 1] = (this.#sums[sums + 1] ?? 0) + exposure - (this.#exposures[left] ?? 0)
    this.#sums[sums + 2] = (this.#sums[sums + 2] ?? 0) + count - (this.#counts[at] ?? 0)
    this.#sums[sums + 3] = (this.#sums[sums + 3] ?? 0) + exposure - (this.#exposures[at] ?? 0)
    this.#counts[at] = count
    this.#exposures[at] = exposure
  }

  #judge(series: number): void {
    const near = this.reading(series, 0)
    const far = this.reading(series, 1)
    const on = (this.#onSince[series] ?? -1) >= 0
    // The gates alone tell nearly always: nothing to look at, nothing to end.
    if (!on && near.count < this.#gates.minCount && far.count < this.#gates.minCount) return
    const verdict = judgeSpike(near, far, {
      gates: this.#gates,
      logAlpha: this.#options.logAlpha,
      longMuted: this.baselines.isLongMuted(series, this.now * minute),
    })
    if (verdict.fires) this.#alarm(series)
    if (!on) {
      if (!verdict.fires) return
      this.#onSince[series] = this.now
      this.#horizon[series] = verdict.horizon
      this.#calmSince[series] = -1
      this.baselines.hold(series)
      return
    }
    if (verdict.fires && verdict.horizon === 0) this.#horizon[series] = 0
    this.#end(series, verdict.fires, [near, far])
  }

  #alarm(series: number): void {
    if (this.now - (this.#lastAlarm[series] ?? 0) >= merge) this.episodes[series] = (this.episodes[series] ?? 0) + 1
    this.#lastAlarm[series] = this.now
    if ((this.firedAt[series] ?? -1) < 0) this.firedAt[series] = this.now
  }

  #end(series: number, fires: boolean, readings: readonly [HorizonReading, HorizonReading]): void {
    const horizon = this.#horizon[series] === 0 ? 0 : 1
    const side: Side = 'up'
    if (this.now - (this.#onSince[series] ?? 0) >= day) {
      this.baselines.adopt(series, readings[1].count, readings[1].exposure)
    } else {
      if (fires || !isCalm(readings[horizon], side)) {
        this.#calmSince[series] = -1
        return
      }
      if ((this.#calmSince[series] ?? -1) < 0) this.#calmSince[series] = this.now
      if (this.now - (this.#calmSince[series] ?? 0) < keepFiring) return
      if (horizon === 0) this.baselines.muteLong(series, ((this.#calmSince[series] ?? 0) + long) * minute)
    }
    this.baselines.release(series)
    this.#onSince[series] = -1
  }

  #learn(): void {
    const { size, calibrate } = this.#options
    const atMs = this.now * minute
    for (const horizon of [0, 1] as const) {
      if (this.now % (horizon === 0 ? short : long) !== 0) continue
      for (let series = 0; series < size; series++) {
        const reading = this.reading(series, horizon)
        if (horizon === 0 && calibrate === true && !this.baselines.isHeld(series)) {
          const far = reading.count > reading.mean + 2 * Math.sqrt(reading.mean + reading.mean ** 2 * reading.spread)
          this.calibration.note(far ? logChance(reading, 'up') : null)
        }
        this.baselines.learnSpread(series, horizon, reading.count, reading.exposure, atMs)
      }
    }
    for (let series = 0; series < size; series++) {
      const at = series * long + (this.now % long)
      this.baselines.feed(series, this.#counts[at] ?? 0, this.#exposures[at] ?? 0, atMs)
    }
    if (this.now % short === 0) {
      this.baselines.closeSlot(this.now / short - 1)
      if (this.#options.pooled !== false) this.#pool()
    }
    if (calibrate === true) {
      this.calibration.roll(atMs)
      this.baselines.inflation = this.calibration.inflation
    }
  }

  #pool(): void {
    this.#pools.clear()
    for (let series = 0; series < this.#options.size; series++) {
      for (const horizon of [0, 1] as const) {
        const clumps = this.baselines.isHeld(series) ? null : this.baselines.clumps(series, horizon)
        if (clumps !== null) this.#pools.addClumps(horizon, clumps)
      }
    }
    this.baselines.clumping = this.#pools.clumping
  }
}
