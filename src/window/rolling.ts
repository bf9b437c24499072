import { sliceMs, windowLengthsMs } from './view.ts'

/** Lengths of the kept windows in slices, in the order of `windowLengthsMs`. */
export const windowSlices: readonly number[] = Object.values(windowLengthsMs).map((ms) => ms / sliceMs)

const longest = Math.max(...windowSlices)
/** Slices that may lie ahead of the watermark: 12 minutes, for lanes that run ahead of the slowest. */
export const aheadSlices = 72
const ringSlices = longest + aheadSlices
const pageIds = 512

/**
 * Counts per id in a ring of slices, with a running sum for each window.
 *
 * Slice `b` stands for event time `[b, b + 1) * sliceMs`. The sums cover the slices that end at `end`; slices ahead of
 * it wait in the ring. Rows are bucket-major inside pages of ids, so that moving on by a slice is a plain loop over
 * neighbours: add the slice that closes, subtract the one that leaves (counts are invertible, nothing is rescanned).
 */
export class RollingCounts {
  readonly #pages: { rows: Uint32Array; sums: Uint32Array }[] = []
  #end: number

  constructor(end: number) {
    this.#end = end
  }

  /** Exclusive end of the closed slices. */
  get end(): number {
    return this.#end
  }

  get oldest(): number {
    return this.#end - longest
  }

  holds(slice: number): boolean {
    return slice >= this.#end - longest && slice < this.#end + aheadSlices
  }

  /** Adds `count` (it may be negative) to a slice that the ring holds; the caller asks `holds` first. */
  add(id: number, slice: number, count: number): void {
    const page = this.#page(id)
    const at = id % pageIds
    const cell = (slice % ringSlices) * pageIds + at
    page.rows[cell] = (page.rows[cell] ?? 0) + count
    if (slice >= this.#end) return
    for (let w = 0; w < windowSlices.length; w++) {
      if (slice >= this.#end - (windowSlices[w] ?? 0)) {
        const sum = w * pageIds + at
        page.sums[sum] = (page.sums[sum] ?? 0) + count
      }
    }
  }

  /** Closes the slice at `end`. */
  advance(): void {
    const closing = (this.#end % ringSlices) * pageIds
    for (const { rows, sums } of this.#pages) {
      for (let w = 0; w < windowSlices.length; w++) {
        const leaving = ((this.#end - (windowSlices[w] ?? 0)) % ringSlices) * pageIds
        const sum = w * pageIds
        for (let i = 0; i < pageIds; i++) {
          sums[sum + i] = (sums[sum + i] ?? 0) + (rows[closing + i] ?? 0) - (rows[leaving + i] ?? 0)
        }
      }
      // The slice that left the longest window is the ring's place for the newest slice it may now hold.
      const freed = ((this.#end - longest) % ringSlices) * pageIds
      rows.fill(0, freed, freed + pageIds)
    }
    this.#end++
  }

  /** The running sum of one window. */
  sum(id: number, window: number): number {
    return this.#pages[Math.floor(id / pageIds)]?.sums[window * pageIds + (id % pageIds)] ?? 0
  }

  /** Count of one slice; zero outside the ring. */
  at(id: number, slice: number): number {
    if (!this.holds(slice)) return 0
    return this.#pages[Math.floor(id / pageIds)]?.rows[(slice % ringSlices) * pageIds + (id % pageIds)] ?? 0
  }

  /** Forgets an id, so that it can be given to another series. */
  clear(id: number): void {
    const page = this.#pages[Math.floor(id / pageIds)]
    if (page === undefined) return
    for (let cell = id % pageIds; cell < page.rows.length; cell += pageIds) page.rows[cell] = 0
    for (let cell = id % pageIds; cell < page.sums.length; cell += pageIds) page.sums[cell] = 0
  }

  #page(id: number): { rows: Uint32Array; sums: Uint32Array } {
    const index = Math.floor(id / pageIds)
    while (this.#pages.length <= index) {
      this.#pages.push({
        rows: new Uint32Array(ringSlices * pageIds),
        sums: new Uint32Array(windowSlices.length * pageIds),
      })
    }
    const page = this.#pages[index]
    if (page === undefined) throw new RangeError(`page ${index} was just made`)
    return page
  }
}
