import { causes } from '../classify/cause.ts'
import type { QuotaSign } from '../classify/quota.ts'
import type { ApartKind } from '../classify/watch.ts'
import type { Recognisers } from '../core/recognisers.ts'
import type { AccessRecord, Decoded, Decoder } from '../decode/decode.ts'
import type { RawValue } from '../source/source.ts'
import type { EpochMs } from '../time/clock.ts'
import { eventTime } from '../time/event-time.ts'
import type { Lifetime } from '../window/lifetime.ts'
import type { Series } from '../window/series.ts'
import { sliceMs } from '../window/view.ts'
import type { Watermark } from '../window/watermark.ts'
import type { Windows } from '../window/windows.ts'
import type { RangeBuilder, RefusedCall } from './range.ts'

/** A refused call's kind and cause; null for a record that is only a request. */
export type Judgement = Pick<RefusedCall, 'kind' | 'cause' | 'causeCode' | 'causeSource'> | null

/** What becomes of a record: settled by configuration, the same on every replay of it. */
export interface Reading {
  /** What a response says of its caller's quotas. */
  quotas(record: AccessRecord, timeMs: EpochMs): readonly QuotaSign[]
  /** @param format the layout of one lane; null for the configured one */
  decoder(format: string | null): Decoder
  judge(record: AccessRecord): Judgement
  sketch(bytes: Uint8Array | null): string
  /** Recognises plain records without the decoder; absent where every record is to be decoded. */
  readonly recognisers?: Recognisers
  /** Hash of the settings behind all this, kept with every range. */
  readonly configHash: string
  readonly keepRaw: boolean
}

/** The rolling windows as they are when a record comes. */
export interface OpenWindows {
  /** The windows, opened around the first record if they were not yet. */
  around(timeMs: EpochMs): Windows
  /** Moves event time on, so that the rings hold this slice. */
  makeRoom(slice: number): void
}

/** What a gateway said of quotas beside one request. */
export type QuotaListener = (
  readings: readonly (QuotaSign & { readonly tenant: string; readonly api: string; readonly atMs: EpochMs })[],
) => void

/** What the intake needs of a lane. */
export interface IntakeLane {
  readonly key: string
  readonly decoder: Decoder
  readonly builder: RangeBuilder
}

/** What holds for a whole batch. */
export interface IntakeContext {
  /** Whether records count in the windows; those of a range that lands again are loaded from history instead. */
  readonly live: boolean
  readonly now: EpochMs
  /** Counts what the entries were: `ok`, `skewed`, `skipped`, or why they are unreadable. */
  readonly tally: Map<string, number>
  /** Counts the refusals that are kept out of the rates. */
  readonly apart: Map<ApartKind, number>
}

/** Stands for a name that a record does not say. */
export const unknownLabel = 'unknown'
/** How far behind the newest slice event time follows a lane that runs ahead of all others. */
export const roomSlices = 60

/** From values to counts: each record goes into the lane's range and, where the lane is live, into the windows. */
export class Intake {
  readonly #reading: Reading
  readonly #lifetime: Lifetime
  readonly #watermark: Watermark
  readonly #windows: OpenWindows
  readonly #onQuotas: QuotaListener | null
  /** The slice in which a series was last asked for its quotas: once in ten seconds tells enough. */
  readonly #askedIn = new WeakMap<Series, number>()
  /** Highest offset counted in the lifetime totals, so that records read again after a rebalance count once. */
  readonly #counted = new Map<string, number>()

  constructor(options: {
    reading: Reading
    lifetime: Lifetime
    watermark: Watermark
    windows: OpenWindows
    /** Null when nobody wants to know: reading the headers of a response costs more than counting it. */
    onQuotas: QuotaListener | null
  }) {
    this.#reading = options.reading
    this.#lifetime = options.lifetime
    this.#watermark = options.watermark
    this.#windows = options.windows
    this.#onQuotas = options.onQuotas
  }

  /** Highest offset of a lane that was counted in the lifetime totals; -1 for none. */
  countedTo(key: string): number {
    return this.#counted.get(key) ?? -1
  }

  countTo(key: string, offset: number): void {
    this.#counted.set(key, offset)
  }

  /** Takes one value with all its entries, and tells what they were. */
  take(lane: IntakeLane, value: RawValue, context: IntakeContext): readonly Decoded[] {
    const { tally } = context
    const repeated = value.offset <= this.countedTo(lane.key)
    const entries = lane.decoder.decode(value.bytes)
    for (const entry of entries) {
      const result = this.#takeEntry(lane, value, entry, context, repeated)
      tally.set(result, (tally.get(result) ?? 0) + 1)
    }
    if (!repeated) this.countTo(lane.key, value.offset)
    return entries
  }

