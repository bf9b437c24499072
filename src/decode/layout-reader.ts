import type { Decoded, Layout } from './decode.ts'
import type { Format } from './format.ts'
import type { JsonObject } from './json.ts'
import type { EntryReader } from './open.ts'
import type { DecodeOptions } from './options.ts'
import { settingsFor } from './settings.ts'

/** Reads opened entries and knows by which layout it read the last one. */
export interface LayoutReader extends EntryReader {
  readonly layout: Layout | null
}

/** Reads every entry by one layout, whatever keys it has: what the operator says, holds. */
export class FixedReader implements LayoutReader {
  readonly #format: Format
  readonly #settings: ReturnType<typeof settingsFor>
  #marks: readonly string[] = []

  constructor(format: Format, options: DecodeOptions) {
    this.#format = format
    this.#settings = settingsFor(format, options)
  }

  get layout(): Layout {
    return { format: this.#format.name, marks: this.#marks }
  }

  unwrap(entry: JsonObject): readonly JsonObject[] | null {
    return this.#format.unwrap?.(entry) ?? null
  }

  object(entry: JsonObject, index: number): Decoded {
    this.#marks = this.#format.marksOf(entry, this.#settings) ?? []
    return this.#format.read(entry, index, this.#settings)
  }

  text(text: string, index: number): Decoded | null {
    this.#marks = []
    return this.#format.readText?.(text, index, this.#settings) ?? null
  }
}
