import { emptyRow, type Row } from './row.ts'

const wordBits = 32
/** Packing must save at least this share, or the row is left as it is. */
const leastSaving = 0.25

/**
 * A row that is read and not written any more: one bit for each id, set where it has counted something, then the counts
 * that are not zero, in the order of the ids. In ten seconds most series of a million do nothing.
 */
export class PackedRow {
  readonly #length: number
  readonly #words: Uint32Array
  readonly #counts: Row

  private constructor(length: number, words: Uint32Array, counts: Row) {
    this.#length = length
    this.#words = words
    this.#counts = counts
  }

  /** The row packed; null where nothing is in it, and the row itself where packing would save little. */
  static of(row: Row): PackedRow | Row | null {
    let filled = 0
    for (let at = 0; at < row.length; at++) if (row[at] !== 0) filled++
    if (filled === 0) return null
    const wordBytes = row.length / 8
    const bytes = wordBytes + filled * row.BYTES_PER_ELEMENT
    if (bytes > (1 - leastSaving) * row.byteLength) return row
    // One piece of memory for both: at a million series there are tens of thousands of them.
    const memory = new ArrayBuffer(bytes)
    const words = new Uint32Array(memory, 0, row.length / wordBits)
    const counts = new (row.constructor as new (memory: ArrayBuffer, from: number) => Row)(memory, wordBytes)
    let next = 0
    for (let at = 0; at < row.length; at++) {
      const count = row[at] ?? 0
      if (count === 0) continue
      const word = Math.floor(at / wordBits)
      words[word] = (words[word] ?? 0) | (1 << (at % wordBits))
      counts[next++] = count
    }
    return new PackedRow(row.length, words, counts)
  }

  unpacked(): Row {
    const row = emptyRow(this.#counts.BYTES_PER_ELEMENT, this.#length)
    let next = 0
    for (let word = 0; word < this.#words.length; word++) {
      for (let bits = this.#words[word] ?? 0; bits !== 0; bits &= bits - 1) {
        row[word * wordBits + lowestBit(bits)] = this.#counts[next++] ?? 0
      }
    }
    return row
  }

  at(index: number): number {
    const word = Math.floor(index / wordBits)
    const bits = this.#words[word] ?? 0
    const bit = 1 << (index % wordBits)
    if ((bits & bit) === 0) return 0
    let before = ones(bits & (bit - 1))
    for (let earlier = 0; earlier < word; earlier++) before += ones(this.#words[earlier] ?? 0)
    return this.#counts[before] ?? 0
  }

  /** Adds the row to running sums, `from` being the place of its first id. */
  addTo(sums: Uint32Array, from: number): void {
    const counts = this.#counts
    const words = this.#words
    let next = 0
    for (let word = 0; word < words.length; word++) {
      const first = from + word * wordBits
      for (let bits = words[word] ?? 0; bits !== 0; bits &= bits - 1) {
        const at = first + lowestBit(bits)
        sums[at] = (sums[at] ?? 0) + (counts[next++] ?? 0)
      }
    }
  }

  /** Takes the row out of running sums. */
  subtractFrom(sums: Uint32Array, from: number): void {
    const counts = this.#counts
    const words = this.#words
    let next = 0
    for (let word = 0; word < words.length; word++) {
      const first = from + word * wordBits
      for (let bits = words[word] ?? 0; bits !== 0; bits &= bits - 1) {
        const at = first + lowestBit(bits)
        sums[at] = (sums[at] ?? 0) - (counts[next++] ?? 0)
      }
    }
  }
}

/** The place of the lowest bit that is set. */
function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}

/** How many bits of a word are set. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555)
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
