import { mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort, startChild, waitFor } from './process.ts'
import { tempDir } from './run-context.ts'

/** Something that goes wrong on purpose, `times` times, with statements that contain `match` (any by default). */
export interface FrontFault {
  /** `error` refuses; `cut-before` hangs up without doing it; `cut-after` does it and hangs up without a word. */
  readonly mode: 'error' | 'cut-before' | 'cut-after'
  readonly match?: string
  readonly times?: number
  /** Exception code of `error`; 241 (memory limit) by default. */
  readonly code?: number
}

/** A ClickHouse server as its HTTP clients see it. */
export interface ClickHouse {
  readonly url: string
  readonly user: string
  readonly password: string
  /** Runs SQL and gives the body of the answer; throws the server's message. */
  query(sql: string): Promise<string>
  fail(fault: FrontFault): Promise<void>
  /** Takes back faults that have not happened yet. */
  failNoMore(): Promise<void>
  kill(): Promise<void>
  /** Starts again on the same port with the same files. */
  restart(): Promise<void>
  suspend(): void
  resume(): void
  stop(): Promise<void>
}

/**
 * Starts the HTTP front over the embedded engine as a process of its own. With `CLICKHOUSE_URL` (and
 * `CLICKHOUSE_USER`, `CLICKHOUSE_PASSWORD`) nothing is started: that server is given, and it cannot be harmed.
 */
export async function startClickHouse(
  options: { dir?: string; user?: string; password?: string } = {},
): Promise<ClickHouse> {
  const given = process.env['CLICKHOUSE_URL']
  if (given !== undefined) return foreign(given)
  const dir = options.dir ?? tempDir('clickhouse')
  mkdirSync(dir, { recursive: true })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const user = options.user ?? 'default'
  const password = options.password ?? ''
  const login = options.password === undefined ? [] : [user, password]
  let server = await launch(url, [dir, String(port), ...login])
  return {
    url,
    user,
    password,
    query: (sql) => query(url, { user, password }, sql),
    fail: ({ mode, match = '', times = 1, code = 241 }) => {
      return setFault(url, new URLSearchParams({ mode, match, times: String(times), code: String(code) }))
    },
    failNoMore: () => setFault(url, new URLSearchParams({ mode: 'none' })),
    kill: async () => void (await server.kill()),
    restart: async () => {
      await server.kill()
      server = await launch(url, [dir, String(port), ...login])
    },
    suspend: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    stop: async () => {
      await server.kill()
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function launch(url: string, args: readonly string[]) {
  const script = fileURLToPath(new URL('clickhouse-front.ts', import.meta.url))
  const server = startChild(process.execPath, ['--import', 'tsx', script, ...args])
  await waitFor('the ClickHouse front to answer', async () => (await fetch(`${url}/ping`)).ok, {
    timeoutMs: 60_000,
    failed: () => (server.ended() ? `it ended:\n${server.output()}` : null),
  })
  return server
}

async function setFault(url: string, fault: URLSearchParams): Promise<void> {
  await fetch(`${url}/_test/fail?${fault}`)
}

async function query(url: string, login: { user: string; password: string }, sql: string): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
  const response = await fetch(url, { method: 'POST', body: sql, headers: { authorization } })
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}

function foreign(url: string): ClickHouse {
  const login = {
    user: process.env['CLICKHOUSE_USER'] ?? 'default',
    password: process.env['CLICKHOUSE_PASSWORD'] ?? '',
  }
  const refuse = () => {
    throw new Error('the server of CLICKHOUSE_URL is not ours to harm; unset it to run this test')
  }
  return {
    url,
    ...login,
    query: (sql) => query(url, login, sql),
    fail: refuse,
    failNoMore: async () => {},
    kill: refuse,
    restart: refuse,
    suspend: refuse,
    resume: refuse,
    stop: async () => {},
  }
}
