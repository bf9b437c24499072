// Strict JSON over bytes in linear memory: every function takes the address of a value and gives the address behind it,
// or 0 when it is no JSON. Memory may be read up to 64 bytes past `end`; nothing past it is taken for part of a value.

export const quote: u8 = 0x22
export const backslash: u8 = 0x5c
export const comma: u8 = 0x2c
export const colon: u8 = 0x3a
export const openBrace: u8 = 0x7b
export const closeBrace: u8 = 0x7d
export const openBracket: u8 = 0x5b
export const closeBracket: u8 = 0x5d

/** Whether the string that was skipped last had an escape in it. The caller resets it. */
export let hasEscape = false

export function forgetEscape(): void {
  hasEscape = false
}

// @ts-ignore: decorator
@inline
export function skipBlanks(p: usize): usize {
  while (load<u8>(p) <= 0x20) {
    const c = load<u8>(p)
    if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) return p
    p++
  }
  return p
}

const stops: usize = memory.data(48, 16)
v128.store(stops, i8x16.splat(0x22))
v128.store(stops, i8x16.splat(0x5c), 16)
v128.store(stops, i8x16.splat(0x1f), 32)

/** The bytes of 16 at which a string ends or is no longer plain: a quote, a backslash, or a control character. */
// @ts-ignore: decorator
@inline
export function stringStops(v: v128): i32 {
  const ends = v128.or(i8x16.eq(v, v128.load(stops)), i8x16.eq(v, v128.load(stops, 16)))
  return i8x16.bitmask(v128.or(ends, i8x16.eq(i8x16.min_u(v, v128.load(stops, 32)), v)))
}

/** @param p behind the opening quote; gives the address behind the closing one */
// @ts-ignore: decorator
@inline
export function skipString(p: usize, end: usize): usize {
  const mask = stringStops(v128.load(p))
  // Most strings are short, and have no escape.
  if (mask != 0) {
    const at = p + <usize>ctz(mask)
    if (load<u8>(at) == quote) return at + 1
  }
  return skipLongString(p, end)
}

export function skipLongString(p: usize, end: usize): usize {
  while (p < end) {
    const mask = stringStops(v128.load(p))
    if (mask == 0) {
      p += 16
      continue
    }
    p += <usize>ctz(mask)
    const c = load<u8>(p)
    if (c == quote) return p + 1
    if (c != backslash) return 0
    p = skipEscape(p + 1)
    if (p == 0) return 0
  }
  return 0
}

function skipEscape(p: usize): usize {
  hasEscape = true
  const c = load<u8>(p)
  // 'u'
  if (c == 0x75) {
    for (let i: usize = 1; i <= 4; i++) if (!isHex(load<u8>(p + i))) return 0
    return p + 5
  }
  // One of " \ / b f n r t
  if (c == quote || c == backslash || c == 0x2f || c == 0x62 || c == 0x66 || c == 0x6e || c == 0x72 || c == 0x74) return p + 1
  return 0
}

// @ts-ignore: decorator
@inline
export function isDigit(c: u8): bool {
  return <u8>(c - 0x30) <= 9
}

export function isHex(c: u8): bool {
  return isDigit(c) || <u8>((c | 0x20) - 0x61) <= 5
}

/** A number, `true`, `false` or `null`. */
// @ts-ignore: decorator
@inline
export function skipScalar(p: usize): usize {
  const c = load<u8>(p)
  if (isDigit(c) || c == 0x2d) return skipNumber(p)
  const word = load<u32>(p)
  if (word == 0x65757274 || word == 0x6c6c756e) return p + 4
  if (word == 0x736c6166 && load<u8>(p + 4) == 0x65) return p + 5
  return 0
}

