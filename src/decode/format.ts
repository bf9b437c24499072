import type { Decoded, DecodeFailure, FormatName, SkipReason } from './decode.ts'
import type { JsonObject } from './json.ts'
import type { Lookup } from './names.ts'
import type { PlainFields } from './plain-fields.ts'
import { GatewayRecord, type Reading } from './record.ts'
import type { Settings } from './settings.ts'

/** How one gateway layout is read. Every layout is one file that exports one of these. */
export interface Format {
  readonly name: FormatName
  /** Where a record names its tenant, best first, as dotted places. The operator's own places come before these. */
  readonly tenant: readonly string[]
  /** Where it names its API, best first: stable names before paths. A value that is a path is templated. */
  readonly api: readonly string[]
  /** Where it names the service behind the API, for operator rules. */
  readonly service?: readonly string[]
  /** True where `tenant`, `org_id` and the like mean something else than with everybody else. */
  readonly ownTenantKeys?: boolean
  /** Whether a name found at one of the layout's own places is one; false for its placeholders. */
  readonly accepts?: (name: string, place: string, look: Lookup) => boolean
  /**
   * The telltale keys by which an object is told to be of this layout, also for its messages that are no records; null
   * when it is not. Called for every entry, so the lists are constants.
   */
  readonly marksOf: (entry: JsonObject, settings: Settings) => readonly string[] | null
  /** The entries inside a wrapper of this layout's own; null when the object is no such wrapper. */
  readonly unwrap?: (entry: JsonObject) => readonly JsonObject[] | null
  /** Reads one object. Must not throw, whatever the types inside. */
  readonly read: (entry: JsonObject, index: number, settings: Settings) => Decoded
  /** Where the records keep what the fast core reads by itself; absent where it would be the wrong core for them. */
  readonly plain?: (settings: Settings) => PlainFields
  /** Reads a value that is no JSON; null when it is none of this layout's. */
  readonly readText?: (text: string, index: number, settings: Settings) => Decoded | null
}

export function recordAt(index: number, reading: Reading): Decoded {
  return { kind: 'record', index, record: new GatewayRecord(reading) }
}

export function skipped(index: number, reason: SkipReason): Decoded {
  return { kind: 'skipped', index, reason }
}

/** @param message for people; it names keys and places, never values */
export function unreadable(index: number, failure: DecodeFailure, message: string): Decoded {
  return { kind: 'unreadable', index, failure, message }
}
