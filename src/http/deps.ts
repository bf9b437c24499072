import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Alert } from '../alert/alert.ts'
import type { Band, Traffic } from '../alert/normal.ts'
import type { QuotaState } from '../alert/quota-state.ts'
import type { Rule } from '../alert/rule.ts'
import type { FormatName } from '../decode/decode.ts'
import type { Log } from '../fault/log.ts'
import type { Facts } from '../history/facts.ts'
import type { VerifyReport } from '../history/ledger.ts'
import type { Queries } from '../history/query.ts'
import type { Account } from '../notify/account.ts'
import type { DrillDesk } from '../notify/drill.ts'
import type { NewSilence, Silence } from '../notify/silence.ts'
import type { Tenant, TenantDirectory } from '../tenants/directory.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import type { WindowView } from '../window/view.ts'
import type { AuditBook } from './audit.ts'
import type { Caller } from './caller.ts'

/** What the server needs from the rest of the daemon. */
export interface HttpDeps {
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  /** Whether the traffic is made up; the page then says so. */
  readonly demo: boolean
  readonly startedMs: EpochMs
  readonly queries: Queries
  readonly facts: Facts
  /** Who the tenants are, for names beside ids. */
  readonly tenants: TenantDirectory
  /** All of them that the directory knows. */
  directory(): Iterable<Tenant>
  /** Checks that history is whole. */
  verify(): Promise<VerifyReport>
  /** The rolling windows; null before there are any. */
  view(): WindowView | null
  /**
   * Refusals of one series from memory, minute by minute up to a slice boundary, the oldest first.
   *
   * @param minutes at most 60
   */
  refusalsByMinute(series: SeriesName, endMs: EpochMs, minutes: number): readonly number[]
  /** Null before the first record. */
  watermarkMs(): EpochMs | null
  alerts(): readonly Alert[]
  /** Why an alert is what it is, as sentences; null when there is no such alert. */
  explain(fingerprint: string): readonly string[] | null
  /** Who is told of an alert, who was, and what comes next; null when there is nothing to tell. */
  account(fingerprint: string): Account | null
  readonly rules: RuleDesk
  readonly drills: DrillDesk
  /** Why the daemon is not ready, as sentences; empty when it is. */
  ready(): readonly string[]
  progress(): Progress
  health(): Health
  readonly ingest: Ingest
  readonly silences: SilenceBook
  readonly audit: AuditBook
  /** Answers what comes to `/mcp`; null where nothing does. */
  readonly mcp: McpHandler | null
}

export interface SeriesName {
  readonly tenant: string
  readonly api: string
}

/** What the rules know, beside their alerts. */
export interface RuleDesk {
  list(): readonly RuleState[]
  find(name: string): Rule | null
  /** How many refusals so much traffic of a series usually brings; null where no rule knows. */
  usual(series: SeriesName, traffic: Traffic): number | null
  /** What the rule of an alert makes of so much traffic; null where it draws no line. */
  band(fingerprint: string): ((traffic: Traffic) => Band) | null
  quotas(tenant: string): readonly QuotaState[]
  /** The most series a rule may remember something of, for backtests. */
  readonly seriesLimit: number
}

export interface RuleState {
  readonly rule: Rule
  readonly firing: number
  readonly pending: number
  /** What it has seen so far, and why it says nothing where it cannot, as sentences. */
  readonly status: readonly string[]
}

/** How the daemon itself is doing. */
export interface Health {
  readonly lanes: readonly LaneHealth[]
  readonly latenessMs: number
  readonly memoryBytes: number
  /** The last proof that history is whole, and when it was asked for; null before the first. */
  readonly verify: { readonly atMs: EpochMs; readonly report: VerifyReport } | null
  /** Messages by receiver: delivered and failed attempts since the start, and those that wait now. */
  readonly notifications: ReadonlyMap<
    string,
    { readonly ok: number; readonly failed: number; readonly waiting: number }
  >
}

/** One ordered input. */
export interface LaneHealth {
  readonly source: string
  readonly lane: number
  readonly label: string
  /** Records not read yet; null where it is not known. */
  readonly lag: number | null
  /** The next offset to be read. */
  readonly position: number
  readonly problem: string | null
}

/** Takes over one request of the Model Context Protocol and answers it. */
export type McpHandler = (call: {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The parsed body of a POST; undefined for other methods. */
  readonly json: unknown
  readonly caller: Caller
}) => Promise<void>

/** How far reading and writing have come; null where it is not known. */
export interface Progress {
  /** Records that are not read yet, over all lanes. */
  readonly lagRecords: number | null
  readonly oldestUnwrittenSeconds: number
  readonly series: number
  readonly foldedTotal: number
}

/**
 * Takes log lines, one record a line. Resolves when they are safe: a crash afterwards loses none of them. The body may
 * throw half-way (it is too large, the caller hung up); then this rejects with the body's error.
 */
export type Ingest = (
  format: FormatName | 'auto',
  body: AsyncIterable<Uint8Array>,
) => Promise<{ readonly accepted: number; readonly unreadable: number }>

/** What keeps the silences. */
export interface SilenceBook {
  list(): readonly Silence[]
  /** @throws Fault `argument-invalid` when a matcher cannot be read or the silence would be too wide or too long */
  add(silence: NewSilence): Promise<Silence>
  /** @returns false when there is no such silence that is still to end */
  expire(id: string): Promise<boolean>
}
