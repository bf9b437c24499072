import type { Cause } from '../../src/classify/cause.ts'
import type { AccessRecord, Decoded, Decoder } from '../../src/decode/decode.ts'
import type { Reading } from '../../src/history/intake.ts'
import { type PlainRecord, plainReading } from '../pipeline/fake-world.ts'

/** The tests' own small layout, read with as little work as can be: a simulated run decodes the same values many times. */
export const quickReading: Reading = { ...plainReading, decoder: () => decoder }

const nothing = { answeredBy: null, codes: [], verdicts: [], texts: [], headers: new Map<string, string>() }
const nowhere = { service: null, tenantPlace: null, apiPlace: null }
const noDecode: Decoded[] = [{ kind: 'unreadable', index: 0, failure: 'not-json', message: 'no JSON' }]
const decoded = new WeakMap<Uint8Array, Decoded[]>()

const decoder: Decoder = {
  layout: null,
  state: '',
  plain: null,
  names: [],
  labelAt: () => null,
  readObject: () => null,
  decode(value) {
    if (value === null) return noDecode
    const known = decoded.get(value) ?? decode(value)
    decoded.set(value, known)
    return known
  },
}

function decode(value: Uint8Array): Decoded[] {
  try {
    const parsed = JSON.parse(Buffer.from(value).toString()) as PlainRecord | PlainRecord[]
    const records = Array.isArray(parsed) ? parsed : [parsed]
    return records.map((record, index) => ({ kind: 'record', index, record: accessRecord(record) }))
  } catch {
    return noDecode
  }
}

function accessRecord({ t, tenant, api, cause }: PlainRecord): AccessRecord {
  const plan: Cause | null = cause ?? null
  return {
    format: 'custom',
    timeMs: t,
    status: cause === undefined ? 200 : 402,
    upstreamStatus: null,
    tenant,
    api,
    method: null,
    consumer: null,
    plan,
    latencyMs: null,
    requestId: null,
    evidence: () => nothing,
    origin: () => nowhere,
  }
}
