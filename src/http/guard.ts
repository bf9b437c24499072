import type { IncomingHttpHeaders } from 'node:http'
import { isLoopback, type ListenAddress } from '../telemetry/address.ts'
import { type Caller, loopbackCaller } from './caller.ts'
import { Problem } from './problem.ts'
import type { Tokens } from './tokens.ts'

/** Sent with every answer. The page needs nothing but its own files and its own API. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Who may ask, and by which name. */
export class Guard {
  readonly #listen: ListenAddress
  readonly #allowedHosts: ReadonlySet<string>
  readonly #tokens: Tokens

  constructor(options: {
    readonly listen: ListenAddress
    readonly allowedHosts: readonly string[]
    readonly tokens: Tokens
  }) {
    this.#listen = options.listen
    this.#allowedHosts = new Set(options.allowedHosts.map((host) => host.toLowerCase()))
    this.#tokens = options.tokens
  }

  /**
   * On loopback nobody logs in, so the name asked for must be ours: a foreign page whose name is pointed at
   * 127.0.0.1 (DNS rebinding) would otherwise read everything.
   */
  checkHost(headers: IncomingHttpHeaders): void {
    const name = hostName(headers.host ?? '')
    const known = this.#allowedHosts.has(name) || name === this.#listen.host.toLowerCase() || isLoopback(name)
    if (isLoopback(this.#listen.host) && !known) {
      throw new Problem(421, `This server is not called ${name || 'so'}; add the name to http.allowed_hosts if it is.`)
    }
  }

  /** A browser says which page a change comes from; only our own page may make one. Tools send no Origin. */
  checkOrigin(method: string, headers: IncomingHttpHeaders): void {
    if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return
    const { origin, host } = headers
    const foreign = origin !== undefined && originHost(origin) !== host?.toLowerCase()
    if (foreign || headers['sec-fetch-site'] === 'cross-site') {
      throw new Problem(403, 'Changes are taken only from the page of this server, not from other sites.')
    }
  }

  /** Who asks, by the bearer token; without tokens in the settings everybody on this machine may do everything. */
  callerOf(headers: IncomingHttpHeaders): Caller {
    if (!this.#tokens.needed) return loopbackCaller
    const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    const caller = given === undefined ? null : this.#tokens.find(given)
    if (caller !== null) return caller
    const detail = given === undefined ? 'Send the token of http.token as "Authorization: Bearer …".' : 'Wrong token.'
    throw new Problem(401, detail, { headers: { 'www-authenticate': 'Bearer realm="tollwatch"' } })
  }
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '')
}

function originHost(origin: string): string | null {
  try {
    return new URL(origin).host
  } catch {
    return null
  }
}
