import { Fault, type FaultCode, messageOf } from '../fault/fault.ts'

/**
 * Who ends an outage. `wait`: it passes by itself. `operator`: somebody has to change something outside; writing goes
 * on by itself afterwards. `bug`: ClickHouse does not take what we say, and repeating it will not help.
 */
export type Outage = 'wait' | 'operator' | 'bug'

interface Kind {
  readonly outage: Outage
  readonly code: FaultCode
  readonly words: string
}

/** Error codes, most of them ClickHouse's, that mean more than "the statement is wrong". */
const serverErrors: ReadonlyMap<string, Kind> = new Map([
  ...busy('wait', {
    159: 'the query took too long',
    202: 'too many queries at once',
    203: 'too many connections',
    209: 'the socket timed out',
    210: 'a network error',
    225: 'Keeper cannot be reached',
    241: 'out of memory',
    242: 'the table is read-only, because its replica has lost Keeper',
    252: 'too many parts; merges must catch up',
    285: 'too few replicas are up for the insert quorum',
    286: 'an earlier insert still waits for its quorum',
    319: 'the outcome of the insert is unknown',
    394: 'the query was cancelled',
    473: 'a lock could not be had in time',
    999: 'Keeper is away',
  }),
  ...busy('operator', {
    164: 'the user or the profile is read-only: give the user a profile with readonly = 0',
    243: 'the disk is full: make room on the server of ClickHouse',
    499: 'the object storage of ClickHouse refuses',
    ENOSPC: 'the disk is full: make room where history.data_dir lies',
  }),
  ...refused({
    60: 'a table is missing: restart Tollwatch, which makes it, or run `tollwatch schema`',
    81: 'the database is missing: restart Tollwatch, which makes it, or run `tollwatch schema`',
    192: 'the user is not known: check history.clickhouse.user',
    193: 'the password is wrong: check history.clickhouse.password',
    194: 'a password is asked for: set history.clickhouse.password',
    497: 'the user lacks a right: see the grants in docs/clickhouse.md',
    516: 'user or password is wrong: check history.clickhouse',
  }),
])

/** What Node.js says of a certificate; a person has to mend it. */
const certificateErrors = /^(?:CERT_|ERR_TLS|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:VERIFY|GET_ISSUER))/

/** Turns what the client throws into a Fault. `instanceof ClickHouseError` is false for the embedded engine. */
export function classified(error: unknown): Fault {
  if (error instanceof Fault) return error
  const code = codeOf(error)
  const text = messageOf(error)
  if (code === 'CHDB_CONNECTION' || text.includes('Cannot lock file')) {
    return fault(
      'store-locked',
      'the embedded store is open in another process (a running daemon?): ask the daemon with --url, or stop it first',
      { error, retryable: false },
    )
  }
  const known = serverErrors.get(code)
  if (known !== undefined) {
    const said = known.code === 'store-busy' ? 'cannot serve now' : 'refuses'
    return fault(known.code, `ClickHouse ${said}: ${known.words}`, { error, retryable: true })
  }
  if (/^\d+$/.test(code)) {
    return fault('store-refused', `ClickHouse refuses the statement: ${firstLine(text)}`, { error, retryable: false })
  }
  if (/^timeout error/i.test(text)) {
    return fault('store-busy', 'ClickHouse cannot serve now: no answer came in time', { error, retryable: true })
  }
  return fault('store-unreachable', `ClickHouse cannot be reached: ${firstLine(text)}`, { error, retryable: true })
}

/** Who ends the outage that a Fault of the store tells of. */
export function outageOf(fault: unknown): Outage {
  if (!(fault instanceof Fault)) return 'bug'
  const code = codeOf(fault.cause)
  const known = serverErrors.get(code)
  if (known !== undefined) return known.outage
  if (fault.code === 'store-unreachable') return certificateErrors.test(code) ? 'operator' : 'wait'
  if (fault.code === 'store-busy') return 'wait'
  return fault.code === 'store-refused' && /^\d+$/.test(code) ? 'bug' : 'operator'
}

function busy(outage: Outage, errors: Readonly<Record<number | string, string>>): [string, Kind][] {
  return Object.entries(errors).map(([code, words]) => [code, { outage, code: 'store-busy', words }])
}

function refused(errors: Readonly<Record<number, string>>): [string, Kind][] {
  return Object.entries(errors).map(([code, words]) => [code, { outage: 'operator', code: 'store-refused', words }])
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code ?? '')
}

function fault(code: FaultCode, message: string, options: { error: unknown; retryable: boolean }): Fault {
  return new Fault(code, message, { retryable: options.retryable, cause: options.error })
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.slice(0, 300) ?? ''
}
