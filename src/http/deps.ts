import type { Alert } from '../alert/alert.ts'
import type { FormatName } from '../decode/decode.ts'
import type { Log } from '../fault/log.ts'
import type { VerifyReport } from '../history/ledger.ts'
import type { Queries } from '../history/query.ts'
import type { Account } from '../notify/account.ts'
import type { DrillDesk } from '../notify/drill.ts'
import type { NewSilence, Silence } from '../notify/silence.ts'
import type { TenantDirectory } from '../tenants/directory.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import type { WindowView } from '../window/view.ts'

/** What the server needs from the rest of the daemon. */
export interface HttpDeps {
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  /** Whether the traffic is made up; the page then says so. */
  readonly demo: boolean
  readonly startedMs: EpochMs
  readonly queries: Queries
  /** Who the tenants are, for names beside ids. */
  readonly tenants: TenantDirectory
  /** Checks that history is whole. */
  verify(): Promise<VerifyReport>
  /** The rolling windows; null before there are any. */
  view(): WindowView | null
  /** Null before the first record. */
  watermarkMs(): EpochMs | null
  alerts(): readonly Alert[]
  /** Why an alert is what it is, as sentences; null when there is no such alert. */
  explain(fingerprint: string): readonly string[] | null
  /** Who is told of an alert, who was, and what comes next; null when there is nothing to tell. */
  account(fingerprint: string): Account | null
  readonly drills: DrillDesk
  /** Why the daemon is not ready, as sentences; empty when it is. */
  ready(): readonly string[]
  progress(): Progress
  readonly ingest: Ingest
  readonly silences: SilenceBook
}

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
