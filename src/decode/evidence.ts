import type { Evidence, Sign } from './decode.ts'
import { errorWords } from './error-words.ts'
import { isBlank, isObject, type JsonObject } from './json.ts'
import { byKeys, type KeyList, keysOf } from './key-list.ts'
import { parseBody } from './lenient-json.ts'
import { remembered } from './remembered.ts'
import { addHeaders, addKnownHeaders, addLooseHeaders } from './response-headers.ts'

// Bodies are read this far: an error says why at its beginning.
const bodyChars = 256 * 1024
const signLimit = 64
const textChars = 2_000
const signChars = 200
const openingLimit = 5

/**
 * Collects what speaks for a cause from one record. Only responses may be handed in, never a request: a prompt can hold
 * any words. Nothing throws, and the work is bounded by the limits above.
 */
export class EvidenceGatherer {
  readonly #answeredBy: Evidence['answeredBy']
  readonly #codes: RankedSign[] = []
  readonly #texts: RankedSign[] = []
  readonly #verdicts: Sign[] = []
  readonly #headers = new Map<string, string>()

  constructor(answeredBy: Evidence['answeredBy']) {
    this.#answeredBy = answeredBy
  }

  /** A flag, an error key, a handler. Blank values are no verdict. */
  verdict(value: unknown, where: string): this {
    if (typeof value === 'boolean' || isBlank(value) || this.#verdicts.length >= signLimit) return this
    if (typeof value === 'string' || typeof value === 'number') {
      this.#verdicts.push({ value: String(value).trim().slice(0, signChars), where })
    }
    return this
  }

  /** A machine word that stands alone in the record. */
  code(value: unknown, where: string, rank = 4): this {
    if (isBlank(value) || this.#codes.length >= signLimit) return this
    if (typeof value === 'string' || typeof value === 'number') {
      this.#codes.push({ rank, sign: { value: String(value).trim().slice(0, signChars), where } })
    }
    return this
  }

  /** A message for people that stands alone in the record. */
  text(value: unknown, where: string, rank = 0): this {
    if (typeof value !== 'string' || isBlank(value) || this.#texts.length >= signLimit) return this
    this.#texts.push({ rank, sign: { value: value.slice(0, textChars), where } })
    return this
  }

  headers(value: unknown): this {
    addHeaders(this.#headers, value)
    return this
  }

  /**
   * Headers that the operator logs under keys of their own at the top of the entry.
   *
   * @param keys of the entry, where they are known; only to be faster
   */
  looseHeaders(entry: JsonObject, keys: KeyList | null = null): this {
    if (keys === null) addLooseHeaders(this.#headers, entry)
    else addKnownHeaders(this.#headers, entry, keys)
    return this
  }

  /** A response body in any of its forms: JSON, cut JSON, SSE lines, base64, the whole HTTP response as text. */
  body(value: unknown, where: string): this {
    this.#open(value, where, 0)
    return this
  }

  done(): Evidence {
    for (const name of this.#headers.keys()) {
      const role = headerRole(name)
      if (role !== null) this.#headerCode(role, this.#headers.get(name) ?? '')
    }
    return {
      answeredBy: this.#answeredBy,
      codes: sorted(this.#codes),
      verdicts: this.#verdicts,
      texts: sorted(this.#texts),
      headers: this.#headers,
    }
  }

  #open(value: unknown, where: string, depth: number): void {
    if (depth > openingLimit) return
    if (typeof value === 'string') this.#openText(value, where, depth)
    else if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
      // SSE, one line or one chunk per item.
      this.#openText(value.slice(0, 5_000).join('\n'), where, depth)
    } else if (isObject(value) || Array.isArray(value)) this.#words(value, where)
  }

  #openText(text: string, where: string, depth: number): void {
    const body = text.length > bodyChars ? text.slice(0, bodyChars) : text
    const start = body.trimStart().slice(0, 16)
    if (start === '') return
    if (start.startsWith('HTTP/')) this.#openHttp(body.trimStart(), where, depth)
    else if (/^[[{"]/.test(start)) this.#openJson(body, where, depth)
    else if (/^(?:data|event|id|retry)?:/.test(start)) this.#openEvents(body, where, depth)
    else {
      const decoded = fromBase64(body)
      if (decoded !== null) this.#open(decoded, where, depth + 1)
      else this.#plain(body, where)
    }
  }

  #openJson(text: string, where: string, depth: number): void {
    const parsed = parseBody(text)
    if (parsed === undefined) this.#plain(text, where)
    else if (typeof parsed === 'string') this.#open(parsed, where, depth + 1)
    else if (Array.isArray(parsed) && parsed.every((item) => typeof item === 'string')) {
      this.#open(parsed, where, depth + 1)
    } else this.#words(parsed, where)
  }

  #openEvents(text: string, where: string, depth: number): void {
    let events = 0
    for (const line of text.split('\n')) {
      if (!line.startsWith('data:')) continue
      const data = line.slice(5).trim()
      if (!data.startsWith('{') || ++events > 1_000) continue
      this.#open(data, where, depth + 1)
    }
  }

  #openHttp(text: string, where: string, depth: number): void {
    const gap = /\r?\n\r?\n/.exec(text)
    const head = gap === null ? text : text.slice(0, gap.index)
    addHeaders(this.#headers, head.slice(head.indexOf('\n') + 1))
    if (gap === null) return
    const rest = text.slice(gap.index + gap[0].length)
    // A chunked body begins with the size of its first chunk.
    const chunk = /^[\da-f]{1,8}\r?\n/i.exec(rest)
    this.#open(chunk === null ? rest : rest.slice(chunk[0].length), where, depth + 1)
  }

  #plain(text: string, where: string): void {
    const trimmed = text.trim()
    if (/^[\w.:-]{3,80}$/.test(trimmed)) this.code(trimmed, where, 8)
    this.text(trimmed, where)
  }

  #words(root: unknown, where: string): void {
    for (const word of errorWords(root, where)) {
      if (word.kind === 'code') this.code(word.value, word.where, word.rank)
      else this.text(word.value, word.where, word.rank)
    }
  }

  #headerCode({ kind, where }: HeaderRole, value: string): void {
    if (kind === 'error') {
      if (/^\S{1,100}$/.test(value)) this.code(value, where)
      else this.text(value, where, 1)
    } else {
      // x402 carries its reason as base64 JSON in a header.
      const decoded = fromBase64(value)
      if (decoded !== null) this.#open(decoded, where, 1)
    }
  }
}

/** Notes the name of a header that shows that the client did send a payment; what it sent is not kept. */
export function addPaymentSent(gathered: EvidenceGatherer, requestHeaders: unknown): void {
  if (isObject(requestHeaders)) {
    const keys = keysOf(requestHeaders)
    for (const name of keys === null ? Object.keys(requestHeaders).filter(maySayPayment) : paymentNames(keys)) {
      if (sentPayment.test(name) || isPaymentScheme(requestHeaders[name])) {
        gathered.verdict(name.toLowerCase(), paymentSentPlace)
      }
    }
  } else if (typeof requestHeaders === 'string' && requestHeaders.length < 64 * 1024) {
    const found = /(?:^|&)(?:(x-payment|payment-signature)=|(authorization)=payment(?:\+|%20))/i.exec(requestHeaders)
    gathered.verdict(found?.[1]?.toLowerCase() ?? found?.[2]?.toLowerCase(), paymentSentPlace)
  }
}

/** HTTP "Payment" authentication: the credential is a payment. */
function isPaymentScheme(value: unknown): boolean {
  const text: unknown = Array.isArray(value) ? value[0] : value
  return typeof text === 'string' && /^\s*payment\s/i.test(text)
}

/** Where the sign that a payment was sent stands; its value is the header's name. */
export const paymentSentPlace = 'request.headers'

const sentPayment = /^(?:x-payment|payment-signature)$/i
const paymentNames = byKeys(({ keys }) => keys.filter(maySayPayment))

function maySayPayment(name: string): boolean {
  return sentPayment.test(name) || /^authorization$/i.test(name)
}

const errorHeader = /^(?:x-)?(?:[a-z\d]+-)*(?:error|decline|refusal|denied|deny|reject)(?:-?(?:code|type|reason))?$/
const paymentHeader = /^(?:x-)?payment-(?:required|response)$/

/** A header that may hold a word or a message, or a payment's outcome. */
interface HeaderRole {
  readonly kind: 'error' | 'payment'
  readonly where: string
}

const headerRole = remembered((name): HeaderRole | null => {
  const where = `response.headers.${name}`
  if (errorHeader.test(name)) return { kind: 'error', where }
  return paymentHeader.test(name) ? { kind: 'payment', where } : null
})

interface RankedSign {
  readonly rank: number
  readonly sign: Sign
}

function sorted(signs: readonly RankedSign[]): readonly Sign[] {
  const [first] = signs
  if (signs.length < 2) return first === undefined ? [] : [first.sign]
  return signs.toSorted((a, b) => a.rank - b.rank).map(({ sign }) => sign)
}

/** Base64 (also its URL form) of readable text, or null. */
function fromBase64(text: string): string | null {
  const trimmed = text.trim()
  if (trimmed.length < 16 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed.replaceAll(/\s/g, ''))) return null
  const decoded = Buffer.from(trimmed, 'base64').toString('utf8')
  return /^\s*(?:HTTP\/|[[{"]|data:|event:)/.test(decoded) || (/\s/.test(decoded) && readable.test(decoded))
    ? decoded
    : null
}

const readable = /^[\t\n\r\x20-\x7e\u00a0-\uffec]+$/
