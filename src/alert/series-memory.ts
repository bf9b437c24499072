import { toBase64 } from './memory.ts'

/** Numbers that are saved together: some 130 KB. */
const chunkNumbers = 16_384

/** A bounded number of rows of numbers, one for each series, found by the key of its group. */
export class SeriesMemory {
  readonly width: number
  readonly chunkPlaces: number
  /** The key of the series at each place; undefined where the place is free. */
  readonly keys: (string | undefined)[] = []
  readonly #limit: number
  readonly #places = new Map<string, number>()
  #numbers = new Float64Array(0)
  /** No place below it is free. */
  #freeFrom = 0

  constructor({ width, seriesLimit }: { width: number; seriesLimit: number }) {
    this.width = width
    this.chunkPlaces = Math.max(1, Math.floor(chunkNumbers / width))
    this.#limit = seriesLimit
  }

  get size(): number {
    return this.#places.size
  }

  /** One more than the last place in use. */
  get places(): number {
    return this.keys.length
  }

  placeOf(key: string): number | undefined {
    return this.#places.get(key)
  }

  /** A row of zeros for a new series, at the lowest free place; null if there is no room. */
  create(key: string): number | null {
    if (this.#places.size >= this.#limit) return null
    while (this.#freeFrom < this.keys.length && this.keys[this.#freeFrom] !== undefined) this.#freeFrom++
    const place = this.#freeFrom
    this.#put(place, key)
    return place
  }

  forget(place: number): void {
    const key = this.keys[place]
    if (key === undefined) return
    this.#places.delete(key)
    this.keys[place] = undefined
    this.#numbers.fill(0, place * this.width, (place + 1) * this.width)
    this.#freeFrom = Math.min(this.#freeFrom, place)
  }

  get(place: number, field: number): number {
    return this.#numbers[place * this.width + field] ?? 0
  }

  set(place: number, field: number, value: number): void {
    this.#numbers[place * this.width + field] = value
  }

  add(place: number, field: number, value: number): void {
    const at = place * this.width + field
    this.#numbers[at] = (this.#numbers[at] ?? 0) + value
  }

  /** Multiplies a run of fields. */
  scale(place: number, from: number, to: number, factor: number): void {
    for (let at = place * this.width + from; at < place * this.width + to; at++) {
      this.#numbers[at] = (this.#numbers[at] ?? 0) * factor
    }
  }

  /** Puts zeros into a run of fields. */
  clear(place: number, from: number, to: number): void {
    this.#numbers.fill(0, place * this.width + from, place * this.width + to)
  }

  get chunkCount(): number {
    return Math.ceil(this.keys.length / this.chunkPlaces)
  }

  saveChunk(chunk: number): { from: number; keys: (string | null)[]; numbers: string } {
    const from = chunk * this.chunkPlaces
    const to = Math.min(from + this.chunkPlaces, this.keys.length)
    const keys = Array.from({ length: Math.max(0, to - from) }, (_, at) => this.keys[from + at] ?? null)
    const numbers = this.#numbers.subarray(from * this.width, to * this.width)
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
    return { from, keys, numbers: toBase64(bytes) }
  }

  /** @returns false if the numbers do not fit; then nothing was taken */
  loadChunk({ from, keys, numbers }: { from: number; keys: readonly (string | null)[]; numbers: string }): boolean {
    const bytes = Buffer.from(numbers, 'base64')
    if (bytes.byteLength !== keys.length * this.width * Float64Array.BYTES_PER_ELEMENT) return false
    // A copy of its own: numbers must lie at a multiple of their size.
    const rows = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
    for (const [at, key] of keys.entries()) {
      while (this.keys.length <= from + at) this.keys.push(undefined)
      if (key === null || this.#places.has(key) || this.#places.size >= this.#limit) continue
      this.#put(from + at, key)
      this.#numbers.set(rows.subarray(at * this.width, (at + 1) * this.width), (from + at) * this.width)
    }
    this.#freeFrom = 0
    return true
  }

  #put(place: number, key: string): void {
    this.keys[place] = key
    this.#places.set(key, place)
    const needed = (place + 1) * this.width
    if (needed <= this.#numbers.length) return
    const grown = new Float64Array(Math.max(needed, 2 * this.#numbers.length, 64 * this.width))
    grown.set(this.#numbers)
    this.#numbers = grown
  }
}
