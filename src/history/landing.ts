import { hourMs } from '../time/duration.ts'
import { sliceMs } from '../window/view.ts'
import { Block, type Column, type CountsAt, columnsOf, firstAlone } from './block.ts'
import type { Database, Insert } from './database.ts'
import type { DeadLetter, Range, RefusedCall, RollupRow } from './range.ts'

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
  await database.insert(insertOf('tollwatch.landing', landingBlock(range), `${token}:r`))
  if (keepEvents && range.events.length > 0) await database.insert(eventInsert(range, `${token}:e`))
  if (range.deadLetters.length > 0) await database.insert(deadLetterInsert(range, `${token}:d`))
}

/** The refused calls of a range as an INSERT. */
export function eventInsert(range: Range, token: string): Insert {
  return insertOf('tollwatch.events_402', new Block(range.events, eventColumns(range)), token)
}

/** The dead letters of a range as an INSERT. */
export function deadLetterInsert(range: Range, token: string): Insert {
  return insertOf('tollwatch.dead_letter', new Block(range.deadLetters, letterColumns(range)), token)
}

/** Names a range for ever: the same records, read again in whatever process, come under the same token. */
export function tokenOf(range: { source: string; lane: number; lo: number; hi: number }, epoch: number): string {
  return `tw1:${range.source}:${epoch}:${range.lane}:${range.lo}-${range.hi}`
}

function insertOf<Row>(table: string, block: Block<Row>, token: string): Insert {
  return {
    ...{ table, token, columns: block.names, pieces: () => block.pieces() },
    // Made only for those who look.
    get rows() {
      return block.rows()
    },
  }
}

/** The ledger entry, and then the rollups. */
function landingBlock(range: Range): Block<RollupRow> {
  const { requests, paymentRequired, late } = range
  const entry: RollupRow = {
    ...{ slice: 0, tenant: '', api: '', cause: '', requests, paymentRequired, n2xx: 0, n4xx: 0, n5xx: 0, late },
  }
  return new Block([entry, ...range.rollups], landingColumns(range, entry))
}

function landingColumns(range: Range, entry: RollupRow): Column<RollupRow>[] {
  const { word, text, uint8, uint32, uint64, dateTime, dateTime64, counts } = columnsOf<RollupRow>()
  const { source, lane, lo, hi } = range
  const oldestMs = oldestLetterMs(range)
  const hours = hoursOf(range)
  /** What only the ledger entry has. */
  const own = <Value>(value: Value, otherwise: Value) => {
    return (row: RollupRow): Value => (row === entry ? value : otherwise)
  }
  return [
    word('source', () => source),
    uint32('lane', () => lane),
    uint64('lo', () => lo),
    uint64('hi', () => hi),
    firstAlone(uint8('is_ledger', own(1, 0)), 1),
    dateTime('bucket', (row) => (row.slice * sliceMs) / 1000),
    word('tenant', (row) => row.tenant),
    word('api', (row) => row.api),
    word('cause', (row) => row.cause),
    uint64('requests', (row) => row.requests),
    uint64('payment_required', (row) => row.paymentRequired),
    uint64('n2xx', (row) => row.n2xx),
    uint64('n4xx', (row) => row.n4xx),
    uint64('n5xx', (row) => row.n5xx),
    uint64('late', (row) => row.late),
    firstAlone(uint64('skipped', own(range.skipped, 0)), 8),
    firstAlone(uint64('dead_letters', own(range.deadLetters.length, 0)), 8),
    firstAlone(uint8('gap', own(range.gap ? 1 : 0, 0)), 1),
    firstAlone(text('config_hash', own(range.configHash, '')), 1),
    firstAlone(dateTime64('min_time', own(range.minMs, 0)), 8),
    firstAlone(dateTime64('max_time', own(range.maxMs, 0)), 8),
    counts('hours', own(hours, [])),
    firstAlone(dateTime64('oldest_letter', own(oldestMs, 0)), 8),
  ]
}

/** Requests and refusals by hour: (start in epoch seconds, requests, payment_required). */
function hoursOf(range: Range): readonly CountsAt[] {
  const hours = new Map<number, [number, number, number]>()
  let hour: [number, number, number] = [Number.NaN, 0, 0]
  for (const { slice, requests, paymentRequired } of range.rollups) {
    const start = Math.floor((slice * sliceMs) / hourMs) * (hourMs / 1000)
    if (start !== hour[0]) {
      hour = hours.get(start) ?? [start, 0, 0]
      hours.set(start, hour)
    }
    hour[1] += requests
    hour[2] += paymentRequired
  }
  return [...hours.values()].sort(([a], [b]) => a - b)
}

function oldestLetterMs({ deadLetters }: Range): number {
  return deadLetters.reduce((oldest, { atMs }) => Math.min(oldest, atMs), deadLetters[0]?.atMs ?? 0)
}

function eventColumns({ source, lane }: Range): Column<RefusedCall>[] {
  const { word, text, uint16, uint32, uint64, dateTime64, nullableFloat } = columnsOf<RefusedCall>()
  return [
    dateTime64('ts', (call) => call.timeMs),
    word('tenant', (call) => call.tenant),
    word('api', (call) => call.api),
    word('cause', (call) => call.cause),
    word('cause_code', (call) => call.causeCode),
    word('cause_source', (call) => call.causeSource),
    word('kind', (call) => call.kind),
    uint16('status', (call) => call.status),
    uint16('upstream_status', (call) => call.upstreamStatus),
    word('method', (call) => call.method),
    word('consumer', (call) => call.consumer),
    word('plan', (call) => call.plan),
    text('request_id', (call) => call.requestId),
    nullableFloat('latency_ms', (call) => call.latencyMs),
    word('format', (call) => call.format),
    word('source', () => source),
    uint32('lane', () => lane),
    uint64('offset', (call) => call.offset),
    uint32('entry', (call) => call.index),
  ]
}

function letterColumns({ source, lane }: Range): Column<DeadLetter>[] {
  const { word, text, uint32, uint64, dateTime64 } = columnsOf<DeadLetter>()
  return [
    dateTime64('at', (letter) => letter.atMs),
    word('reason', (letter) => letter.reason),
    word('source', () => source),
    uint32('lane', () => lane),
    uint64('offset', (letter) => letter.offset),
    uint32('entry', (letter) => letter.index),
    uint64('bytes', (letter) => letter.bytes),
    text('message', (letter) => letter.message),
    text('sketch', (letter) => letter.sketch),
    text('raw', (letter) => letter.raw),
  ]
}
