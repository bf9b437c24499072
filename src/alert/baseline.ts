import type { EpochMs } from '../time/clock.ts'
import { BaselineStore, doubles, field, flag, floats, slotCount } from './baseline-store.ts'

/*
 * What is normal for each series: a gamma–Poisson model with forgetting (docs/detector.md).
 *
 *   a, b        the rate is a/b per unit of exposure, known as well as `a` counted events would tell it
 *   v1, v2      per horizon: extra variance beyond Poisson, v1/v2 is the relative part (Lambert & Liu, JASA 2006)
 *   ring        counts and exposure of the last 12 slots: they reach a and b only when they are older than the guard,
 *               an hour, so that an incident does not teach itself; while a series is young its guard is half its age
 *   part        the slot being filled
 *   waiting     what the windows of the last one to two hours have to teach v1 and v2: they wait behind the same guard,
 *               and an alert that comes on throws them away
 */

/** v1 and v2 of the short and the long horizon. */
const waiting = 4

/** The dispersion we start from, with the weight of so many windows; beyond one event a window, of unit windows. */
const priorDispersion = 0.05
const priorWindows = 10
/** What the fleet knows of clumps weighs as many windows as a series remembers at a half-life of a day. */
const fleetWindows = 400
/** Knowledge never falls below half an event, or a quiet month would make the next two events a certainty. */
const leastShape = 0.5

export interface BaselineOptions {
  /** Length of a ring slot; the guard is twelve of them. */
  readonly slotMs: number
  readonly halfLifeMs: number
  /** Lengths of the short and the long horizon. */
  readonly horizonsMs: readonly [number, number]
  readonly seriesLimit: number
}

export type Horizon = 0 | 1

export interface Prediction {
  readonly mean: number
  /** Relative variance beyond Poisson; the negative binomial's size is its inverse. */
  readonly spread: number
}

/** What a series starts with. */
export interface Seed {
  readonly a: number
  readonly b: number
  /** How much of `b` is borrowed from other series and not this one's own. */
  readonly borrowed: number
}

export interface Birth {
  /** When the series was first seen, as far as is known: its guard goes by its age. */
  readonly bornMs: EpochMs
  /** When it last had a refusal. */
  readonly seenMs: EpochMs
  /** `fresh`: its first minute is passing, it cannot be judged · `young`: it is told what it knows · `settled`: it learns by itself. */
  readonly stage: 'fresh' | 'young' | 'settled'
}

export class Baselines {
  readonly #store: BaselineStore
  readonly #options: BaselineOptions
  readonly #slotDecay: number
  readonly #spreadDecay: readonly [number, number]
  /** Multiplies fitted dispersion; raised by the self-calibration. */
  inflation = 1
  /** How many more come with each event, over all series of the rule; 0 where events come one by one. */
  clumping = 0

  constructor(options: BaselineOptions) {
    this.#store = new BaselineStore(options.seriesLimit)
    this.#options = options
    this.#slotDecay = 2 ** (-options.slotMs / options.halfLifeMs)
    const [short, long] = options.horizonsMs
    this.#spreadDecay = [2 ** (-short / options.halfLifeMs), 2 ** (-long / options.halfLifeMs)]
  }

  /** Every place below this may hold a series. */
  get places(): number {
    return this.#store.places
  }

  get size(): number {
    return this.#store.size
  }

  /** Makes room for a series; null when the limit is reached. */
  create(seed: Seed, { bornMs, seenMs, stage }: Birth): number | null {
    const place = this.#store.take()
    if (place === null) return null
    this.#store.set(place, field.bornAt, bornMs)
    this.#store.set(place, field.seenAt, seenMs)
    if (stage !== 'settled') this.#store.raise(place, flag.young)
    if (stage === 'fresh') this.#store.raise(place, flag.fresh)
    this.reseed(place, seed)
    return place
  }

  isLive(place: number): boolean {
    return this.#store.has(place, flag.live)
  }

  isHeld(place: number): boolean {
    return this.#store.has(place, flag.held)
  }

  /** Its first minute is still passing: there is nothing yet to compare it with. */
  isFresh(place: number): boolean {
    return this.#store.has(place, flag.fresh)
  }

  /** It is still told what it knows, by `reseed`, and does not learn by itself. */
  isYoung(place: number): boolean {
    return this.#store.has(place, flag.young | flag.fresh)
  }

  /** Ends the first minute of a fresh series, which began at `bornMs`: from now on it is judged by it. */
  endFirstMinute(place: number, bornMs: EpochMs): void {
    this.#store.lower(place, flag.fresh)
    this.#store.set(place, field.bornAt, bornMs)
  }

