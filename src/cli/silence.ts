import { formatMatcher, parseMatcher } from '../alert/matcher.ts'
import { messageOf } from '../fault/fault.ts'
import { printRows } from './output.ts'
import { exitCode, type Terminal } from './terminal.ts'

/** Where the daemon is and who asks. */
export interface DaemonAddress {
  /** Such as `http://127.0.0.1:8402`. */
  readonly url: string
  readonly token: string | null
}

export type SilenceArguments = DaemonAddress & { readonly json: boolean } & (
    | {
        readonly action: 'add'
        /** Such as `tenant=acme` or `cause=~"quota.*"`; all must match. */
        readonly matchers: readonly string[]
        /** Such as `2h`; an hour when neither this nor `ends` is given. */
        readonly duration: string | null
        /** ISO 8601, epoch milliseconds or relative; now when null. */
        readonly starts: string | null
        readonly ends: string | null
        readonly comment: string | null
        readonly createdBy: string | null
      }
    | { readonly action: 'list'; readonly expired: boolean }
    | { readonly action: 'expire'; readonly ids: readonly string[] }
  )

export interface SilenceDeps {
  readonly terminal: Terminal
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
}

/** A silence as the API answers it. */
interface SilenceAnswer {
  readonly id: string
  readonly matchers: readonly string[]
  readonly starts_at: string
  readonly ends_at: string
  readonly created_by: string
  readonly comment: string
  readonly state: string
}

/** `tollwatch silence add|list|expire`. @returns 0; 1 when the daemon cannot be reached or refuses; 2 when misused */
export async function silenceCommand(args: SilenceArguments, deps: SilenceDeps): Promise<number> {
  const ask = asker(args, deps)
  switch (args.action) {
    case 'add':
      return add(args, ask, deps)
    case 'list':
      return list(args, ask, deps)
    case 'expire':
      return expire(args, ask, deps)
    default:
      return args satisfies never
  }
}

async function add(args: Extract<SilenceArguments, { action: 'add' }>, ask: Ask, deps: SilenceDeps): Promise<number> {
  const matchers = args.matchers.map(tolerant)
  if (matchers.length === 0) return misused(deps, 'name what to silence, such as tenant=acme')
  if (args.comment === null || args.comment.trim() === '') return misused(deps, 'say why with --comment')
  if (args.duration !== null && args.ends !== null) return misused(deps, 'give --duration or --ends, not both')
  const body = {
    matchers,
    comment: args.comment,
    ...(args.createdBy === null ? {} : { created_by: args.createdBy }),
    ...(args.starts === null ? {} : { starts_at: args.starts }),
    ...(args.ends === null ? { duration: args.duration ?? '1h' } : { ends_at: args.ends }),
  }
  const answer = await ask<SilenceAnswer>('POST', '/api/v1/silences', body)
  if (answer === null) return exitCode.failed
  if (args.json) deps.terminal.stdout.write(`${JSON.stringify(answer)}\n`)
  else deps.terminal.stdout.write(`${answer.id} silences ${answer.matchers.join(' ')} until ${answer.ends_at}\n`)
  return exitCode.ok
}

async function list(args: Extract<SilenceArguments, { action: 'list' }>, ask: Ask, deps: SilenceDeps): Promise<number> {
  const answer = await ask<{ silences: readonly SilenceAnswer[] }>('GET', '/api/v1/silences')
  if (answer === null) return exitCode.failed
  const silences = answer.silences.filter((silence) => args.expired || silence.state !== 'expired')
  if (args.json) {
    deps.terminal.stdout.write(`${JSON.stringify(silences, null, 2)}\n`)
  } else if (silences.length === 0) {
    deps.terminal.stdout.write(
      'Nothing is silenced. `tollwatch silence add tenant=NAME --duration 2h --comment WHY` does it.\n',
    )
  } else {
    const rows = silences.map((silence) => ({ ...silence, matchers: silence.matchers.join(' ') }))
    const columns = ['id', 'state', 'matchers', 'starts_at', 'ends_at', 'created_by', 'comment']
    printRows(rows, columns, 'table', deps.terminal)
  }
  return exitCode.ok
}

async function expire(
  args: Extract<SilenceArguments, { action: 'expire' }>,
  ask: Ask,
  deps: SilenceDeps,
): Promise<number> {
  if (args.ids.length === 0) return misused(deps, 'name the silence by its id; `tollwatch silence list` shows them')
  let code: number = exitCode.ok
  for (const id of args.ids) {
    const answer = await ask<{ expired: string }>('DELETE', `/api/v1/silences/${encodeURIComponent(id)}`)
    if (answer === null) code = exitCode.failed
    else deps.terminal.stdout.write(args.json ? `${JSON.stringify(answer)}\n` : `${answer.expired} ended\n`)
  }
  return code
}

/** Asks the daemon; null when that failed, which has been said on stderr then. */
type Ask = <Answer>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => Promise<Answer | null>

function asker(address: DaemonAddress, { fetch, terminal }: SilenceDeps): Ask {
  const base = address.url.replace(/\/+$/, '')
  return async (method, path, body) => {
    let response: Response
    try {
      response = await fetch(`${base}${path}`, {
        method,
        headers: {
          accept: 'application/json',
          ...(address.token === null ? {} : { authorization: `Bearer ${address.token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(15_000),
      })
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
      terminal.stderr.write(
        `tollwatch: no daemon answers at ${base}: ${messageOf(cause)}; is it running, is --url right?\n`,
      )
      return null
    }
    const answer: unknown = await response.json().catch(() => null)
    if (response.ok) return answer as never
    terminal.stderr.write(`tollwatch: ${refusal(response.status, answer)}\n`)
    return null
  }
}

/** RFC 9457: `detail` says what is wrong with what. */
function refusal(status: number, answer: unknown): string {
  const { detail, title } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>
  const said = typeof detail === 'string' ? detail : typeof title === 'string' ? title : `status ${status}`
  const hint = status === 401 ? '; give --token or set TOLLWATCH_TOKEN' : ''
  return `the daemon refuses: ${said}${hint}`
}

/** The shell eats quotes: `tenant="big corp"` arrives without them and gets them back here. */
function tolerant(text: string): string {
  if (parseMatcher(text).ok) return text
  const found = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*([^"]*?)\s*$/.exec(text)
  if (found === null) return text
  const again = parseMatcher(`${found[1]}${found[2]}${JSON.stringify(found[3])}`)
  return again.ok ? formatMatcher(again.matcher) : text
}

function misused({ terminal }: SilenceDeps, problem: string): number {
  terminal.stderr.write(`tollwatch: ${problem}\n`)
  return exitCode.misused
}
