import type { Cause } from '../../src/classify/cause.ts'
import type { ApartKind } from '../../src/classify/watch.ts'
import type { AccessRecord, Decoded, Decoder } from '../../src/decode/decode.ts'
import { silentLog } from '../../src/fault/log.ts'
import type { Reading } from '../../src/history/intake.ts'
import type { PipelineEvents, PipelineOptions } from '../../src/pipeline.ts'
import { Lifetime } from '../../src/window/lifetime.ts'

/** A record in the tests' own small layout: `{ t, s, tenant, api, cause }`. */
export interface PlainRecord {
  t: number
  tenant: string
  api: string
  cause?: Cause
}

export function encode(record: PlainRecord | readonly PlainRecord[]): Buffer {
  return Buffer.from(JSON.stringify(record))
}

const nothing = { answeredBy: null, codes: [], verdicts: [], texts: [], headers: new Map<string, string>() }

function accessRecord(record: PlainRecord): AccessRecord {
  return {
    ...{ format: 'custom', timeMs: record.t, status: record.cause === undefined ? 200 : 402, upstreamStatus: null },
    ...{ tenant: record.tenant, api: record.api, method: null, consumer: null, plan: record.cause ?? null },
    ...{ latencyMs: null, requestId: null, evidence: () => nothing },
    ...{ origin: () => ({ service: null, tenantPlace: null, apiPlace: null }) },
  }
}

const decoder: Decoder = {
  layout: null,
  state: '',
  plain: null,
  names: [],
  labelAt: () => null,
  readObject: () => null,
  decode(value): Decoded[] {
    if (value === null) return [{ kind: 'unreadable', index: 0, failure: 'empty', message: 'nothing' }]
    try {
      const parsed: unknown = JSON.parse(Buffer.from(value).toString())
      const records = (Array.isArray(parsed) ? parsed : [parsed]) as PlainRecord[]
      return records.map((record, index) => ({ kind: 'record', index, record: accessRecord(record) }))
    } catch {
      return [{ kind: 'unreadable', index: 0, failure: 'not-json', message: 'no JSON' }]
    }
  },
}

export const plainReading: Reading = {
  quotas: () => [],
  decoder: () => decoder,
  judge: (record) =>
    record.plan === null
      ? null
      : { kind: 'payment_required', cause: record.plan as Cause, causeCode: 'x', causeSource: 'test' },
  sketch: () => 'sketch',
  configHash: 'test',
  keepRaw: false,
}

export class Counted implements PipelineEvents {
  readonly results = new Map<string, number>()
  readonly apart = new Map<ApartKind, number>()

  records(result: string, count: number): void {
    this.results.set(result, (this.results.get(result) ?? 0) + count)
  }

  flushed(): void {}

  refusalsApart(kind: ApartKind, count: number): void {
    this.apart.set(kind, (this.apart.get(kind) ?? 0) + count)
  }
}

export const standardOptions: Omit<PipelineOptions, 'history' | 'clock'> = {
  reading: plainReading,
  lifetime: new Lifetime(10_000),
  events: new Counted(),
  log: silentLog,
  onSlice: () => {},
  onQuotas: null,
  resumeAtMs: null,
  latenessMs: 30_000,
  idleAfterMs: 30_000,
  seriesLimit: 10_000,
  seriesLimitPerTenant: 1_000,
  flushIntervalMs: 500,
  flushRows: 5_000,
  memoryLimitBytes: 64 * 1024 * 1024,
  epoch: 0,
}
