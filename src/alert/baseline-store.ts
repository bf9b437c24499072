/*
 * Where baselines keep their numbers. One series takes 21 doubles and 24 floats: 264 bytes. All lie in two arrays, so
 * that a minute's work over 100,000 series is a loop and a chunk of series is saved by copying bytes.
 */

export const slotCount = 12
export const doubles = 21
export const floats = 2 * slotCount

/** Where each number of a series stands among its doubles. */
export const field = {
  a: 0,
  b: 1,
  /** v1 and v2 of the short horizon; those of the long one follow. */
  v: 2,
  partY: 6,
  partE: 7,
  bornAt: 8,
  seenAt: 9,
  mutedUntil: 10,
  /** How much of `b` is borrowed. */
  priorB: 11,
  flags: 12,
  /** What waits to be added to `v`: of this hour, then of the hour before. */
  waitingNow: 13,
  waitingBefore: 17,
} as const

export const flag = {
  live: 1,
  held: 2,
  /** Its first minute is still passing. */
  fresh: 4,
  /** It takes what it knows from the windows, not from the ring. */
  young: 8,
} as const

/** Places for series, each with its numbers and its ring. */
export class BaselineStore {
  readonly #limit: number
  numbers: Float64Array = new Float64Array(0)
  ring: Float32Array = new Float32Array(0)
  /** Free places, the lowest last, so that a restart fills them in the same order. */
  #free: number[] = []
  #used = 0
  #live = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Every place below this may hold a series. */
  get places(): number {
    return this.#used
  }

  get size(): number {
    return this.#live
  }

  /** A free place with all its numbers at zero; null when the limit is reached. */
  take(): number | null {
    if (this.#live >= this.#limit) return null
    const place = this.#free.pop() ?? this.#used++
    this.#makeRoom()
    this.numbers.fill(0, place * doubles, (place + 1) * doubles)
    this.clearRing(place)
    this.raise(place, flag.live)
    this.#live++
    return place
  }

  give(places: readonly number[]): void {
    if (places.length === 0) return
    for (const place of places) this.set(place, field.flags, 0)
    this.#count()
  }

  get(place: number, at: number): number {
    return this.numbers[place * doubles + at] ?? 0
  }

  set(place: number, at: number, value: number): void {
    this.numbers[place * doubles + at] = value
  }

  has(place: number, flags: number): boolean {
    return (this.get(place, field.flags) & flags) !== 0
  }

  raise(place: number, flags: number): void {
    this.set(place, field.flags, this.get(place, field.flags) | flags)
  }

  lower(place: number, flags: number): void {
    this.set(place, field.flags, this.get(place, field.flags) & ~flags)
  }

  clearRing(place: number): void {
    this.ring.fill(0, place * floats, (place + 1) * floats)
  }

  /** The raw bytes of the places `[from, to)`, for saving. */
  bytes(from: number, to: number): { numbers: Uint8Array; ring: Uint8Array } {
    const end = Math.min(to, this.#used)
    return {
      numbers: bytesOf(this.numbers.subarray(from * doubles, end * doubles)),
      ring: bytesOf(this.ring.subarray(from * floats, end * floats)),
    }
  }

  /** Puts saved bytes back at `from`; false if they have the wrong size. */
  load(from: number, saved: { numbers: Uint8Array; ring: Uint8Array }): boolean {
    const count = saved.numbers.byteLength / (8 * doubles)
    if (!Number.isInteger(count) || saved.ring.byteLength !== count * 4 * floats) return false
    this.#used = Math.max(this.#used, from + count)
    this.#makeRoom()
    bytesOf(this.numbers.subarray(from * doubles, (from + count) * doubles)).set(saved.numbers)
    bytesOf(this.ring.subarray(from * floats, (from + count) * floats)).set(saved.ring)
    this.#count()
    return true
  }

  /** Works out which places are free, after some were freed or loaded. */
  #count(): void {
    this.#live = 0
    this.#free = []
    for (let place = this.#used - 1; place >= 0; place--) {
      if (this.has(place, flag.live)) this.#live++
      else this.#free.push(place)
    }
  }

  #makeRoom(): void {
    if (this.#used * doubles <= this.numbers.length) return
    const places = Math.max(64, Math.ceil(this.#used * 1.5))
    const numbers = new Float64Array(places * doubles)
    numbers.set(this.numbers)
    this.numbers = numbers
    const ring = new Float32Array(places * floats)
    ring.set(this.ring)
    this.ring = ring
  }
}

function bytesOf(array: Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
