import { type Delivery, failed } from './receiver.ts'
import type { Fetch } from './slack.ts'
import { statusFailure, thrownFailure } from './slack-failures.ts'

export interface Post {
  /** May be a secret: it reaches neither a detail nor an error. */
  readonly url: string
  readonly body: unknown
  readonly authorization: string | null
  readonly timeoutMs: number
  /** Statuses that mean this very body will never be taken. */
  readonly final: readonly number[]
}

/** Posts JSON once, within the time limit; how it went is a value. */
export async function postJson(fetch: Fetch, post: Post): Promise<Delivery> {
  try {
    const response = await fetch(post.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'tollwatch',
        ...(post.authorization === null ? {} : { authorization: post.authorization }),
      },
      body: JSON.stringify(post.body),
      // A redirect would carry the body, and the login, to somebody else.
      redirect: 'manual',
      signal: AbortSignal.timeout(post.timeoutMs),
    })
    // What a stranger's server answers is not repeated anywhere.
    await response.body?.cancel()
    const { ok, status, headers } = response
    if (ok) return { kind: 'sent' }
    if (post.final.includes(status)) return failed('refused', `HTTP ${status}`, { final: true })
    return statusFailure(status, '', headers.get('retry-after'))
  } catch (error) {
    return thrownFailure(error)
  }
}
