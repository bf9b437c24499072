import type { Decoded, Layout } from './decode.ts'
import type { Format } from './format.ts'
import type { JsonObject } from './json.ts'
import { labelAt } from './names.ts'
import type { EntryReader } from './open.ts'
import type { DecodeOptions } from './options.ts'
import type { PlainFields } from './plain-fields.ts'
import { namePlaces, settingsFor } from './settings.ts'

/** Reads opened entries and knows by which layout it read the last one. */
export interface LayoutReader extends EntryReader {
  readonly layout: Layout | null
  /** What of the past decides how the next entry is read. */
  readonly state: string
  readonly plain: PlainFields | null
  /** The places at which it looks for names. */
  readonly names: readonly string[]
  /** The label of a text as a name at one of them. */
  labelAt(kind: 'tenant' | 'api', place: string, text: string): string | null
}

/** Reads every entry by one layout, whatever keys it has: what the operator says, holds. */
export class FixedReader implements LayoutReader {
  readonly state: string
  readonly plain: PlainFields | null
  readonly names: readonly string[]
  readonly #format: Format
  readonly #settings: ReturnType<typeof settingsFor>
  #marks: readonly string[] = []

  constructor(format: Format, options: DecodeOptions) {
    this.#format = format
    this.#settings = settingsFor(format, options)
    this.state = format.name
    this.plain = format.plain?.(this.#settings) ?? null
    this.names = namePlaces(this.#settings)
  }

  get layout(): Layout {
    return { format: this.#format.name, marks: this.#marks }
  }

  labelAt(kind: 'tenant' | 'api', place: string, text: string): string | null {
    return labelAt(kind, place, text, this.#settings)
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