  /** Starts a young series anew with what is known of it by now. */
  reseed(place: number, seed: Seed): void {
    this.#store.set(place, field.a, Math.max(leastShape, seed.a))
    this.#store.set(place, field.b, seed.b)
    this.#store.set(place, field.priorB, seed.borrowed)
  }

  /** Lets a series learn by itself from now on; what its seed leaves out of the past waits in the slot being filled. */
  settle(place: number, count: number, exposure: number): void {
    this.#store.lower(place, flag.young | flag.fresh)
    this.#store.set(place, field.partY, count)
    this.#store.set(place, field.partE, exposure)
  }

  /** Whether what is known is still mostly borrowed, or younger than the guard. */
  isLearning(place: number, atMs: EpochMs): boolean {
    const guardMs = slotCount * this.#options.slotMs
    const young = atMs - this.#store.get(place, field.bornAt) < guardMs + guardMs / 2
    return young || this.#store.get(place, field.b) < 2 * this.#store.get(place, field.priorB)
  }

  bornMs(place: number): EpochMs {
    return this.#store.get(place, field.bornAt)
  }

  shape(place: number): { a: number; b: number } {
    return { a: this.#store.get(place, field.a), b: this.#store.get(place, field.b) }
  }

  /** Freezes what is normal while an alert is on; what is still to be learnt may hold its beginning, and is dropped. */
  hold(place: number): void {
    this.#store.raise(place, flag.held)
    this.settle(place, 0, 0)
    this.#forgetWaiting(place)
  }

  release(place: number): void {
    this.#store.lower(place, flag.held)
  }

  /** Lets all series learn again; whoever knows of alerts holds theirs anew. */
  releaseAll(): void {
    for (let place = 0; place < this.places; place++) this.release(place)
  }

  /** The long horizon is not believed before this time: until then it still holds an incident that is over. */
  muteLong(place: number, untilMs: EpochMs): void {
    this.#store.set(place, field.mutedUntil, untilMs)
  }

  isLongMuted(place: number, atMs: EpochMs): boolean {
    return atMs < this.#store.get(place, field.mutedUntil)
  }

  /** What a normal window with this exposure would hold. */
  predict(place: number, horizon: Horizon, exposure: number): Prediction {
    const { numbers } = this.#store
    const base = place * doubles
    const a = numbers[base + field.a] ?? leastShape
    const mean = (a / (numbers[base + field.b] ?? 1)) * exposure
    const v1 = numbers[base + field.v + 2 * horizon] ?? 0
    const v2 = numbers[base + field.v + 2 * horizon + 1] ?? 0
    // What a window weighs in v2: a prior of unit windows would outweigh a rare series for ever.
    const unit = Math.max(Number.MIN_VALUE, Math.min(1, mean * mean))
    let fitted = (v1 + priorDispersion * priorWindows * unit) / (v2 + priorWindows * unit)
    if (this.clumping > 0 && mean > 0) {
      const fleet = priorDispersion + this.clumping / mean
      fitted = Math.max(fitted, (v1 + fleet * fleetWindows * unit) / (v2 + fleetWindows * unit))
    }
    const spread = 1 / a + this.inflation * Math.max(0, fitted) + (this.inflation - 1) * priorDispersion
    return { mean, spread }
  }

  /**
   * Variance beyond Poisson and the events it was seen on, for a pool over rare series; null where windows hold more
   * than two events, for there it tells of a wandering rate rather than of clumps.
   */
  clumps(place: number, horizon: Horizon): { excess: number; events: number } | null {
    const events = this.#store.get(place, field.a)
    if (this.#store.get(place, field.v + 2 * horizon + 1) > 2 * events) return null
    return { excess: this.#store.get(place, field.v + 2 * horizon), events }
  }

  /** Takes in one minute of a series. */
  feed(place: number, count: number, exposure: number, atMs: EpochMs): void {
    const store = this.#store
    if (count > 0) store.set(place, field.seenAt, atMs)
    // What passes while the series is young is in its seed already, or will be.
    if (store.has(place, flag.held | flag.young | flag.fresh)) return
    store.set(place, field.partY, store.get(place, field.partY) + count)
    store.set(place, field.partE, store.get(place, field.partE) + exposure)
  }

  /**
   * Closes the slot with this running number, counted from the epoch: the oldest one of the ring is learnt, the new one
   * takes its place. Of a young series all slots are learnt that are older than half its age.
   */
  closeSlot(number: number): void {
    const store = this.#store
    const newest = ringIndex(number)
    const endMs = (number + 1) * this.#options.slotMs
    for (let place = 0; place < this.places; place++) {
      if (!store.has(place, flag.live)) continue
      const teaches = !store.has(place, flag.held)
      if (teaches) {
        store.set(place, field.a, Math.max(leastShape, this.#slotDecay * store.get(place, field.a)))
        store.set(place, field.b, this.#slotDecay * store.get(place, field.b))
        store.set(place, field.priorB, this.#slotDecay * store.get(place, field.priorB))
        this.#learnSlot(place, newest)
      }
      store.ring[place * floats + 2 * newest] = store.get(place, field.partY)
      store.ring[place * floats + 2 * newest + 1] = store.get(place, field.partE)
      store.set(place, field.partY, 0)
      store.set(place, field.partE, 0)
      const guard = Math.ceil((endMs - this.bornMs(place)) / 2 / this.#options.slotMs)
      for (let age = slotCount - 1; teaches && age >= Math.max(1, guard); age--) {
        this.#learnSlot(place, ringIndex(number - age))
      }
      if (newest === 0) this.#ripen(place)
    }
  }

  /** Moves one slot of the ring into what is known; an outlier counts as a large but ordinary value. */
  #learnSlot(place: number, index: number): void {
    const { numbers, ring } = this.#store
    const slot = place * floats + 2 * index
    const count = ring[slot] ?? 0
    const exposure = ring[slot + 1] ?? 0
    if (exposure <= 0 && count <= 0) return
    const base = place * doubles
    const cap = capOf(this.predict(place, 0, exposure))
    numbers[base + field.a] = (numbers[base + field.a] ?? 0) + Math.min(count, cap)
    numbers[base + field.b] = (numbers[base + field.b] ?? 0) + exposure
    ring[slot] = 0
    ring[slot + 1] = 0
  }

  /** Once in a guard: what has waited for the whole of one is learnt. */
  #ripen(place: number): void {
    const { numbers } = this.#store
    const base = place * doubles
    for (let i = 0; i < waiting; i++) {
      const known = base + field.v + i
      numbers[known] = (numbers[known] ?? 0) + (numbers[base + field.waitingBefore + i] ?? 0)
      numbers[base + field.waitingBefore + i] = numbers[base + field.waitingNow + i] ?? 0
      numbers[base + field.waitingNow + i] = 0
    }
  }

  #forgetWaiting(place: number): void {
    const base = place * doubles
    this.#store.numbers.fill(0, base + field.waitingNow, base + field.waitingNow + 2 * waiting)
  }

  /** Compares a window that has ended with its prediction. Windows of one horizon must not overlap. */
  learnSpread(place: number, horizon: Horizon, count: number, exposure: number, atMs: EpochMs): void {
    if (exposure <= 0 || this.isHeld(place) || this.isLearning(place, atMs)) return
    if (horizon === 1 && this.isLongMuted(place, atMs)) return
    const prediction = this.predict(place, horizon, exposure)
    const { mean } = prediction
    const surprise = Math.min(count, capOf(prediction)) - mean
    const decay = this.#spreadDecay[horizon]
    const { numbers } = this.#store
    const known = place * doubles + field.v + 2 * horizon
    numbers[known] = decay * (numbers[known] ?? 0)
    numbers[known + 1] = decay * (numbers[known + 1] ?? 0)
    const fresh = place * doubles + field.waitingNow + 2 * horizon
    numbers[fresh] = (numbers[fresh] ?? 0) + surprise * surprise - mean
    numbers[fresh + 1] = (numbers[fresh + 1] ?? 0) + mean * mean
  }

  /** Takes the present level for normal from now on, forgetting all before. */
  adopt(place: number, count: number, exposure: number): void {
    if (exposure <= 0) return
    const { numbers } = this.#store
    this.reseed(place, { a: count, b: exposure, borrowed: 0 })
    numbers.fill(0, place * doubles + field.v, place * doubles + field.v + 2 * 2)
    this.settle(place, 0, 0)
    this.#forgetWaiting(place)
    this.#store.clearRing(place)
  }

  /** Forgets series without a refusal since `beforeMs` and says which places became free. */
  forget(beforeMs: EpochMs): readonly number[] {
    const gone: number[] = []
    for (let place = 0; place < this.places; place++) {
      if (!this.isLive(place) || this.isHeld(place) || this.#store.get(place, field.seenAt) >= beforeMs) continue
      gone.push(place)
    }
    this.#store.give(gone)
    return gone
  }

  /** The raw bytes of the places `[from, to)`, for saving. */
  bytes(from: number, to: number): { numbers: Uint8Array; ring: Uint8Array } {
    return this.#store.bytes(from, to)
  }

  /** Puts saved bytes back at `from`; false if they have the wrong size. */
  load(from: number, saved: { numbers: Uint8Array; ring: Uint8Array }): boolean {
    return this.#store.load(from, saved)
  }
}

/** The most of a count that may teach. */
function capOf({ mean, spread }: Prediction): number {
  return mean + 4 * Math.sqrt(mean + mean * mean * spread) + 3
}

function ringIndex(number: number): number {
  return ((number % slotCount) + slotCount) % slotCount
}
