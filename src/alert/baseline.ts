import type { EpochMs } from '../time/clock.ts'

/*
 * What is normal for each series: a gamma–Poisson model with forgetting (reference 4.2, steps 1 to 3 and 8).
 *
 *   a, b        the rate is a/b per unit of exposure, known as well as `a` counted events would tell it
 *   v1, v2      per horizon: extra variance beyond Poisson, v1/v2 is the relative part (Lambert & Liu, JASA 2006)
 *   ring        counts and exposure of the last 12 slots: they reach a and b only when they leave it, an hour later,
 *               so that an incident does not teach itself
 *   part        the slot being filled
 *   waiting     what the windows of the last one to two hours have to teach v1 and v2: they wait behind the same guard,
 *               and an alert that comes on throws them away
 *
 * One series takes 21 doubles and 24 floats: 264 bytes. All lie in two arrays, so that a minute's work over 100,000
 * series is a loop and a chunk of series is saved by copying bytes.
 */

const slotCount = 12
const doubles = 21
const floats = 2 * slotCount
const A = 0
const B = 1
/** v1 and v2 of the short horizon; those of the long one follow. */
const V = 2
const partY = 6
const partE = 7
const bornAt = 8
const seenAt = 9
const mutedUntil = 10
const priorB = 11
const flags = 12
/** v1 and v2 of the short and the long horizon of this hour; those of the hour before follow. */
const young = 13
const old = 17
const waiting = 4

const live = 1
const held = 2
const fresh = 4

/** The dispersion we start from, with the weight of `K` unit windows: reference 4.2, step 3. */
const priorDispersion = 0.05
const priorWeight = 10
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
  /** All that is known is the series' first minute, which is still passing. */
  readonly fresh: boolean
}

export class Baselines {
  readonly #options: BaselineOptions
  readonly #slotDecay: number
  readonly #spreadDecay: readonly [number, number]
  #numbers = new Float64Array(0)
  #ring = new Float32Array(0)
  /** Free places, the lowest last, so that a restart fills them in the same order. */
  #free: number[] = []
  #used = 0
  #live = 0
  /** Multiplies fitted dispersion; raised by the self-calibration. */
  inflation = 1

  constructor(options: BaselineOptions) {
    this.#options = options
    this.#slotDecay = 2 ** (-options.slotMs / options.halfLifeMs)
    const [short, long] = options.horizonsMs
    this.#spreadDecay = [2 ** (-short / options.halfLifeMs), 2 ** (-long / options.halfLifeMs)]
  }

  /** Every place below this may hold a series. */
  get places(): number {
    return this.#used
  }

  get size(): number {
    return this.#live
  }

