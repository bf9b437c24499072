import assert from 'node:assert/strict'
import { grown } from './growing.ts'
import { PackedRow } from './packed-row.ts'
import { addRow, addRowToAll, pageBits, pageIds, type Row, rowFor, subtractRow } from './row.ts'
import { sliceMs, windowLengthsMs } from './view.ts'

/** Lengths of the kept windows in slices, in the order of `windowLengthsMs`. */
export const windowSlices: readonly number[] = Object.values(windowLengthsMs).map((ms) => ms / sliceMs)

const longest = Math.max(...windowSlices)
/** Slices that may lie ahead of the watermark: 12 minutes, for lanes that run ahead of the slowest. */
export const aheadSlices = 72
const ringSlices = longest + aheadSlices
/** Records are often late by less than this; a row that is older is packed. */
const unpackedSlices = 6
/** Other rows looked at in each step, so that those written late, or loaded, are packed within some minutes. */
const packedPerStep = 8

/**
 * Counts per id in a ring of slices, with a running sum for each window.
 *
 * Slice `b` stands for event time `[b, b + 1) * sliceMs`. The sums cover the slices that end at `end`; slices ahead of
 * it wait in the ring. A slice has one row for each page of ids, made with its first count, so that moving on by a
 * slice is a plain loop over neighbours: add the slice that closes, subtract the one that leaves. Counts are invertible,
 * nothing is rescanned.
 *
 * A row is open (a plain array, as narrow as its counts) while it is written, and packed once it has been closed for a
 * minute. A count for a packed row opens it again.
 */
export class RollingCounts {
  /** By place in the ring and page; at most one of the two has the row. */
  readonly #open: (Row | null)[][] = Array.from({ length: ringSlices }, () => [])
  readonly #packed: (PackedRow | null)[][] = Array.from({ length: ringSlices }, () => [])
  /** By window and id. They reach as far as any row does. */
  readonly #sums: Uint32Array[] = windowSlices.map(() => new Uint32Array(0))
  #end: number
  /** Where in the closed slices the search for rows to pack has come. */
  #turn = 0

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
    const place = slice % ringSlices
    const row = this.#open[place]?.[id >> pageBits] ?? null
    if (row === null) {
      this.#put(place, id, count)
    } else {
      const at = id & (pageIds - 1)
      const value = (row[at] ?? 0) + count
      row[at] = value
      // Read back: a row that is too narrow or too short did not take it.
      if (row[at] !== value) this.#widen(place, id, value)
    }
    if (slice < this.#end) this.#addToSums(id, slice, count)
  }

