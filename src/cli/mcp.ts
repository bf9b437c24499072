import { resolve } from 'node:path'
import { Readable, Writable } from 'node:stream'
import type { LoadedConfig } from '../config/load.ts'
import { Fault, messageOf } from '../fault/fault.ts'
import { silentLog } from '../fault/log.ts'
import type { Queries } from '../history/query.ts'
import type { Desk, LiveDesk } from '../mcp/desk.ts'
import { serveStreams } from '../mcp/server.ts'
import { loadTenants } from '../tenants/tenant-file.ts'
import { systemClock } from '../time/clock.ts'
import { patiently } from './ask-daemon.ts'
import { readDaemonNote } from './daemon-file.ts'
import { untilInterrupted } from './flags.ts'
import { RemoteHistory } from './remote.ts'
import { openToRead } from './sql.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'
import { version } from './version.ts'

const answerTimeoutMs = 60_000

/** Talks the Model Context Protocol over the standard streams, of which the output carries nothing else. */
export async function mcpCommand(
  { url, token }: { url: string | null; token: string | null },
  loaded: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  const { history } = loaded.config
  const daemon = url ?? (history.clickhouse === undefined ? (readDaemonNote(history.data_dir)?.url ?? null) : null)
  const desk = daemon === null ? await storeDesk(loaded, terminal) : daemonDesk(daemon, token)
  const { stdin, stdout, stderr } = terminal
  const { signal, end } = untilInterrupted()
  const log = { ...silentLog, error: (message: string) => void stderr.write(`tollwatch: ${message}\n`) }
  try {
    const input = stdin instanceof Readable ? stdin : Readable.from(stdin)
    const output =
      stdout instanceof Writable
        ? stdout
        : new Writable({ write: (chunk, _, done) => void stdout.write(chunk, () => done()) })
    await serveStreams({ desk, version, log }, { input, output, signal })
    return exitCode.ok
  } finally {
    end()
  }
}

function daemonDesk(url: string, token: string | null): Desk {
  const live: LiveDesk = {
    alerts: () => get('alerts'),
    explain: (fingerprint) => get(`alerts/${encodeURIComponent(fingerprint)}/explain`),
    tenant: (id) => get(`tenants/${encodeURIComponent(id)}`),
    tenants: (part) => get(`tenants?${new URLSearchParams({ q: part, limit: '10' })}`),
  }
  const base = url.replace(/\/+$/, '')
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  /** Null where there is nothing of this name. */
  const get = async (path: string): Promise<unknown> => {
    const ask = () => fetch(`${base}/api/v1/${path}`, { headers, signal: AbortSignal.timeout(answerTimeoutMs) })
    const response = await patiently(ask, systemClock).catch((error: unknown) => {
      const message = `no daemon answers at ${base}: ${messageOf(error)}`
      throw new Fault('daemon-unreachable', message, { retryable: true, cause: error })
    })
    if (response.status === 404) return null
    const body = (await response.json().catch(() => ({}))) as { readonly detail?: string }
    if (response.ok) return body
    const hint = response.status === 401 || response.status === 403 ? '; set TOLLWATCH_TOKEN' : ''
    const said = `${body.detail ?? `status ${response.status}`}${hint}`
    throw new Fault('daemon-unreachable', `the daemon refuses: ${said}`, { retryable: false })
  }
  // The rows of a daemon bring the names of tenants along.
  return { queries: new RemoteHistory(url, token), clock: systemClock, nameOf: () => null, live }
}

/** The store is opened for each question alone: a conversation goes on for hours, and a daemon may want to start. */
async function storeDesk({ config, folder }: LoadedConfig, terminal: Terminal): Promise<Desk> {
  const { file } = config.tenants
  const tenants = file === undefined ? null : await loadTenants(resolve(folder, file))
  if (tenants?.ok === false) printProblems(tenants.problems, terminal)
  const names = tenants?.ok === true ? tenants.tenants : null
  let last: Promise<unknown> = Promise.resolve()
  /** One question after the other, because the directory can be open once. */
  const opened = <Result>(question: (queries: Queries) => Promise<Result>): Promise<Result> => {
    const answered = last.then(async () => {
      const reader = await openToRead(config, 'start the assistant again, so that the daemon is asked')
      return question(reader.queries).finally(() => reader.close())
    })
    last = answered.catch(() => undefined)
    return answered
  }
  return {
    queries: {
      trends: (select) => opened((queries) => queries.trends(select)),
      summary: (select) => opened((queries) => queries.summary(select)),
      events: (select) => opened((queries) => queries.events(select)),
      alerts: (select) => opened((queries) => queries.alerts(select)),
    },
    clock: systemClock,
    nameOf: (id) => names?.get(id)?.name ?? null,
    live: null,
  }
}
