import type { AccessRecord, Decoder } from '../decode/decode.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { PlainEngine } from './plain-engine.ts'
import { Recogniser } from './recogniser.ts'
import { wasmEngine } from './wasm-engine.ts'

/** How many names an engine keeps before it begins anew; each takes some hundred bytes. */
const mostPairs = 4_000_000

export interface RecogniserOptions extends EngineOptions {
  isSpecial(record: AccessRecord): boolean
  /** Null for no fast path at all. */
  readonly makeEngine: ((options: EngineOptions) => Engine) | null
  readonly mostPairs?: number
}

/** The WebAssembly core, or its twin where there is none. */
export function bestEngine(options: EngineOptions): Engine {
  return wasmEngine(options) ?? new PlainEngine(options)
}

/** One recogniser for each layout that is read, shared by all lanes that read it. */
export class Recognisers {
  readonly #options: RecogniserOptions
  readonly #byLayout = new Map<string, Recogniser>()

  constructor(options: RecogniserOptions) {
    this.#options = options
  }

  /**
   * @param format the layout that a lane was given, null for the configured one: with it and the decoder's state, two
   * decoders read alike
   * @returns null while the layout is not known or has no plain fields
   */
  of(decoder: Decoder, format: string | null): Recogniser | null {
    const { makeEngine, isSpecial, watched, mostPairs: most = mostPairs } = this.#options
    const { plain, names } = decoder
    if (plain === null || makeEngine === null) return null
    const key = `${format ?? ''}/${decoder.state}`
    const known = this.#byLayout.get(key)
    if (known !== undefined && !known.isFull) return known
    const made = new Recogniser({
      engine: makeEngine(this.#options),
      plain,
      names,
      isSpecial,
      watched,
      mostPairs: most,
    })
    this.#byLayout.set(key, made)
    return made
  }
}
