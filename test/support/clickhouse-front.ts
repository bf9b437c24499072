/**
 * A ClickHouse server's HTTP interface over the embedded engine, as a process of its own, for tests only. What a
 * request sets, it sets for itself alone: each request gets a session of its own, which is what the server does, too.
 *
 * Not here: HTTP sessions, compressed answers, binary formats but Native inserts, progress headers, users other than one.
 *
 * Usage: node --import tsx clickhouse-front.ts DIR PORT [USER PASSWORD]
 */
import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Session } from 'chdb'
import { type Query, QueryRefused, queryOf, severalStatements, statusOf } from './clickhouse-protocol.ts'

/** A fault asked for by a test through `/_test/fail`; see `FrontFault` in `clickhouse-http.ts`. */
interface Fault {
  mode: string
  match: string
  times: number
  code: number
}

const [dir, port, user, password] = process.argv.slice(2)
if (dir === undefined || port === undefined) throw new Error('usage: clickhouse-front.ts DIR PORT [USER PASSWORD]')

// One session stays open, or the engine would be closed and opened again with every request.
const engine = new Session(dir)
let faults: Fault[] = []

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => refuse(response, error))
})
server.keepAliveTimeout = 10_000
server.listen(Number(port), '127.0.0.1')
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
  engine.close()
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  if (url.pathname === '/ping') return void response.end('Ok.\n')
  if (url.pathname === '/_test/fail') return void response.end(addFault(url.searchParams))
  const body = await bodyOf(request)
  authenticate(request, url)
  const statement = url.searchParams.get('query') ?? ''
  const isNative = /^INSERT .* FORMAT Native$/s.test(statement)
  const query = queryOf(url.searchParams, isNative ? '' : body.toString('utf8'))
  if (query.sql.trim() === '') return void response.end('Ok.\n')
  const several = severalStatements(query.sql)
  if (several !== null)
    throw new QueryRefused(62, `Syntax error (Multi-statements are not allowed): ${several}`, 'SYNTAX_ERROR')

  const fault = takeFault(query.sql)
  if (fault?.mode === 'error') throw new QueryRefused(fault.code, 'a test asked for this error', 'TEST')
  if (fault?.mode === 'cut-before') return void request.socket.destroy()
  const readOnly = request.method === 'GET'
  const result = await (isNative ? insertNative(query, body) : execute(query, readOnly))
  if (fault?.mode === 'cut-after') return void request.socket.destroy()

  response.setHeader('X-ClickHouse-Query-Id', query.id ?? randomUUID())
  response.setHeader('X-ClickHouse-Summary', JSON.stringify(summary(result)))
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8')
  response.end(result.bytes())
}

async function execute(query: Query, readOnly: boolean) {
  const session = new Session(dir)
  try {
    const settings = readOnly ? [...query.settings, 'readonly = 2'] : query.settings
    if (query.database !== null) await session.queryAsync(`USE \`${query.database}\``)
    if (settings.length > 0) await session.queryAsync(`SET ${settings.join(', ')}`)
    return await session.queryAsync(query.sql, { format: query.format })
  } finally {
    session.close()
  }
}

/** The engine takes binary rows from a file alone. */
async function insertNative(query: Query, body: Buffer) {
  const file = join(dir as string, `body-${randomUUID()}`)
  writeFileSync(file, body)
  try {
    return await execute({ ...query, sql: query.sql.replace(' SETTINGS ', ` FROM INFILE '${file}' SETTINGS `) }, false)
  } finally {
    rmSync(file)
  }
}

function summary(result: { rowsRead: number; bytesRead: number; elapsed: number }): Record<string, string> {
  return {
    read_rows: String(result.rowsRead),
    read_bytes: String(result.bytesRead),
    // The engine does not tell through this call; a server would.
    written_rows: '0',
    written_bytes: '0',
    total_rows_to_read: '0',
    result_rows: String(result.rowsRead),
    result_bytes: String(result.bytesRead),
    elapsed_ns: String(Math.round(result.elapsed * 1e9)),
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
}

function authenticate(request: IncomingMessage, url: URL): void {
  if (user === undefined) return
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  const given = basic === undefined ? null : Buffer.from(basic, 'base64').toString('utf8')
  const header = `${request.headers['x-clickhouse-user'] ?? ''}:${request.headers['x-clickhouse-key'] ?? ''}`
  const inUrl = `${url.searchParams.get('user') ?? ''}:${url.searchParams.get('password') ?? ''}`
  if (![given, header, inUrl].includes(`${user}:${password ?? ''}`)) {
    throw new QueryRefused(516, `${user}: Authentication failed: password is incorrect`, 'AUTHENTICATION_FAILED')
  }
}

function addFault(asked: URLSearchParams): string {
  const mode = asked.get('mode') ?? ''
  if (mode === 'none') faults = []
  else {
    const times = Number(asked.get('times') ?? '1')
    faults.push({ mode, times, match: asked.get('match') ?? '', code: Number(asked.get('code') ?? '241') })
  }
  return String(faults.length)
}

function takeFault(sql: string): Fault | undefined {
  const fault = faults.find((one) => one.times > 0 && sql.includes(one.match))
  if (fault !== undefined) fault.times--
  return fault
}

/** An exception of the engine becomes the server's answer: the text, its code in a header, a status to match. */
function refuse(response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const code = /Code: (\d+)\./.exec(message)?.[1] ?? '1002'
  if (response.headersSent) return void response.destroy()
  response.writeHead(statusOf(Number(code)), {
    'X-ClickHouse-Exception-Code': code,
    'Content-Type': 'text/plain; charset=UTF-8',
  })
  response.end(`${message} (version 26.7.2.1)\n`)
}