  /** Makes room for a series; null when the limit is reached. */
  create(seed: Seed, atMs: EpochMs): number | null {
    if (this.#live >= this.#options.seriesLimit) return null
    const place = this.#free.pop() ?? this.#used++
    this.#makeRoom()
    const base = place * doubles
    this.#numbers.fill(0, base, base + doubles)
    this.#ring.fill(0, place * floats, (place + 1) * floats)
    this.#numbers[base + bornAt] = atMs
    this.#numbers[base + seenAt] = atMs
    this.#numbers[base + flags] = live | fresh
    this.reseed(place, seed)
    this.#live++
    return place
  }

  isLive(place: number): boolean {
    return (this.#flags(place) & live) !== 0
  }

  isHeld(place: number): boolean {
    return (this.#flags(place) & held) !== 0
  }

  /** Its first minute is still passing: there is nothing yet to compare it with. */
  isFresh(place: number): boolean {
    return (this.#flags(place) & fresh) !== 0
  }

  /** Starts a fresh series anew with what is known of it by now. */
  reseed(place: number, seed: Seed): void {
    const base = place * doubles
    this.#numbers[base + A] = Math.max(leastShape, seed.a)
    this.#numbers[base + B] = seed.b
    this.#numbers[base + priorB] = seed.borrowed
    if (!seed.fresh) this.settle(place)
  }

  /** Ends the first minute of a fresh series: from now on it is judged by it. */
  settle(place: number): void {
    this.#numbers[place * doubles + flags] = this.#flags(place) & ~fresh
  }

  /** Whether what is known is still mostly borrowed, or younger than the guard. */
  isLearning(place: number, atMs: EpochMs): boolean {
    const guardMs = slotCount * this.#options.slotMs
    const young = atMs - this.#get(place, bornAt) < guardMs + guardMs / 2
    return young || this.#get(place, B) < 2 * this.#get(place, priorB)
  }

  bornMs(place: number): EpochMs {
    return this.#get(place, bornAt)
  }

  shape(place: number): { a: number; b: number } {
    return { a: this.#get(place, A), b: this.#get(place, B) }
  }

  /** Freezes what is normal while an alert is on. */
  hold(place: number): void {
    const base = place * doubles
    this.#numbers[base + flags] = this.#flags(place) | held
    this.#numbers.fill(0, base + young, base + doubles)
  }

  release(place: number): void {
    this.#numbers[place * doubles + flags] = this.#flags(place) & ~held
  }

  /** Lets all series learn again; whoever knows of alerts holds theirs anew. */
  releaseAll(): void {
    for (let place = 0; place < this.#used; place++) this.release(place)
  }

  /** The long horizon is not believed before this time: until then it still holds an incident that is over. */
  muteLong(place: number, untilMs: EpochMs): void {
    this.#numbers[place * doubles + mutedUntil] = untilMs
  }

  isLongMuted(place: number, atMs: EpochMs): boolean {
    return atMs < this.#get(place, mutedUntil)
  }

  /** What a normal window with this exposure would hold. */
  predict(place: number, horizon: Horizon, exposure: number): Prediction {
    const base = place * doubles
    const a = this.#numbers[base + A] ?? leastShape
    const mean = (a / (this.#numbers[base + B] ?? 1)) * exposure
    const v1 = (this.#numbers[base + V + 2 * horizon] ?? 0) + priorDispersion * priorWeight
    const v2 = (this.#numbers[base + V + 2 * horizon + 1] ?? 0) + priorWeight
    const fitted = Math.max(0, v1 / v2)
    return { mean, spread: 1 / a + this.inflation * fitted + (this.inflation - 1) * priorDispersion }
  }

  /** The most of a count that may teach: an outlier counts as a large but ordinary value (step 1). */
  #cap({ mean, spread }: Prediction): number {
    return mean + 4 * Math.sqrt(mean + mean * mean * spread) + 3
  }

  /** Takes in one minute of a series. */
  feed(place: number, count: number, exposure: number, atMs: EpochMs): void {
    const base = place * doubles
    if (count > 0) this.#numbers[base + seenAt] = atMs
    // What passes while the series is fresh is in its seed already.
    if ((this.#flags(place) & (held | fresh)) !== 0) return
    this.#numbers[base + partY] = this.#get(place, partY) + count
    this.#numbers[base + partE] = this.#get(place, partE) + exposure
  }

  /** Closes the slot with this running number: the oldest one of the ring is learnt, the new one takes its place. */
  closeSlot(number: number): void {
    const at = ((number % slotCount) + slotCount) % slotCount
    for (let place = 0; place < this.#used; place++) {
      const state = this.#flags(place)
      if ((state & live) === 0) continue
      const base = place * doubles
      const slot = place * floats + 2 * at
      if ((state & held) === 0) {
        const exposure = this.#ring[slot + 1] ?? 0
        const cap = this.#cap(this.predict(place, 0, exposure))
        const a = this.#slotDecay * this.#get(place, A) + Math.min(this.#ring[slot] ?? 0, cap)
        this.#numbers[base + A] = Math.max(leastShape, a)
        this.#numbers[base + B] = this.#slotDecay * this.#get(place, B) + exposure
        this.#numbers[base + priorB] = this.#slotDecay * this.#get(place, priorB)
      }
      this.#ring[slot] = this.#get(place, partY)
      this.#ring[slot + 1] = this.#get(place, partE)
      this.#numbers[base + partY] = 0
      this.#numbers[base + partE] = 0
      if (at === 0) this.#ripen(base)
    }
  }

  /** Once in a guard: what has waited for the whole of one is learnt. */
  #ripen(base: number): void {
    for (let i = 0; i < waiting; i++) {
      this.#numbers[base + V + i] = (this.#numbers[base + V + i] ?? 0) + (this.#numbers[base + old + i] ?? 0)
      this.#numbers[base + old + i] = this.#numbers[base + young + i] ?? 0
      this.#numbers[base + young + i] = 0
    }
  }

  /** Compares a window that has ended with its prediction (step 3). Windows of one horizon must not overlap. */
  learnSpread(place: number, horizon: Horizon, count: number, exposure: number, atMs: EpochMs): void {
    if (exposure <= 0 || this.isHeld(place) || this.isLearning(place, atMs)) return
    if (horizon === 1 && this.isLongMuted(place, atMs)) return
    const prediction = this.predict(place, horizon, exposure)
    const { mean } = prediction
    const surprise = Math.min(count, this.#cap(prediction)) - mean
    const decay = this.#spreadDecay[horizon]
    const base = place * doubles
    const known = base + V + 2 * horizon
    this.#numbers[known] = decay * (this.#numbers[known] ?? 0)
    this.#numbers[known + 1] = decay * (this.#numbers[known + 1] ?? 0)
    const fresh = base + young + 2 * horizon
    this.#numbers[fresh] = (this.#numbers[fresh] ?? 0) + surprise * surprise - mean
    this.#numbers[fresh + 1] = (this.#numbers[fresh + 1] ?? 0) + mean * mean
  }

  /** Takes the present level for normal from now on, forgetting all before. */
  adopt(place: number, count: number, exposure: number): void {
    if (exposure <= 0) return
    const base = place * doubles
    this.#numbers[base + A] = Math.max(leastShape, count)
    this.#numbers[base + B] = exposure
    this.#numbers[base + priorB] = 0
    this.#numbers.fill(0, base + V, base + partE + 1)
    this.#numbers.fill(0, base + young, base + doubles)
    this.#ring.fill(0, place * floats, (place + 1) * floats)
  }

  /** Forgets series without a refusal since `beforeMs` and says which places became free. */
  forget(beforeMs: EpochMs): readonly number[] {
    const gone: number[] = []
    for (let place = 0; place < this.#used; place++) {
      const state = this.#flags(place)
      if ((state & live) === 0 || (state & held) !== 0 || this.#get(place, seenAt) >= beforeMs) continue
      this.#numbers[place * doubles + flags] = 0
      gone.push(place)
    }
    if (gone.length > 0) this.#count()
    return gone
  }

  /** The raw bytes of the places `[from, to)`, for saving. */
  bytes(from: number, to: number): { numbers: Uint8Array; ring: Uint8Array } {
    const end = Math.min(to, this.#used)
    return {
      numbers: bytesOf(this.#numbers.subarray(from * doubles, end * doubles)),
      ring: bytesOf(this.#ring.subarray(from * floats, end * floats)),
    }
  }

  /** Puts saved bytes back at `from`; false if they have the wrong size. */
  load(from: number, saved: { numbers: Uint8Array; ring: Uint8Array }): boolean {
    const count = saved.numbers.byteLength / (8 * doubles)
    if (!Number.isInteger(count) || saved.ring.byteLength !== count * 4 * floats) return false
    this.#used = Math.max(this.#used, from + count)
    this.#makeRoom()
    bytesOf(this.#numbers.subarray(from * doubles, (from + count) * doubles)).set(saved.numbers)
    bytesOf(this.#ring.subarray(from * floats, (from + count) * floats)).set(saved.ring)
    this.#count()
    return true
  }

  /** Works out which places are free, after some were freed or loaded. */
  #count(): void {
    this.#live = 0
    this.#free = []
    for (let place = this.#used - 1; place >= 0; place--) {
      if (this.isLive(place)) this.#live++
      else this.#free.push(place)
    }
  }

  #flags(place: number): number {
    return this.#numbers[place * doubles + flags] ?? 0
  }

  #get(place: number, field: number): number {
    return this.#numbers[place * doubles + field] ?? 0
  }

  #makeRoom(): void {
    if (this.#used * doubles <= this.#numbers.length) return
    const places = Math.max(64, Math.ceil(this.#used * 1.5))
    const numbers = new Float64Array(places * doubles)
    numbers.set(this.#numbers)
    this.#numbers = numbers
    const ring = new Float32Array(places * floats)
    ring.set(this.#ring)
    this.#ring = ring
  }
}

function bytesOf(array: Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
