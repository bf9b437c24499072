// Times as gateways write them, in epoch milliseconds. Each function takes the bytes of one value, without quotes, and
// gives -1 for whatever is not written in exactly the plain way: the general decoder reads that.

import { isDigit } from './json'

// No plain time lies before 2001 or after 2096: a unit would have been mixed up.
const earliestMs: i64 = 1_000_000_000_000
const latestMs: i64 = 4_000_000_000_000

function inRange(ms: i64): i64 {
  return ms >= earliestMs && ms <= latestMs ? ms : -1
}

/**
 * Eight digits as a number, which the caller knows to be digits. Source: Daniel Lemire, "Quickly parsing eight digits".
 */
// @ts-ignore: decorator
@inline
function eightDigits(p: usize): i64 {
  const pairs = (load<u64>(p) & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8
  const fours = (pairs & 0x00ff00ff00ff00ff) * 6553601 >> 16
  return <i64>((fours & 0x0000ffff0000ffff) * 42949672960001 >> 32)
}

/** Digits as a number; -1 when one of them is none. */
// @ts-ignore: decorator
@inline
function digits(p: usize, count: i32): i64 {
  let value: i64 = 0
  let i = 0
  if (count >= 8 && areDigits(p)) {
    value = eightDigits(p)
    i = 8
  }
  for (; i < count; i++) {
    const d = load<u8>(p + i) - 0x30
    if (d > 9) return -1
    value = value * 10 + d
  }
  return value
}

/** Whether eight bytes are digits. */
// @ts-ignore: decorator
@inline
function areDigits(p: usize): bool {
  const bytes = load<u64>(p)
  return ((bytes & 0xf0f0f0f0f0f0f0f0) | (((bytes + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4)) == 0x3333333333333333
}

/**
 * A count since 1970: digits, for seconds also with a fraction of up to six.
 *
 * @param unit 1 milliseconds, 2 seconds, 3 microseconds, 4 nanoseconds (as text only: a JSON number cannot hold them)
 */
export function countedTime(p: usize, length: i32, unit: i32, isText: bool): i64 {
  const beyond = i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(p), i8x16.splat(0x30)), i8x16.splat(9)))
  let whole = min(length, <i32>ctz(beyond | 0x10000))
  while (whole < length && isDigit(load<u8>(p + whole))) whole++
  if (whole == 0 || whole > 19 || load<u8>(p) == 0x30) return -1
  if (whole < length) return unit == 2 ? secondsWithFraction(p, whole, length) : -1
  if (unit == 2) return whole <= 10 ? inRange(digits(p, whole) * 1000) : -1
  if (unit == 1) return whole <= 13 ? inRange(digits(p, whole)) : -1
  if (unit == 3) return whole == 16 ? inRange(digits(p, whole) / 1000) : -1
  return unit == 4 && isText && whole == 19 ? inRange(digits(p, whole - 6)) : -1
}

function secondsWithFraction(p: usize, whole: i32, length: i32): i64 {
  const decimals = length - whole - 1
  if (whole > 10 || load<u8>(p + whole) != 0x2e || decimals < 1 || decimals > 6) return -1
  let fraction = digits(p + whole + 1, decimals)
  if (fraction < 0) return -1
  for (let i = decimals; i < 3; i++) fraction *= 10
  for (let i = decimals; i > 3; i--) fraction /= 10
  return inRange(digits(p, whole) * 1000 + fraction)
}

/** Two digits as a number; one far below zero when one of them is none. */
// @ts-ignore: decorator
@inline
function twoDigits(p: usize): i32 {
  const a = <i32>load<u8>(p) - 0x30
  const b = <i32>load<u8>(p + 1) - 0x30
  return <u32>a > 9 || <u32>b > 9 ? -1_000_000 : a * 10 + b
}

/** The second that was read last, as text without its last byte and as milliseconds: records come nearly in order. */
const lastSecond: usize = memory.data(32, 16)
let lastSecondMs: i64 = -1

/** Milliseconds of `2026-10-05T08:15:36` as if it were UTC; -1 for no time. */
// @ts-ignore: decorator
@inline
function secondMs(p: usize): i64 {
  const isSame = i8x16.all_true(i8x16.eq(v128.load(p), v128.load(lastSecond))) && load<u32>(p, 15) == load<u32>(lastSecond, 15)
  return isSame && lastSecondMs >= 0 ? lastSecondMs : newSecondMs(p)
}