function skipNumber(p: usize): usize {
  if (load<u8>(p) == 0x2d) p++
  const first = load<u8>(p)
  if (!isDigit(first)) return 0
  p++
  if (first != 0x30) while (isDigit(load<u8>(p))) p++
  if (load<u8>(p) == 0x2e) {
    p++
    if (!isDigit(load<u8>(p))) return 0
    while (isDigit(load<u8>(p))) p++
  }
  if ((load<u8>(p) | 0x20) == 0x65) {
    p++
    const sign = load<u8>(p)
    if (sign == 0x2b || sign == 0x2d) p++
    if (!isDigit(load<u8>(p))) return 0
    while (isDigit(load<u8>(p))) p++
  }
  return p
}

/** As u16, the first byte below: `:"` and `,"`. */
const colonQuote: u16 = 0x223a
const commaQuote: u16 = 0x222c

/** A key, and before it as many members with a text as follow each other without a blank: headers are nothing else. */
// @ts-ignore: decorator
@inline
function skipPairs(p: usize, end: usize): usize {
  while (true) {
    p = skipString(p + 1, end)
    if (p == 0 || load<u16>(p) != colonQuote) return p
    const value = skipString(p + 2, end)
    if (value == 0) return 0
    // The last value of the object is read again by the caller, with what may stand behind it.
    if (load<u16>(value) != commaQuote) return p
    p = value + 1
  }
}

const deepest = 60

/** An object or an array with all that is in it. Deeper than 60 levels is left to the general decoder. */
export function skipContainer(p: usize, end: usize): usize {
  // One bit for each level: whether it is an object.
  let objects: u64 = load<u8>(p) == openBrace ? 1 : 0
  let depth = 1
  let isFirst = true
  p++
  while (p < end) {
    p = skipBlanks(p)
    let c = load<u8>(p)
    const isClosed = isFirst && c == ((objects & 1) != 0 ? closeBrace : closeBracket)
    if (!isClosed) {
      if ((objects & 1) != 0) {
        if (c != quote) return 0
        p = skipPairs(p, end)
        if (p == 0) return 0
        p = skipBlanks(p)
        if (load<u8>(p) != colon) return 0
        p = skipBlanks(p + 1)
        c = load<u8>(p)
      }
      if (c == quote) p = skipString(p + 1, end)
      else if (c == openBrace || c == openBracket) {
        if (++depth > deepest) return 0
        objects = (objects << 1) | (c == openBrace ? 1 : 0)
        isFirst = true
        p++
        continue
      } else p = skipScalar(p)
      if (p == 0) return 0
    }
    // Behind a value: a comma, or the ends of one or more containers.
    while (true) {
      p = skipBlanks(p)
      c = load<u8>(p++)
      if (c == comma) break
      if (c != ((objects & 1) != 0 ? closeBrace : closeBracket)) return 0
      objects >>= 1
      if (--depth == 0) return p
    }
    isFirst = false
  }
  return 0
}

/** Whether all bytes are valid UTF-8. Source of the ranges: the Unicode Standard, table 3-7. */
export function isUtf8(p: usize, end: usize): bool {
  while (p < end) {
    const beyond = i8x16.bitmask(v128.load(p))
    if (beyond == 0) {
      p += 16
      continue
    }
    p += <usize>ctz(beyond)
    if (p >= end) return true
    const c = load<u8>(p)
    let more: usize = 0
    let low: u8 = 0x80
    let high: u8 = 0xbf
    if (c >= 0xc2 && c <= 0xdf) more = 1
    else if (c >= 0xe0 && c <= 0xef) {
      more = 2
      if (c == 0xe0) low = 0xa0
      else if (c == 0xed) high = 0x9f
    } else if (c >= 0xf0 && c <= 0xf4) {
      more = 3
      if (c == 0xf0) low = 0x90
      else if (c == 0xf4) high = 0x8f
    } else return false
    if (p + more >= end) return false
    const second = load<u8>(p + 1)
    if (second < low || second > high) return false
    for (let i: usize = 2; i <= more; i++) if ((load<u8>(p + i) & 0xc0) != 0x80) return false
    p += more + 1
  }
  return true
}
