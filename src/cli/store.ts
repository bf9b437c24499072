import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { Fault } from '../fault/fault.ts'
import { silentLog } from '../fault/log.ts'
import { type History, openHistory } from '../history/history.ts'
import type { VerifyReport } from '../history/ledger.ts'
import type { Queries } from '../history/query.ts'
import { systemClock } from '../time/clock.ts'
import { readDaemonNote } from './daemon-file.ts'
import { RemoteHistory } from './remote.ts'

/** History for a command: a daemon's, a server's or a directory's. */
export interface OpenStore {
  readonly queries: Queries
  verify(): Promise<VerifyReport>
  close(): Promise<void>
}

/**
 * Opens history to read. A directory that a daemon on this machine has open is asked for through that daemon.
 *
 * @throws Fault `argument-invalid` when there is no store in the directory
 */
export async function openStore(options: { url?: string; token?: string; config: Config }): Promise<OpenStore> {
  if (options.url !== undefined) return remote(options.url, options.token)
  const { history } = options.config
  const note = history.clickhouse === undefined ? readDaemonNote(history.data_dir) : null
  if (note !== null) return remote(note.url, options.token)
  if (history.clickhouse === undefined && !existsSync(join(history.data_dir, 'store'))) {
    throw new Fault(
      'argument-invalid',
      `there is no history in ${history.data_dir}: name its directory with --data (the demo keeps it in ./data/demo), a config with -c, or a daemon with --url`,
      { retryable: false },
    )
  }
  return local(await openHistory(history, { clock: systemClock, log: silentLog, wait: false }))
}

function remote(url: string, token: string | undefined): OpenStore {
  const daemon = new RemoteHistory(url, token ?? process.env['TOLLWATCH_TOKEN'] ?? null)
  return { queries: daemon, verify: () => daemon.verify(), close: async () => {} }
}

function local(history: History): OpenStore {
  return { queries: history.queries, verify: () => history.verify(), close: () => history.close() }
}