function newSecondMs(p: usize): i64 {
  lastSecondMs = -1
  if (load<u8>(p + 4) != 0x2d || load<u8>(p + 7) != 0x2d || load<u8>(p + 10) != 0x54) return -1
  const days = civilDays(twoDigits(p) * 100 + twoDigits(p + 2), twoDigits(p + 5), twoDigits(p + 8))
  const ofDay = clock(p + 11)
  if (days < 0 || ofDay < 0) return -1
  v128.store(lastSecond, v128.load(p))
  store<u32>(lastSecond, load<u32>(p, 15), 15)
  lastSecondMs = <i64>days * 86_400_000 + <i64>ofDay
  return lastSecondMs
}

/** `2026-10-05T08:15:36.042Z`, also with an offset such as `+02:00` and up to nine decimals. */
export function isoTime(p: usize, length: i32): i64 {
  if (length < 20 || length > 35) return -1
  const second = secondMs(p)
  if (second < 0) return -1
  let at = 19
  let ms = 0
  if (load<u8>(p + at) == 0x2e) {
    at++
    let decimals = 0
    while (at < length && isDigit(load<u8>(p + at))) {
      if (decimals < 3) ms = ms * 10 + (<i32>load<u8>(p + at) - 0x30)
      decimals++
      at++
    }
    if (decimals == 0 || decimals > 9) return -1
    for (let i = decimals; i < 3; i++) ms *= 10
  }
  const zone = zoneMinutes(p + at, length - at, true)
  return zone == noZone ? -1 : inRange(second + <i64>(ms - zone * 60_000))
}

/** The Common Log Format's `05/Oct/2026:08:15:36 +0000`. */
export function clfTime(p: usize, length: i32): i64 {
  if (length != 26 || load<u8>(p + 2) != 0x2f || load<u8>(p + 6) != 0x2f || load<u8>(p + 11) != 0x3a) return -1
  const month = monthNamed(p + 3)
  const days = month < 0 ? -1 : civilDays(twoDigits(p + 7) * 100 + twoDigits(p + 9), month, twoDigits(p))
  const ofDay = clock(p + 12)
  const zone = load<u8>(p + 20) == 0x20 ? zoneMinutes(p + 21, 5, false) : noZone
  if (days < 0 || ofDay < 0 || zone == noZone) return -1
  return inRange(<i64>days * 86_400_000 + <i64>(ofDay - zone * 60_000))
}

/** `08:15:36` in milliseconds; -1 for none. A leap second is left to the general decoder. */
function clock(p: usize): i32 {
  const hour = twoDigits(p)
  const minute = twoDigits(p + 3)
  const second = twoDigits(p + 6)
  if (load<u8>(p + 2) != 0x3a || load<u8>(p + 5) != 0x3a) return -1
  if (<u32>hour > 23 || <u32>minute > 59 || <u32>second > 59) return -1
  return ((hour * 60 + minute) * 60 + second) * 1000
}

const noZone = 99_999

/** `Z`, or an offset with a colon (ISO 8601) or without. */
function zoneMinutes(p: usize, length: i32, isIso: bool): i32 {
  const first = load<u8>(p)
  if (isIso && length == 1 && first == 0x5a) return 0
  if ((first != 0x2b && first != 0x2d) || length != (isIso ? 6 : 5)) return noZone
  if (isIso && load<u8>(p + 3) != 0x3a) return noZone
  const hours = twoDigits(p + 1)
  const minutes = twoDigits(p + (isIso ? 4 : 3))
  if (<u32>hours > 23 || <u32>minutes > 59) return noZone
  const total = hours * 60 + minutes
  return first == 0x2d ? -total : total
}

/** Days since 1970; -1 for a date that does not exist. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
function civilDays(year: i32, month: i32, day: i32): i32 {
  if (year < 2001 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return -1
  const y = month <= 2 ? year - 1 : year
  const era = y / 400
  const ofEra = y - era * 400
  const ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
}

function daysIn(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
}

/** 1 for January; -1 for no month. In any case, as the general decoder reads them. */
function monthNamed(p: usize): i32 {
  const name = (load<u8>(p) | 0x20) | (<u32>(load<u8>(p + 1) | 0x20) << 8) | (<u32>(load<u8>(p + 2) | 0x20) << 16)
  for (let i = 0; i < 12; i++) if (load<u32>(monthNames + (i << 2)) == name) return i + 1
  return -1
}

// jan feb mar apr may jun jul aug sep oct nov dec, each in four bytes.
const monthNames: usize = memory.data<u32>([
  0x6e616a, 0x626566, 0x72616d, 0x727061, 0x79616d, 0x6e756a, 0x6c756a, 0x677561, 0x706573, 0x74636f, 0x766f6e, 0x636564,
])
