const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c
const colon = 0x3a
const deepest = 60

/** A dot and an `e` have digits behind them. */
const number = /^-?(?:0|[1-9]\d*(?!\d))(?:\.\d+(?!\d)|(?!\.))(?:[eE][+-]?\d+|(?![eE]))/

/**
 * Strict JSON over bytes, the same as `wasm/json.ts`: each step takes the position of a value and gives the one behind
 * it, or -1 when it is no JSON.
 */
export class PlainJson {
  readonly #bytes: Uint8Array
  readonly #buffer: Buffer
  readonly #end: number
  /** Whether the string that was skipped last had an escape in it. */
  hasEscape = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#end = bytes.length
  }

  at(p: number): number {
    return p < this.#end ? (this.#bytes[p] ?? 0) : 0
  }

  blanks(p: number): number {
    for (;;) {
      const c = this.at(p)
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return p
      p++
    }
  }

  /** @param p behind the opening quote */
  string(p: number): number {
    this.hasEscape = false
    while (p < this.#end) {
      const c = this.at(p)
      if (c === quote) return p + 1
      if (c < 0x20) return -1
      if (c !== backslash) p++
      else {
        p = this.#escape(p + 1)
        if (p < 0) return -1
      }
    }
    return -1
  }

  #escape(p: number): number {
    this.hasEscape = true
    const c = String.fromCharCode(this.at(p))
    if (c === 'u') return /^[\da-f]{4}$/i.test(this.text(p + 1, p + 5)) ? p + 5 : -1
    return '"\\/bfnrt'.includes(c) && p < this.#end ? p + 1 : -1
  }

  text(from: number, to: number): string {
    return this.#buffer.toString('latin1', from, Math.min(to, this.#end))
  }

  scalar(p: number): number {
    const c = this.at(p)
    if ((c >= 0x30 && c <= 0x39) || c === 0x2d) return this.#number(p)
    for (const word of ['true', 'false', 'null']) if (this.text(p, p + word.length) === word) return p + word.length
    return -1
  }

  #number(p: number): number {
    let end = p
    while (/[-+.eE\d]/.test(String.fromCharCode(this.at(end)))) end++
    const match = number.exec(this.text(p, end))
    return match === null ? -1 : p + match[0].length
  }

  value(p: number, depth = 1): number {
    const c = this.at(p)
    if (c === quote) return this.string(p + 1)
    return c === openBrace || c === openBracket ? this.container(p, depth) : this.scalar(p)
  }

  /** An object or an array with all that is in it. */
  container(p: number, depth = 1): number {
    if (depth > deepest) return -1
    const isObject = this.at(p) === openBrace
    const close = isObject ? closeBrace : closeBracket
    p = this.blanks(p + 1)
    if (this.at(p) === close) return p + 1
    while (p < this.#end) {
      if (isObject) {
        if (this.at(p) !== quote) return -1
        p = this.string(p + 1)
        if (p < 0) return -1
        p = this.blanks(p)
        if (this.at(p) !== colon) return -1
        p = this.blanks(p + 1)
      }
      p = this.value(p, depth + 1)
      if (p < 0) return -1
      p = this.blanks(p)
      const c = this.at(p)
      if (c === close) return p + 1
      if (c !== comma) return -1
      p = this.blanks(p + 1)
    }
    return -1
  }
}
