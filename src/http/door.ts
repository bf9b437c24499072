import type { IncomingHttpHeaders } from 'node:http'
import type { Clock } from '../time/clock.ts'
import { type Caller, loopbackCaller } from './caller.ts'
import type { Guard } from './guard.ts'
import { Problem } from './problem.ts'
import { RateLimit } from './rate-limit.ts'

/** Paths that answer without a token: probes must know neither secrets nor data. */
const openPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz'])

/** Its bodies have a limit of their own, and nothing that has come may be turned away for coming often. */
const unlimitedPath = '/api/v1/ingest'

/** Assistants send their questions by POST, and change nothing by it. */
const readingPath = '/mcp'

const burstSeconds = 4
const operations = { perSecond: 5, burst: 20 }

/** A request as it comes in. */
interface Visitor {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly ip: string
}

/** Lets requests in: whoever may, and not too often. */
export class Door {
  readonly #guard: Guard
  readonly #page: ReadonlyMap<string, unknown>
  readonly #reads: RateLimit
  readonly #operations: RateLimit
  readonly #callers = new WeakMap<Visitor, Caller>()

  constructor(
    guard: Guard,
    options: { readonly page: ReadonlyMap<string, unknown>; readonly clock: Clock; readonly readsPerSecond: number },
  ) {
    const { page, clock, readsPerSecond } = options
    this.#guard = guard
    this.#page = page
    this.#reads = new RateLimit(clock, { perSecond: readsPerSecond, burst: burstSeconds * readsPerSecond })
    this.#operations = new RateLimit(clock, operations)
  }

  /** @throws Problem for whoever is not let in */
  enter(visitor: Visitor, path: string): void {
    if (openPaths.has(path)) return
    this.#guard.checkHost(visitor.headers)
    this.#guard.checkOrigin(visitor.method, visitor.headers)
    // The shell of the page is open: it holds no data, and it has to ask for the token before it can send one.
    if (this.#page.has(path)) return
    const caller = this.#known(visitor)
    this.#callers.set(visitor, caller)
    if (path === unlimitedPath) return
    const method = path === readingPath ? 'GET' : visitor.method
    this.#slowDown(method, caller === loopbackCaller ? addressOf(visitor) : `token ${caller.name}`)
  }

  /** Who sent a request that was let in; nobody in particular where none is asked. */
  callerOf(visitor: Visitor): Caller {
    return this.#callers.get(visitor) ?? stranger
  }

  #known(visitor: Visitor): Caller {
    try {
      return this.#guard.callerOf(visitor.headers)
    } catch (problem) {
      // Whoever tries tokens is slowed down by where it comes from.
      this.#slowDown(visitor.method, addressOf(visitor))
      throw problem
    }
  }

  #slowDown(method: string, key: string): void {
    const isRead = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
    const waitSeconds = (isRead ? this.#reads : this.#operations).take(key)
    if (waitSeconds === null) return
    const detail = `Too many requests; come again in ${waitSeconds} s.`
    throw new Problem(429, detail, { headers: { 'retry-after': String(waitSeconds) } })
  }
}

function addressOf({ ip }: Visitor): string {
  return `address ${ip}`
}

const stranger: Caller = { name: 'nobody', scopes: [], tenant: null }
