import type { Decoder } from '../decode/decode.ts'
import { isUnreadable, unpacked } from '../source/packed.ts'
import type { Packed } from '../source/source.ts'
import { outcome } from './engine.ts'
import type { Recognisers } from './recognisers.ts'

/** How many entries are access records, and how many cannot be read. */
export interface Tally {
  accepted: number
  unreadable: number
}

/** Looks at what packed values hold, without counting any of it. */
export class Taster {
  readonly #decoder: Decoder
  readonly #format: string | null
  readonly #recognisers: Recognisers | null
  readonly tally: Tally = { accepted: 0, unreadable: 0 }

  /** @param format the layout that the values are said to have; null for the configured one */
  constructor(decoder: Decoder, format: string | null, recognisers: Recognisers | null) {
    this.#decoder = decoder
    this.#format = format
    this.#recognisers = recognisers
  }

  taste(packed: Packed): void {
    const values = unpacked(packed)
    if (isUnreadable(values)) return
    for (let next = 0; next < values.length; ) {
      const { state } = this.#decoder
      const engine = this.#recognisers?.of(this.#decoder, this.#format)?.engine ?? null
      const isLoaded = engine?.load(packed) === values.length
      if (isLoaded) engine.run(next, values.length)
      for (; next < values.length && this.#decoder.state === state; next++) {
        const found = engine !== null && isLoaded ? (engine.outcomes[next] ?? outcome.general) : outcome.general
        if (found >= 0) this.tally.accepted++
        else if (found !== outcome.skipped) this.#decode(values[next]?.bytes ?? null)
      }
    }
  }

  #decode(bytes: Uint8Array | null): void {
    for (const { kind } of this.#decoder.decode(bytes)) {
      if (kind === 'record') this.tally.accepted++
      else if (kind === 'unreadable') this.tally.unreadable++
    }
  }
}
