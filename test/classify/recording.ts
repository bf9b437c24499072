import { createDecoder } from '../../src/decode/create.ts'
import type { AccessRecord, Evidence } from '../../src/decode/decode.ts'
import { EvidenceGatherer } from '../../src/decode/evidence.ts'
import { decodeOptions } from '../../src/decode/options.ts'

/** A refused record whose evidence a test puts together. */
export function recordWith(
  gather: (gathered: EvidenceGatherer) => unknown,
  answeredBy: Evidence['answeredBy'] = 'upstream',
  changes: Partial<AccessRecord> = {},
): AccessRecord {
  return {
    ...{ format: 'kong', timeMs: 0, status: 402, upstreamStatus: null, tenant: 'acme', api: 'chat', method: 'POST' },
    ...{ consumer: null, plan: null, latencyMs: null, requestId: null },
    origin: () => ({ service: null, tenantPlace: null, apiPlace: null }),
    evidence: () => {
      const gathered = new EvidenceGatherer(answeredBy)
      gather(gathered)
      return gathered.done()
    },
    ...changes,
  }
}

/** A refused record with a response body, as it came through from an upstream. */
export function bodyRecord(body: unknown, changes: Partial<AccessRecord> = {}): AccessRecord {
  return recordWith((gathered) => gathered.body(body, 'response.body'), 'upstream', changes)
}

/** One record of a gateway's own layout, through the decoder. */
export function decoded(value: object): AccessRecord {
  const [entry] = createDecoder(decodeOptions.parse({})).decode(Buffer.from(JSON.stringify(value)))
  if (entry?.kind !== 'record') throw new Error(`no record: ${JSON.stringify(entry)}`)
  return entry.record
}

export function kongRecord(changes: object): AccessRecord {
  return decoded({
    latencies: { request: 4 },
    started_at: 1791188136042,
    response: { status: 402, headers: {} },
    ...changes,
  })
}
