/** The parts of ClickHouse's HTTP protocol that are plain functions: what a request asks for, what an error answers. */

/** What one request asks for. */
export interface Query {
  readonly sql: string
  readonly id: string | null
  readonly database: string | null
  /** Where the SQL names no format. */
  readonly format: string
  /** Assignments for one SET statement; `param_*` are the values of `{name:Type}` in the SQL. */
  readonly settings: readonly string[]
}

/** An error in the engine's own words: `Code: 62. DB::Exception: … (SYNTAX_ERROR)`. */
export class QueryRefused extends Error {
  constructor(code: number, message: string, type: string) {
    super(`Code: ${code}. DB::Exception: ${message}. (${type})`)
  }
}

/** Parameters that belong to the HTTP layer; every other one is a setting, and an unknown one an error. */
const httpOnly = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'user',
  'password',
  'role',
  'quota_key',
  'stacktrace',
  'buffer_size',
  'wait_end_of_query',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'http_response_buffer_size',
  'enable_http_compression',
  'compress',
  'decompress',
])

/** The server reads the SQL from the `query` parameter followed by the body, so an INSERT finds its rows there. */
export function queryOf(parameters: URLSearchParams, body: string): Query {
  if (parameters.has('session_id')) throw new QueryRefused(48, 'the test front has no sessions', 'NOT_IMPLEMENTED')
  const inUrl = parameters.get('query') ?? ''
  const settings: string[] = []
  for (const [name, value] of parameters) {
    if (httpOnly.has(name)) continue
    if (!/^\w+$/.test(name))
      throw new QueryRefused(115, `Setting ${name} is neither a builtin setting`, 'UNKNOWN_SETTING')
    settings.push(`${name} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`)
  }
  const database = parameters.get('database')
  if (database !== null && !/^\w+$/.test(database))
    throw new QueryRefused(81, `Database ${database} does not exist`, 'UNKNOWN_DATABASE')
  return {
    sql: inUrl === '' || body === '' ? inUrl + body : `${inUrl}\n${body}`,
    id: parameters.get('query_id'),
    database,
    format: parameters.get('default_format') ?? 'TabSeparated',
    settings,
  }
}

/**
 * The embedded engine runs several statements in one call, a server refuses them. What follows the first statement, or
 * null where nothing does. An INSERT's rows may hold semicolons, so it is not looked into.
 */
export function severalStatements(sql: string): string | null {
  if (/^\s*INSERT\s/i.test(sql)) return null
  const token = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|--[^\n]*|\/\*[\s\S]*?\*\/|;/g
  for (const { 0: text, index } of sql.matchAll(token)) {
    if (text !== ';') continue
    const rest = sql.slice(index + 1).replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, '')
    if (rest.replaceAll(';', '').trim() !== '') return rest.trim().slice(0, 80)
  }
  return null
}

/** The HTTP status that a server sends with an exception code, for the codes that matter here. */
export function statusOf(code: number): number {
  switch (code) {
    case 516: // AUTHENTICATION_FAILED
      return 403
    case 46: // UNKNOWN_FUNCTION
    case 60: // UNKNOWN_TABLE
    case 81: // UNKNOWN_DATABASE
      return 404
    case 159: // TIMEOUT_EXCEEDED
      return 408
    case 48: // NOT_IMPLEMENTED
      return 501
    case 26: // CANNOT_PARSE_QUOTED_STRING
    case 27: // CANNOT_PARSE_INPUT_ASSERTION_FAILED
    case 36: // BAD_ARGUMENTS
    case 47: // UNKNOWN_IDENTIFIER
    case 62: // SYNTAX_ERROR
    case 115: // UNKNOWN_SETTING
    case 117: // INCORRECT_DATA
      return 400
    default:
      return 500
  }
}
