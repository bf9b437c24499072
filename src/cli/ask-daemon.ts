import { messageOf } from '../fault/fault.ts'
import type { Terminal } from './terminal.ts'

/** Where the daemon is and who asks. */
export interface DaemonAddress {
  /** Such as `http://127.0.0.1:8402`. */
  readonly url: string
  readonly token: string | null
}

export interface AskDeps {
  readonly terminal: Terminal
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
}

/** Asks the daemon; null when that failed, which has been said on stderr then. */
export type Ask = <Answer>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => Promise<Answer | null>

export function askerOf(address: DaemonAddress, { fetch, terminal }: AskDeps): Ask {
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
