import type { z } from 'zod'
import { causeOf } from '../../src/classify/classify.ts'
import { createDecoder } from '../../src/decode/create.ts'
import type { AccessRecord, Decoded } from '../../src/decode/decode.ts'
import { decodeOptions } from '../../src/decode/options.ts'

export type DecodeSettings = z.input<typeof decodeOptions>

export function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}

/** Decodes one value with a fresh decoder; text is taken as it is, anything else as JSON. */
export function decodeAll(settings: DecodeSettings, value: unknown): readonly Decoded[] {
  return createDecoder(decodeOptions.parse(settings)).decode(bytesOf(value))
}

export function decodeOne(settings: DecodeSettings, value: unknown): Decoded {
  const all = decodeAll(settings, value)
  const [only] = all
  if (only === undefined || all.length !== 1) throw new Error(`expected one entry, got ${all.length}`)
  return only
}

export function recordOf(settings: DecodeSettings, value: unknown): AccessRecord {
  const decoded = decodeOne(settings, value)
  if (decoded.kind !== 'record') throw new Error(`expected a record, got ${JSON.stringify(decoded)}`)
  return decoded.record
}

/** What the tables compare: short, in the order a reader asks for it. */
export function outlineOf(record: AccessRecord) {
  const refused = record.status === 402 || record.upstreamStatus === 402
  return {
    time: record.timeMs === null ? null : new Date(record.timeMs).toISOString(),
    status: record.status,
    tenant: record.tenant,
    api: record.api,
    cause: refused ? causeOf(record, []).cause : null,
  }
}

/** A copy with some keys changed; undefined takes a key away. */
export function vary<T extends object>(base: T, changes: Record<string, unknown>): Record<string, unknown> {
  const varied: Record<string, unknown> = { ...base, ...changes }
  for (const key of Object.keys(changes)) if (changes[key] === undefined) delete varied[key]
  return varied
}