  /** @returns what it is counted as */
  #takeEntry(lane: IntakeLane, value: RawValue, entry: Decoded, context: IntakeContext, repeated: boolean): string {
    const { now } = context
    if (entry.kind === 'skipped') {
      lane.builder.skipped++
      return 'skipped'
    }
    if (entry.kind === 'unreadable') {
      this.#bury(lane, value, { index: entry.index, reason: entry.failure, message: entry.message, now })
      return entry.failure
    }
    const at = eventTime(entry.record.timeMs, value.arrivedMs, now)
    if (!at.ok) {
      this.#bury(lane, value, { index: entry.index, reason: at.failure, message: at.message, now })
      return at.failure
    }
    this.#count(lane, value, entry, { timeMs: at.timeMs, context, repeated })
    return at.skewed ? 'skewed' : 'ok'
  }

  #count(
    lane: IntakeLane,
    value: RawValue,
    { record, index }: Extract<Decoded, { kind: 'record' }>,
    { timeMs, context, repeated }: { timeMs: EpochMs; context: IntakeContext; repeated: boolean },
  ): void {
    const { live, now, apart } = context
    const windows = this.#windows.around(timeMs)
    const slice = Math.floor(timeMs / sliceMs)
    const tenant = record.tenant ?? unknownLabel
    const api = record.api ?? unknownLabel
    if (live) {
      this.#watermark.seen(lane.key, timeMs, Math.min(timeMs, value.arrivedMs ?? now), now)
      // Moving on forgets idle series, so it comes before the series is looked up.
      if (windows.tooFarAhead(slice)) this.#windows.makeRoom(slice - roomSlices)
    }
    const series = windows.series(tenant, api)
    const judged = this.#reading.judge(record)
    const cause = judged?.kind === 'payment_required' ? causes.indexOf(judged.cause) : -1
    let late = slice * sliceMs < (windows.endMs ?? 0)
    if (live) {
      late = windows.count(series, slice, cause) === 'late'
      // What lands again was counted before the restart already.
      if (!repeated) {
        this.#lifetime.count(series.total, cause)
        const kind = judged?.kind ?? 'payment_required'
        if (kind !== 'payment_required') apart.set(kind, (apart.get(kind) ?? 0) + 1)
      }
      if (this.#onQuotas !== null && this.#askedIn.get(series) !== slice) {
        this.#askedIn.set(series, slice)
        const quotas = this.#reading.quotas(record, timeMs)
        if (quotas.length > 0) this.#onQuotas(quotas.map((quota) => ({ ...quota, tenant, api, atMs: timeMs })))
      }
    }
    lane.builder.count(timeMs, slice, series, record.status, cause, late)
    // Refused calls keep their true names also where the series was folded.
    if (judged !== null) {
      const { offset } = value
      lane.builder.events.push(refusedCall(record, judged, { tenant, api, timeMs, offset, index }))
    }
  }

  #bury(
    lane: IntakeLane,
    value: RawValue,
    letter: { index: number; reason: string; message: string; now: EpochMs },
  ): void {
    const { index, reason, message, now } = letter
    lane.builder.deadLetters.push({
      atMs: value.arrivedMs ?? now,
      reason,
      offset: value.offset,
      index,
      bytes: value.bytes?.length ?? 0,
      message,
      sketch: this.#reading.sketch(value.bytes),
      raw: this.#reading.keepRaw && value.bytes !== null ? Buffer.from(value.bytes).toString('latin1') : '',
    })
  }
}

function refusedCall(
  record: AccessRecord,
  judged: NonNullable<Judgement>,
  at: Pick<RefusedCall, 'tenant' | 'api' | 'timeMs' | 'offset' | 'index'>,
): RefusedCall {
  // Field by field: an object made by spreading others takes fifty times as long to make.
  return {
    kind: judged.kind,
    cause: judged.cause,
    causeCode: judged.causeCode,
    causeSource: judged.causeSource,
    tenant: at.tenant,
    api: at.api,
    timeMs: at.timeMs,
    status: record.status ?? 0,
    upstreamStatus: record.upstreamStatus ?? 0,
    method: record.method ?? '',
    consumer: record.consumer ?? '',
    plan: record.plan ?? '',
    requestId: record.requestId ?? '',
    latencyMs: record.latencyMs,
    format: record.format,
    offset: at.offset,
    index: at.index,
  }
}
