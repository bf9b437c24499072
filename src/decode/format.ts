import type { AccessRecord, Decoded, DecodeFailure, FormatName, SkipReason } from './decode.ts'
import type { JsonObject } from './json.ts'
import type { Settings } from './settings.ts'

/** How one gateway layout is read. Every layout is one file that exports one of these. */
export interface Format {
  readonly name: FormatName
  /** Whether an object is of this layout, by its telltale keys. Also true for its messages that are no records. */
  readonly recognises: (entry: JsonObject, settings: Settings) => boolean
  /** Reads one object. Must not throw, whatever the types inside. */
  readonly read: (entry: JsonObject, index: number, settings: Settings) => Decoded
  /** Reads a value that is no JSON; null when it is none of this layout's. */
  readonly readText?: (text: string, index: number, settings: Settings) => Decoded | null
}

export function recordAt(index: number, record: AccessRecord): Decoded {
  return { kind: 'record', index, record }
}

export function skipped(index: number, reason: SkipReason): Decoded {
  return { kind: 'skipped', index, reason }
}

/** @param message for people; it names keys and places, never values */
export function unreadable(index: number, failure: DecodeFailure, message: string): Decoded {
  return { kind: 'unreadable', index, failure, message }
}

/** Makes a result once, on the first call: evidence is asked for by the cause, the watch list and the challenge test. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
