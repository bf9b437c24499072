import { type Cause, causes } from '../../src/classify/cause.ts'
import { Fault } from '../../src/fault/fault.ts'
import type { Database, Insert } from '../../src/history/database.ts'
import { singlePlace } from '../../src/history/database.ts'
import type { RangeStore } from '../../src/history/history.ts'
import { land } from '../../src/history/landing.ts'
import type { ReloadedRow } from '../../src/history/reload.ts'
import { MemoryState } from '../../src/history/state.ts'
import type { Dice } from '../support/dice.ts'
import type { Network } from './network.ts'
import type { Process } from './process.ts'

export interface LedgerEntry {
  readonly lo: number
  readonly hi: number
  readonly requests: number
  readonly paymentRequired: number
  readonly skipped: number
  readonly deadLetters: number
  readonly gap: boolean
}

/** Everything the tables hold of one lane. The store itself keeps no lane in its coarse tiers; the auditor wants it. */
export interface LaneTables {
  readonly ledger: LedgerEntry[]
  readonly tiers: Readonly<Record<Tier, Map<string, TierRow>>>
  /** How often each refused call is there, by offset and index. */
  readonly events: Map<string, number>
  readonly letters: Map<string, number>
  /** Ranges of which some rows are in some table, and in which: `lo-hi` to names of tables. */
  readonly reached: Map<string, Set<string>>
}

export interface TierRow {
  readonly start: number
  readonly tenant: string
  readonly cause: Cause | ''
  requests: number
  paymentRequired: number
}

/** Slices per row of each tier. */
export const tiers = { rollup_10s: 1, rollup_1m: 6, rollup_1h: 360 } as const
export type Tier = keyof typeof tiers
export const tierNames = Object.keys(tiers) as Tier[]
const viewsOfLanding: readonly string[] = ['rollup_10s', 'rollup_1h', 'rollup_1m', 'ledger']

/**
 * ClickHouse as far as the protocol can see it: an insert into `landing` reaches its tables one after another and may
 * stop between two; each table by itself drops a token it knows, if it has not forgotten it.
 */
export class Store {
  down = false
  readonly lanes = new Map<string, LaneTables>()
  readonly #dice: Dice
  readonly #tokens: boolean
  readonly #window: number
  readonly #known = new Map<string, Set<string>>()
  readonly #state = new MemoryState()

  /** @param window how many tokens each table remembers */
  constructor(options: { dice: Dice; tokens: boolean; window: number }) {
    this.#dice = options.dice
    this.#tokens = options.tokens
    this.#window = options.window
  }

  lane(source: string, lane: number): LaneTables {
    const key = laneKey(source, lane)
    const known = this.lanes.get(key)
    if (known !== undefined) return known
    const made: LaneTables = {
      ledger: [],
      tiers: { rollup_10s: new Map(), rollup_1m: new Map(), rollup_1h: new Map() },
      events: new Map(),
      letters: new Map(),
      reached: new Map(),
    }
    this.lanes.set(key, made)
    return made
  }

  /** One past the last offset in a lane's ledger; 0 where there is none. */
  landedTo(source: string, lane: number): number {
    return this.lane(source, lane).ledger.reduce((next, { hi }) => Math.max(next, hi + 1), 0)
  }

