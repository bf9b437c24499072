import { messageOf } from '../fault/fault.ts'
import { type Clock, systemClock } from '../time/clock.ts'
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
      const send = () =>
        fetch(`${base}${path}`, {
          method,
          headers: {
            accept: 'application/json',
            ...(address.token === null ? {} : { authorization: `Bearer ${address.token}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(15_000),
        })
      response = await patiently(send, systemClock)
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

/** Nobody waits longer than this for a daemon that is asked too often. */
const longestWaitMs = 5_000
const mostTries = 20

/**
 * Sends a request, and sends it again when the daemon says that it was asked too often: a backtest asks for an hour of
 * history at a time, hundreds of times.
 */
export async function patiently(send: () => Promise<Response>, clock: Clock): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const response = await send()
    if (response.status !== 429 || tries === mostTries) return response
    const seconds = Number(response.headers.get('retry-after') ?? 1)
    await clock.sleep(Math.min(longestWaitMs, Math.max(100, (Number.isFinite(seconds) ? seconds : 1) * 1000)))
  }
}

/** RFC 9457: `detail` says what is wrong with what. */
function refusal(status: number, answer: unknown): string {
  const { detail, title } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>
  const said = typeof detail === 'string' ? detail : typeof title === 'string' ? title : `status ${status}`
  const hint = status === 401 || status === 403 ? '; give --token or set TOLLWATCH_TOKEN' : ''
  return `the daemon refuses: ${said}${hint}`
}