  /** Closes the slice at `end`. */
  advance(): void {
    const closing = this.#end % ringSlices
    for (const [page, row] of (this.#open[closing] ?? []).entries()) {
      // A slice that has not closed yet is never packed.
      if (row !== null) addRowToAll(this.#sums, page * pageIds, row)
    }
    for (let w = 0; w < windowSlices.length; w++) {
      this.#subtractSlice(this.#sums[w] ?? noSums, this.#end - (windowSlices[w] ?? 0))
    }
    // The slice that left the longest window is the ring's place for the newest slice it may now hold.
    const freed = (this.#end - longest) % ringSlices
    this.#open[freed] = []
    this.#packed[freed] = []
    this.#end++
    this.#packOld()
  }

  /** The running sum of one window, by id. It is the very array that is counted in: not to be kept, nor written. */
  window(window: number): Uint32Array {
    return this.#sums[window] ?? noSums
  }

  /**
   * The counts of any span, by id; slices outside the ring count as zero. One of the windows as it stands is there at
   * once; else the nearest one is corrected by the slices that it has too many or too few. Not to be kept, nor written.
   */
  column(from: number, to: number): Uint32Array {
    const first = Math.max(from, this.#end - longest)
    const last = Math.min(to, this.#end + aheadSlices)
    if (first >= last) return noSums
    let window = -1
    let least = last - first
    for (const [w, length] of windowSlices.entries()) {
      const start = this.#end - length
      const shared = Math.max(0, Math.min(last, this.#end) - Math.max(first, start))
      const corrections = length - shared + (last - first - shared)
      if (corrections === 0) return this.window(w)
      if (corrections >= least) continue
      least = corrections
      window = w
    }
    const sums = new Uint32Array(this.window(0).length)
    if (window < 0) {
      for (let slice = first; slice < last; slice++) this.#addSlice(sums, slice)
      return sums
    }
    sums.set(this.window(window))
    const start = this.#end - (windowSlices[window] ?? 0)
    for (let slice = first; slice < Math.min(last, start); slice++) this.#addSlice(sums, slice)
    for (let slice = Math.max(first, this.#end); slice < last; slice++) this.#addSlice(sums, slice)
    for (let slice = start; slice < Math.min(first, this.#end); slice++) this.#subtractSlice(sums, slice)
    for (let slice = Math.max(last, start); slice < this.#end; slice++) this.#subtractSlice(sums, slice)
    return sums
  }

  /** Count of one slice; zero outside the ring. */
  at(id: number, slice: number): number {
    if (!this.holds(slice)) return 0
    const place = slice % ringSlices
    const page = id >> pageBits
    const at = id & (pageIds - 1)
    return this.#open[place]?.[page]?.[at] ?? this.#packed[place]?.[page]?.at(at) ?? 0
  }

  /** Counts where there is no open row: the first of the page in this slice, or one that comes late. */
  #put(place: number, id: number, count: number): void {
    assert(id >= 0, 'whoever counts has looked its series up')
    const page = id >> pageBits
    const pages = this.#open[place] ?? []
    const packed = this.#packed[place] ?? []
    while (pages.length <= page) {
      pages.push(null)
      packed.push(null)
    }
    const row = packed[page]?.unpacked() ?? null
    packed[page] = null
    pages[page] = row
    this.#widen(place, id, (row?.[id & (pageIds - 1)] ?? 0) + count)
  }

  /** Writes a count into a row in which it finds no room. */
  #widen(place: number, id: number, value: number): void {
    const page = id >> pageBits
    const at = id & (pageIds - 1)
    const pages = this.#open[place] ?? []
    const row = rowFor(pages[page] ?? null, at, value)
    row[at] = value
    pages[page] = row
    const length = page * pageIds + row.length
    for (let w = 0; w < this.#sums.length; w++) this.#sums[w] = grown(this.#sums[w] ?? noSums, length)
  }

  #addToSums(id: number, slice: number, count: number): void {
    for (let w = 0; w < windowSlices.length; w++) {
      if (slice < this.#end - (windowSlices[w] ?? 0)) continue
      const sums = this.#sums[w] ?? noSums
      sums[id] = (sums[id] ?? 0) + count
    }
  }

  #addSlice(sums: Uint32Array, slice: number): void {
    const place = slice % ringSlices
    const pages = this.#open[place] ?? []
    const packed = this.#packed[place] ?? []
    for (let page = 0; page < pages.length; page++) {
      const row = pages[page] ?? null
      if (row !== null) addRow(sums, page * pageIds, row)
      else packed[page]?.addTo(sums, page * pageIds)
    }
  }

  #subtractSlice(sums: Uint32Array, slice: number): void {
    const place = slice % ringSlices
    const pages = this.#open[place] ?? []
    const packed = this.#packed[place] ?? []
    for (let page = 0; page < pages.length; page++) {
      const row = pages[page] ?? null
      if (row !== null) subtractRow(sums, page * pageIds, row)
      else packed[page]?.subtractFrom(sums, page * pageIds)
    }
  }

  #packOld(): void {
    const youngest = this.#end - unpackedSlices - 1
    this.#pack(youngest)
    for (let k = 0; k < packedPerStep; k++) {
      this.#turn = (this.#turn + 1) % (longest - unpackedSlices)
      this.#pack(youngest - this.#turn)
    }
  }

  #pack(slice: number): void {
    const place = slice % ringSlices
    const pages = this.#open[place] ?? []
    const packed = this.#packed[place] ?? []
    for (let page = 0; page < pages.length; page++) {
      const row = pages[page] ?? null
      if (row === null) continue
      const smaller = PackedRow.of(row)
      if (smaller === row) continue
      pages[page] = null
      packed[page] = smaller instanceof PackedRow ? smaller : null
    }
  }
}

const noSums = new Uint32Array(0)
