import { Fault } from '../fault/fault.ts'
import { openIntents } from './backfill-intent.ts'
import type { Database } from './database.ts'
import type { StateStore } from './state.ts'

/** The newest range of a lane of which nobody can vouch that it will not be written once more. */
export interface OpenRange {
  readonly lane: string
  /** First and last hour it has records in, as epoch seconds. */
  readonly firstHour: number
  readonly lastHour: number
}

/**
 * The ranges that may still be repeated after a crash. Those of Kafka are announced in the consumer group, where this
 * cannot look; the others in the state.
 *
 * @throws Fault `store-busy` when an announced range is not in the ledger: its write was interrupted
 */
export async function openRanges(database: Database, state: StateStore): Promise<readonly OpenRange[]> {
  for (const key of (await openIntents(state)).keys()) {
    const message = `a backfill of ${key} was interrupted: run "tollwatch history backfill" again, so that it completes it`
    throw new Fault('store-busy', message, { retryable: false })
  }
  const intents = await state.load('intent')
  const newest = await database.query<{ source: string; lane: number; hi: number; first: number; last: number }>(
    `SELECT source, lane, max(hi0) AS hi, toUnixTimestamp(toStartOfHour(argMax(toDateTime(min0, 'UTC'), hi0))) AS first,
            toUnixTimestamp(toStartOfHour(argMax(toDateTime(max0, 'UTC'), hi0))) AS last
     FROM (SELECT source, lane, hi AS hi0, min_time AS min0, max_time AS max0 FROM tollwatch.ledger)
     GROUP BY source, lane
     HAVING startsWith(source, 'kafka:') OR has({announced:Array(String)}, concat(source, '/', toString(lane)))`,
    { announced: [...intents.keys()] },
  )
  const reached = new Map(newest.map(({ source, lane, hi }) => [`${source}/${lane}`, hi]))
  for (const [key, text] of intents) {
    const { hi = 0 } = JSON.parse(text) as { hi?: number }
    if (hi <= (reached.get(key) ?? -1)) continue
    throw new Fault(
      'store-busy',
      `a write to ${key} was interrupted: start the daemon (or run the replay) again, so that it completes it, and stop it`,
      { retryable: true },
    )
  }
  return newest.map(({ source, lane, first, last }) => ({
    ...{ lane: `${source} lane ${lane}`, firstHour: first, lastHour: last },
  }))
}
