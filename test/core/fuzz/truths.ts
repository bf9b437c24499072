import type { Decoded } from '../../../src/decode/decode.ts'

/** What the general decoder made of one value. */
export interface Truth {
  readonly offset: number
  readonly bytes: Uint8Array | null
  /** The decoder's state before it, and after it. */
  readonly state: string
  readonly stateAfter: string
  readonly entries: readonly Decoded[]
}

/** What the general decoder made of the values of one chunk. */
export class Truths {
  readonly #byOffset = new Map<number, Truth>()
  /** By where the bytes begin in memory. */
  readonly #byPlace = new Map<number, Truth>()

  get size(): number {
    return this.#byOffset.size
  }

  add(truth: Truth): void {
    this.#byOffset.set(truth.offset, truth)
    if (truth.bytes !== null) this.#byPlace.set(truth.bytes.byteOffset, truth)
  }

  at(offset: number): Truth | undefined {
    return this.#byOffset.get(offset)
  }

  /** What a decoder in this state makes of these bytes of the chunk, where it stays in it; null where that is not known. */
  of(bytes: Uint8Array | null, state: string): readonly Decoded[] | null {
    const known = bytes === null ? undefined : this.#byPlace.get(bytes.byteOffset)
    if (known?.state !== state || known.stateAfter !== state) return null
    return known.bytes?.length === bytes?.length && known.bytes?.buffer === bytes?.buffer ? known.entries : null
  }
}
