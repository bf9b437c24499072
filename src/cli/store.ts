import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { Fault } from '../fault/fault.ts'
import { silentLog } from '../fault/log.ts'
import { type History, openHistory } from '../history/history.ts'
import type { VerifyReport } from '../history/ledger.ts'
import type { Queries } from '../history/query.ts'
import type { Silence } from '../notify/silence.ts'
import { systemClock } from '../time/clock.ts'
import { readDaemonNote } from './daemon-file.ts'
import { RemoteHistory } from './remote.ts'

/** History for a command: a daemon's, a server's or a directory's. */
export interface OpenStore {
  readonly queries: Queries
  verify(): Promise<VerifyReport>
  /** Those that people have added, with the ones that ended lately. */
  silences(): Promise<readonly Silence[]>
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
  if (history.clickhouse === undefined) refuseMissing(history.data_dir)
  return local(await openHistory(history, { clock: systemClock, log: silentLog, wait: false, purpose: 'read' }))
}

/**
 * Opens history to repair or erase, which needs it to itself.
 *
 * @throws Fault `store-locked` when a daemon has the directory open, `argument-invalid` when there is no store in it
 */
export async function openStoreAlone({ history }: Config): Promise<History> {
  if (history.clickhouse === undefined) {
    const note = readDaemonNote(history.data_dir)
    if (note !== null) {
      const message = `the daemon with process id ${note.pid} has the store open: stop it first, and start it again afterwards`
      throw new Fault('store-locked', message, { retryable: false })
    }
    refuseMissing(history.data_dir)
  }
  return openHistory(history, { clock: systemClock, log: silentLog, wait: false, purpose: 'read' })
}

function refuseMissing(directory: string): void {
  if (existsSync(join(directory, 'store'))) return
  throw new Fault(
    'argument-invalid',
    `there is no history in ${directory}: name its directory with --data (the demo keeps it in ./data/demo), a config with -c, or a daemon with --url`,
    { retryable: false },
  )
}

function remote(url: string, token: string | undefined): OpenStore {
  const daemon = new RemoteHistory(url, token ?? process.env['TOLLWATCH_TOKEN'] ?? null)
  const [verify, silences] = [() => daemon.verify(), () => daemon.silences()]
  return { queries: daemon, verify, silences, close: async () => {} }
}

function local(history: History): OpenStore {
  const silences = async () => {
    const stored = await history.state.load('silence')
    return [...stored.values()].map((text) => JSON.parse(text) as Silence)
  }
  return { queries: history.queries, verify: () => history.verify(), silences, close: () => history.close() }
}
