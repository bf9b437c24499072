import type { Decoded, Layout } from './decode.ts'
import { type Format, unreadable } from './format.ts'
import { formats } from './formats.ts'
import type { JsonObject } from './json.ts'
import type { LayoutReader } from './layout-reader.ts'
import { labelAt } from './names.ts'
import type { DecodeOptions } from './options.ts'
import type { PlainFields } from './plain-fields.ts'
import { isPlainKey } from './plain-key.ts'
import { namePlaces, type Settings, settingsFor } from './settings.ts'

interface Candidate {
  readonly format: Format
  readonly settings: Settings
  readonly plain: PlainFields | null
  readonly names: readonly string[]
}

/**
 * Recognises each entry by its telltale keys and stays with the layout found as long as its keys are there, so that one
 * odd record cannot turn the lane. When they are gone the layout has changed (a new gateway version, a mixed topic),
 * and the next one that recognises the entry takes over.
 */
export class AutoReader implements LayoutReader {
  layout: Layout | null = null
  readonly #candidates: readonly Candidate[]
  /** The few layouts that have wrappers of their own: asked for every entry. */
  readonly #wrappers: readonly NonNullable<Format['unwrap']>[]
  #current: Candidate | null = null

  constructor(options: DecodeOptions) {
    this.#candidates = formats.map((format) => {
      const settings = settingsFor(format, options)
      return { format, settings, plain: format.plain?.(settings) ?? null, names: namePlaces(settings) }
    })
    this.#wrappers = formats.flatMap(({ unwrap }) => unwrap ?? [])
  }

  /** Lines of text leave it as it is: they do not decide how an object is read. */
  get state(): string {
    return this.#current?.format.name ?? ''
  }

  get plain(): PlainFields | null {
    return this.#current?.plain ?? null
  }

  get names(): readonly string[] {
    return this.#current?.names ?? []
  }

  labelAt(kind: 'tenant' | 'api', place: string, text: string): string | null {
    return this.#current === null ? null : labelAt(kind, place, text, this.#current.settings)
  }

  unwrap(entry: JsonObject): readonly JsonObject[] | null {
    for (const unwrap of this.#wrappers) {
      const entries = unwrap(entry)
      if (entries !== null) return entries
    }
    return null
  }

  object(entry: JsonObject, index: number): Decoded {
    const found = this.#recognised(entry)
    if (found === null) return unreadable(index, 'unknown-format', unknownLayout(entry))
    this.#current = found
    return found.format.read(entry, index, found.settings)
  }

  text(text: string, index: number): Decoded | null {
    // A layout that cannot read a line may only have taken it for its own: another one is asked first.
    let broken: Decoded | null = null
    for (const { format, settings } of this.#candidates) {
      const decoded = format.readText?.(text, index, settings) ?? null
      if (decoded === null) continue
      if (decoded.kind !== 'unreadable') {
        this.layout = { format: format.name, marks: [] }
        return decoded
      }
      broken ??= decoded
    }
    return broken
  }

  #recognised(entry: JsonObject): Candidate | null {
    const current = this.#current
    if (current !== null && this.#isOf(entry, current)) return current
    for (const candidate of this.#candidates) {
      if (candidate !== current && this.#isOf(entry, candidate)) return candidate
    }
    return null
  }

  #isOf(entry: JsonObject, { format, settings }: Candidate): boolean {
    const marks = format.marksOf(entry, settings)
    if (marks === null) return false
    // The lists are constants, so a lane that stays as it is makes nothing new.
    if (this.layout?.marks !== marks || this.layout.format !== format.name) this.layout = { format: format.name, marks }
    return true
  }
}

const hintKeys = 12

function unknownLayout(entry: JsonObject): string {
  const keys: string[] = []
  let others = 0
  for (const key in entry) {
    if (keys.length < hintKeys && isPlainKey(key)) keys.push(key)
    else others++
  }
  const seen = keys.length === 0 ? 'no plain keys' : `the keys ${keys.join(', ')}`
  const rest = others === 0 ? '' : ` and ${others} more`
  return `no known gateway layout; seen were ${seen}${rest}. Set decode.format, or describe the layout in decode.custom`
}