  /** What one process sees of the store. */
  for(process: Process, network: Network): RangeStore {
    const database: Database = {
      place: singlePlace,
      insert: (insert) => {
        const what = () => `insert ${insert.table} ${insert.token}`
        return network.call(process, 'insert', what, (reach) => this.#insert(insert, reach === 'partial'))
      },
      command: () => Promise.reject(new Error('the simulated store takes no statements')),
      query: () => Promise.reject(new Error('the simulated store takes no queries')),
      close: async () => {},
    }
    const ask = <Value>(what: () => string, answer: () => Value): Promise<Value> =>
      network.call(process, 'read', what, () => {
        this.#mustBeUp()
        return answer()
      })
    const nothing = (): void => {}
    return {
      state: {
        load: (kind) =>
          this.#passed(
            ask(() => `state ${kind}`, nothing),
            () => this.#state.load(kind),
          ),
        put: (entries) =>
          this.#passed(
            ask(() => `state of ${entries.map(({ key }) => key)}`, nothing),
            () => this.#state.put(entries),
          ),
      },
      land: (range) => land(database, range, 0),
      position: (source, lane) =>
        ask(
          () => `ledger position of ${source}/${lane}`,
          () => {
            const next = this.landedTo(source, lane)
            return next === 0 ? null : next
          },
        ),
      holds: ({ source, lane, lo, hi }) =>
        ask(
          () => `ledger holds ${source}/${lane} ${lo}-${hi}`,
          () => this.lane(source, lane).ledger.some((entry) => entry.lo === lo && entry.hi === hi),
        ),
      windowRows: async (fromMs, mine) => {
        let rows: ReloadedRow[] = []
        await ask(
          () => `windows of ${mine.map(({ source, lane }) => `${source}/${lane}`)}`,
          () => {
            rows = this.#windowRows(fromMs, mine)
          },
        )
        return rows
      },
    }
  }

  /** Asks the state once the way there is clear. */
  async #passed<Value>(way: Promise<void>, then: () => Promise<Value>): Promise<Value> {
    await way
    return then()
  }

  #insert({ table, columns, rows, token }: Insert, partial: boolean): void {
    this.#mustBeUp()
    const targets = table === 'tollwatch.landing' ? viewsOfLanding : [table.slice('tollwatch.'.length)]
    const reached = partial ? Math.floor(this.#dice.between(0, targets.length)) : targets.length
    for (const target of targets.slice(0, reached)) this.#fill(target, columns, rows, token)
    if (partial)
      throw new Fault('store-busy', `stopped after ${reached} of ${targets.length} tables`, { retryable: true })
  }

  #fill(table: string, columns: readonly string[], rows: readonly (readonly unknown[])[], token: string | null): void {
    const isLedger = columns.indexOf('is_ledger')
    const own = isLedger < 0 ? rows : rows.filter((row) => (row[isLedger] === 1) === (table === 'ledger'))
    // A view without rows makes no block, so its table does not learn the token.
    if (own.length === 0 || this.#seen(table, token ?? '')) return
    const read = reader(columns)
    const [first = []] = own
    const { reached } = this.lane(read.text(first, 'source'), read.number(first, 'lane'))
    const range = /(\d+-\d+):\w$/.exec(token ?? '')?.[1] ?? ''
    reached.set(range, (reached.get(range) ?? new Set()).add(table))
    for (const row of own) {
      const lane = this.lane(read.text(row, 'source'), read.number(row, 'lane'))
      if (table === 'ledger') lane.ledger.push(ledgerEntry(read, row))
      else if (table in tiers) addToTier(lane.tiers[table as Tier], tiers[table as Tier], read, row)
      else {
        const counts = table === 'events_402' ? lane.events : lane.letters
        const key = `${read.number(row, 'offset')} ${read.number(row, 'entry')}`
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    }
  }

  #seen(table: string, token: string): boolean {
    if (!this.#tokens) return false
    const known = this.#known.get(table) ?? new Set<string>()
    this.#known.set(table, known)
    if (known.has(token)) return true
    known.add(token)
    for (const oldest of known) {
      if (known.size <= this.#window) break
      known.delete(oldest)
    }
    return false
  }

  #windowRows(fromMs: number, mine: readonly { source: string; lane: number }[]): ReloadedRow[] {
    const sources = new Set(mine.map(({ source }) => source))
    const lanes = new Set(mine.map(({ source, lane }) => laneKey(source, lane)))
    const rows: ReloadedRow[] = []
    for (const [key, { tiers: kept }] of this.lanes) {
      if (sources.has(key.slice(0, key.lastIndexOf('/'))) && !lanes.has(key)) continue
      for (const { start, tenant, cause, requests, paymentRequired } of kept.rollup_10s.values()) {
        if (start * 10_000 < fromMs) continue
        const index = cause === '' ? -1 : causes.indexOf(cause)
        rows.push({ slice: start, tenant, api: 'chat', cause: index, requests, paymentRequired })
      }
    }
    return rows
  }

  #mustBeUp(): void {
    if (this.down) throw new Fault('store-unreachable', 'the store is down', { retryable: true })
  }
}

export function laneKey(source: string, lane: number): string {
  return `${source}/${lane}`
}

interface Reader {
  text(row: readonly unknown[], column: string): string
  number(row: readonly unknown[], column: string): number
}

function reader(columns: readonly string[]): Reader {
  return {
    text: (row, column) => String(row[columns.indexOf(column)]),
    number: (row, column) => Number(row[columns.indexOf(column)]),
  }
}

function ledgerEntry(read: Reader, row: readonly unknown[]): LedgerEntry {
  return {
    lo: read.number(row, 'lo'),
    hi: read.number(row, 'hi'),
    requests: read.number(row, 'requests'),
    paymentRequired: read.number(row, 'payment_required'),
    skipped: read.number(row, 'skipped'),
    deadLetters: read.number(row, 'dead_letters'),
    gap: read.number(row, 'gap') === 1,
  }
}

function addToTier(tier: Map<string, TierRow>, slices: number, read: Reader, row: readonly unknown[]): void {
  const start = Math.floor(read.number(row, 'bucket') / 10 / slices) * slices
  const tenant = read.text(row, 'tenant')
  const cause = read.text(row, 'cause') as Cause | ''
  const key = `${start} ${tenant} ${cause}`
  const known = tier.get(key) ?? { start, tenant, cause, requests: 0, paymentRequired: 0 }
  tier.set(key, known)
  known.requests += read.number(row, 'requests')
  known.paymentRequired += read.number(row, 'payment_required')
}
