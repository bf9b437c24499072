import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Fault } from '../fault/fault.ts'
import { type Caller, mainTokenName, type Scope, scopes } from './caller.ts'
import { type HttpOptions, shortestToken, tenantOf } from './options.ts'

/** Who has which token. */
export class Tokens {
  readonly #known: readonly { readonly hash: Buffer; readonly caller: Caller }[]

  /**
   * @throws Fault `config-unreadable` when a token file cannot be read, `config-invalid` when it holds no usable token
   * or two callers have the same one
   */
  constructor(options: Pick<HttpOptions, 'token' | 'token_file' | 'tokens'>) {
    const main = readToken(options, 'http')
    const all: { hash: Buffer; caller: Caller }[] =
      main === null ? [] : [{ hash: hashOf(main), caller: { name: mainTokenName, scopes, tenant: null } }]
    for (const [at, setting] of options.tokens.entries()) {
      const token = readToken(setting, `http.tokens[${at}]`)
      if (token === null) continue
      const hash = hashOf(token)
      const twin = all.find((one) => one.hash.equals(hash))
      if (twin !== undefined) {
        const message = `http.tokens[${at}] holds the same token as ${twin.caller.name}; give each caller one of its own`
        throw new Fault('config-invalid', message, { retryable: false })
      }
      all.push({ hash, caller: callerOf(setting) })
    }
    this.#known = all
  }

  /** Whether callers need one at all. */
  get needed(): boolean {
    return this.#known.length > 0
  }

  /**
   * Who sends this token; null when nobody has it. All hashes are compared, each in constant time, so that neither
   * length nor content of a token nor its place shows in the time it takes.
   */
  find(given: string): Caller | null {
    const hash = hashOf(given)
    let found: Caller | null = null
    for (const { hash: known, caller } of this.#known) if (timingSafeEqual(hash, known)) found = caller
    return found
  }
}

function callerOf({ name, scopes: given }: HttpOptions['tokens'][number]): Caller {
  const [tenant = null] = given.map(tenantOf).filter((one) => one !== null)
  return { name, scopes: given.filter((one): one is Scope => scopes.some((scope) => scope === one)), tenant }
}

/** @param place the setting, for messages */
function readToken(
  options: { readonly token?: string | undefined; readonly token_file?: string | undefined },
  place: string,
): string | null {
  if (options.token_file === undefined) return options.token ?? null
  let text: string
  try {
    text = readFileSync(options.token_file, 'utf8').trim()
  } catch (cause) {
    const message = `${place}.token_file ${options.token_file} cannot be read; check the path and who may read it`
    throw new Fault('config-unreadable', message, { retryable: false, cause })
  }
  if (text.length < shortestToken) {
    const message = `${place}.token_file ${options.token_file} holds no token of ${shortestToken} characters or more`
    throw new Fault('config-invalid', message, { retryable: false })
  }
  return text
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
