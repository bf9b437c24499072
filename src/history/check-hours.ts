import { hourMs } from '../time/duration.ts'
import { sliceMs } from '../window/view.ts'
import { hourName } from './check.ts'
import { compareWithLedger } from './check-ledger.ts'
import type { Database } from './database.ts'
import type { Range } from './range.ts'
import { type Kept, wholeSince } from './retention.ts'

/** Most hours that are looked up. */
const hourLimit = 240_000

/** The hours in which the finest tier that still holds them disagrees with the ledger. */
export class UnequalHours {
  /** `lane hour`, from where the 10 s tier is whole; before it the minute tier tells, without lanes. */
  readonly #byLane: ReadonlySet<string>
  readonly #older: ReadonlySet<number>
  readonly #since: number

  private constructor(byLane: ReadonlySet<string>, older: ReadonlySet<number>, since: number) {
    this.#byLane = byLane
    this.#older = older
    this.#since = since
  }

  static async of(database: Database, kept: Kept): Promise<UnequalHours> {
    const since = wholeSince(kept, ['rollup_10s', 'ledger']) ?? 0
    const fine = await compareWithLedger(database, 'rollup_10s', since, hourLimit)
    const coarseSince = wholeSince(kept, ['rollup_1m', 'ledger']) ?? 0
    const coarse = await compareWithLedger(database, 'rollup_1m', coarseSince, hourLimit)
    return new UnequalHours(
      new Set(fine.examples.map(({ lane, hour }) => `${lane} ${hour}`)),
      new Set(coarse.examples.map(({ hour }) => hour).filter((hour) => hour < since)),
      since,
    )
  }

  /** Why a range that is not in the ledger must not be added to the tiers; null when it may. */
  reasonAgainst({ source, lane, rollups }: Range): string | null {
    for (const { slice } of rollups) {
      const hour = (Math.floor((slice * sliceMs) / hourMs) * hourMs) / 1000
      const tier = hour >= this.#since ? 'rollup_10s' : 'rollup_1m'
      const isUnequal =
        tier === 'rollup_10s' ? this.#byLane.has(`${source} lane ${lane} ${hour}`) : this.#older.has(hour)
      if (!isUnequal) continue
      return `${tier} disagrees with the ledger in the hour of ${hourName(hour)}, so it may hold these offsets already: if the daemon was killed start it once, else run "tollwatch history repair" over the hour, and repeat the backfill`
    }
    return null
  }
}
