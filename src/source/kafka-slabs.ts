/*
 * Memory for large answers, used again and again. Fresh memory outside of V8's heap makes V8 collect all of its heap each
 * time some of it has come together. With a heap of 300 MB that costs ten times what receiving an answer does.
 */

/** What is smaller is not worth it. */
const smallestBytes = 64 * 1024
/** No answer is larger, but for a single batch that is. */
const largestBytes = 16 * 1024 * 1024
const roundedTo = 1024 * 1024

/** Slabs of memory that are lent and given back. Whoever does not give one back leaves it to the collector. */
export class Slabs {
  readonly #mostFreeBytes: number
  /** The smallest first. */
  #free: Buffer[] = []
  #lent = new WeakSet<ArrayBufferLike>()

  /** @param mostFreeBytes of what nobody has at the moment no more than this is kept */
  constructor(mostFreeBytes: number) {
    this.#mostFreeBytes = mostFreeBytes
  }

  /** Memory of that size, with anything in it. */
  lend(bytes: number): Buffer {
    if (bytes < smallestBytes || bytes > largestBytes) return Buffer.allocUnsafe(bytes)
    const at = this.#free.findIndex((slab) => slab.length >= bytes)
    const [found] = at < 0 ? [] : this.#free.splice(at, 1)
    const slab = found ?? Buffer.allocUnsafeSlow(Math.ceil(bytes / roundedTo) * roundedTo)
    this.#lent.add(slab.buffer)
    return slab.subarray(0, bytes)
  }

  /** Nobody looks any more at what was lent; any part of it tells which it is. What was not lent is left alone. */
  takeBack({ buffer }: Uint8Array): void {
    if (!this.#lent.delete(buffer)) return
    // Of those of one size the last one first, which is in the caches.
    this.#free.unshift(Buffer.from(buffer))
    this.#free.sort((a, b) => a.length - b.length)
    let bytes = this.#free.reduce((sum, slab) => sum + slab.length, 0)
    while (bytes > this.#mostFreeBytes) bytes -= this.#free.shift()?.length ?? bytes
  }
}

/** Those of the process: what one connection gave back serves the next. */
export const answerSlabs = new Slabs(32 * 1024 * 1024)
