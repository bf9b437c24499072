import type { Clock } from '../time/clock.ts'
import type { Database } from './database.ts'
import type { StateEntry, StateStore } from './state.ts'

/** State in the table `tollwatch.state`. One writer: the daemon that owns the store. */
export class DurableState implements StateStore {
  readonly #database: Database
  readonly #clock: Clock
  #version = 0

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  async put(entries: readonly StateEntry[]): Promise<void> {
    if (entries.length === 0) return
    // Later calls must win also within a millisecond and after the wall clock stepped back.
    this.#version = Math.max(this.#version + 1, this.#clock.now() * 1000)
    await this.#database.insert({
      table: 'tollwatch.state',
      columns: ['kind', 'key', 'version', 'value', 'deleted'],
      rows: entries.map(({ kind, key, value }) => [kind, key, this.#version, value ?? '', value === null ? 1 : 0]),
      token: null,
    })
  }

  async load(kind: string): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#database.query<{ key: string; value: string; version: number; deleted: number }>(
      'SELECT key, value, version, deleted FROM tollwatch.state FINAL WHERE kind = {kind:String}',
      { kind },
    )
    for (const row of rows) this.#version = Math.max(this.#version, Number(row.version))
    return new Map(rows.filter((row) => row.deleted === 0).map((row) => [row.key, row.value]))
  }
}
