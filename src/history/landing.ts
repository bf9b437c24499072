import { hourMs } from '../time/duration.ts'
import { sliceMs } from '../window/view.ts'
import type { Database, Insert } from './database.ts'
import type { Range } from './range.ts'

const landingColumns = [
  ...['source', 'lane', 'lo', 'hi', 'is_ledger', 'bucket', 'tenant', 'api', 'cause', 'requests', 'payment_required'],
  ...['n2xx', 'n4xx', 'n5xx', 'late', 'skipped', 'dead_letters', 'gap', 'config_hash', 'min_time', 'max_time'],
  ...['hours', 'oldest_letter'],
]
const eventColumns = [
  ...['ts', 'tenant', 'api', 'cause', 'cause_code', 'cause_source', 'kind', 'status', 'upstream_status', 'method'],
  ...['consumer', 'plan', 'request_id', 'latency_ms', 'format', 'source', 'lane', 'offset', 'entry'],
]
const deadLetterColumns = ['at', 'reason', 'source', 'lane', 'offset', 'entry', 'bytes', 'message', 'sketch', 'raw']

/**
 * Writes one range: rollups with the ledger entry, then the refused calls, then the dead letters, each under a token
 * made only of the lane's identity and the range. Repeating the call after a crash or an unknown outcome completes
 * what is missing and adds nothing twice.
 *
 * @param keepEvents false leaves the refused calls out; their counts stay
 * @throws Fault when the store is away or refuses; the caller repeats the call
 */
export function land(database: Database, range: Range, epoch: number, keepEvents = true): Promise<void> {
  return landUnder(database, range, tokenOf(range, epoch), keepEvents)
}

/** The same under another token, for ranges that land a second time. */
export async function landUnder(database: Database, range: Range, token: string, keepEvents = true): Promise<void> {
  await database.insert({
    table: 'tollwatch.landing',
    columns: landingColumns,
    rows: landingRows(range),
    token: `${token}:r`,
  })
  if (keepEvents && range.events.length > 0) await database.insert(eventInsert(range, `${token}:e`))
  if (range.deadLetters.length > 0) await database.insert(deadLetterInsert(range, `${token}:d`))
}

/** The refused calls of a range as an INSERT. */
export function eventInsert(range: Range, token: string): Insert {
  return { table: 'tollwatch.events_402', columns: eventColumns, rows: eventRows(range), token }
}

/** The dead letters of a range as an INSERT. */
export function deadLetterInsert(range: Range, token: string): Insert {
  return { table: 'tollwatch.dead_letter', columns: deadLetterColumns, rows: deadLetterRows(range), token }
}

/** Names a range for ever: the same records, read again in whatever process, come under the same token. */
export function tokenOf(range: { source: string; lane: number; lo: number; hi: number }, epoch: number): string {
  return `tw1:${range.source}:${epoch}:${range.lane}:${range.lo}-${range.hi}`
}

function landingRows(range: Range): unknown[][] {
  const { source, lane, lo, hi } = range
  const ledger = [
    ...[source, lane, lo, hi, 1, 0, '', '', '', range.requests, range.paymentRequired, 0, 0, 0, range.late],
    ...[range.skipped, range.deadLetters.length, range.gap ? 1 : 0, range.configHash],
    ...[
      clickhouseTime(range.minMs),
      clickhouseTime(range.maxMs),
      hoursOf(range),
      clickhouseTime(oldestLetterMs(range)),
    ],
  ]
  const epochStart = clickhouseTime(0)
  return [
    ledger,
    ...range.rollups.map((row) => [
      ...[source, lane, lo, hi, 0, (row.slice * sliceMs) / 1000, row.tenant, row.api, row.cause],
      ...[
        row.requests,
        row.paymentRequired,
        row.n2xx,
        row.n4xx,
        row.n5xx,
        row.late,
        0,
        0,
        0,
        '',
        epochStart,
        epochStart,
        [],
        epochStart,
      ],
    ]),
  ]
}

/** Requests and refusals by hour: (start in epoch seconds, requests, payment_required). */
function hoursOf(range: Range): [number, number, number][] {
  const hours = new Map<number, [number, number, number]>()
  for (const { slice, requests, paymentRequired } of range.rollups) {
    const start = Math.floor((slice * sliceMs) / hourMs) * (hourMs / 1000)
    const hour = hours.get(start) ?? [start, 0, 0]
    hours.set(start, hour)
    hour[1] += requests
    hour[2] += paymentRequired
  }
  return [...hours.values()].sort(([a], [b]) => a - b)
}

function oldestLetterMs({ deadLetters }: Range): number {
  return deadLetters.reduce((oldest, { atMs }) => Math.min(oldest, atMs), deadLetters[0]?.atMs ?? 0)
}

function eventRows(range: Range): unknown[][] {
  return range.events.map((call) => [
    ...[clickhouseTime(call.timeMs), call.tenant, call.api, call.cause, call.causeCode, call.causeSource, call.kind],
    ...[call.status, call.upstreamStatus, call.method, call.consumer, call.plan, call.requestId, call.latencyMs],
    ...[call.format, range.source, range.lane, call.offset, call.index],
  ])
}

function deadLetterRows(range: Range): unknown[][] {
  return range.deadLetters.map((letter) => [
    ...[clickhouseTime(letter.atMs), letter.reason, range.source, range.lane, letter.offset, letter.index],
    ...[letter.bytes, letter.message, letter.sketch, letter.raw],
  ])
}

/** `2026-11-21 14:00:00.123`, which every version reads into a DateTime64 as it stands. */
export function clickhouseTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ')
}
