import { isKnownKey, isPlainKey } from './plain-key.ts'

// A sketch is short, so a value is looked at only this far.
const inputLimit = 64 * 1024
const stringLimit = 24

/**
 * The shape of a value for the dead letter: letters and digits of values become `a`, `A` and `0`, other characters
 * beyond ASCII `?`; texts are capped. Keys are kept where they are plain field names. Where the value is no sound
 * JSON, a value may stand where a key should be, so only well-known field names are kept there.
 *
 * @param maxChars most characters of the result
 */
export function sketchOf(value: Uint8Array | null, maxChars = 1024): string {
  if (value === null || value.length === 0) return ''
  const cut = value.length > inputLimit
  const text = new TextDecoder().decode(cut ? value.subarray(0, inputLimit) : value)
  return sketchOfText(text, cut, maxChars)
}

function sketchOfText(text: string, cut: boolean, maxChars: number): string {
  const parsed = cut ? undefined : parse(text)
  // JSON in a JSON string: the shape inside is the one of interest.
  if (typeof parsed === 'string' && /^\s*[[{]/.test(parsed)) {
    return `"${sketchOfText(parsed, parsed.length > inputLimit, Math.max(0, maxChars - 2))}"`
  }
  const keeps = parsed === undefined ? isKnownKey : isPlainKey
  let sketch = ''
  for (const [token] of text.matchAll(tokenPattern)) {
    if (sketch.length >= maxChars) break
    sketch += sketchOfToken(token, keeps)
  }
  return sketch.slice(0, maxChars)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// A quoted text with the colon that makes it a key, white space, a run of word characters, or any one other character.
const tokenPattern = /"[^"\\]*(?:\\.[^"\\]*)*(?:"(?:\s{0,100}:)?|\\?$)|\s+|[^\s"{}[\]:,]+|./gsu

const keyPattern = /^"([^"]*)"\s*:$/s

function sketchOfToken(token: string, keeps: (key: string) => boolean): string {
  if (/^\s/.test(token)) return ' '
  if (!token.startsWith('"')) return literals.has(token) ? token : masked(token)
  const key = keyPattern.exec(token)?.[1]
  if (key !== undefined) return keeps(key) ? `"${key}":` : `"${masked(key)}":`
  const closed = token.length > 1 && token.endsWith('"')
  return closed ? `"${masked(token.slice(1, -1))}"` : `"${masked(token.slice(1))}`
}

const literals = new Set(['true', 'false', 'null'])

function masked(text: string): string {
  let mask = ''
  for (let i = 0; i < text.length && i < stringLimit; i++) mask += maskOf(text.charCodeAt(i))
  return text.length > stringLimit ? `${mask}..` : mask
}

function maskOf(code: number): string {
  if (code >= 0x30 && code <= 0x39) return '0'
  if (code >= 0x41 && code <= 0x5a) return 'A'
  if (code >= 0x61 && code <= 0x7a) return 'a'
  if (code >= 0x21 && code <= 0x7e) return String.fromCharCode(code)
  return code === 0x20 ? ' ' : '?'
}
