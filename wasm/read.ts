// Recognises the records that the host has learnt, and says for each what it is.

import { pairOf } from './names'
import { lengths, mostValues, starts } from './frame'
import { isDigit, isHex, openBrace, skipBlanks } from './json'
import { beyondPlain, learnTree, predict, unpredicted } from './predict'
import { general, isUpstreamWatched, isWatched, kindBytes, kinds, mostSlots, numbers, order, path, scan, spans, unknownShape } from './scan'

/** By value what it is: the number of its pair of names, or one of the codes below zero. */
export const outcomesAt: usize = heap.alloc(mostValues * 4)
export const statusesAt: usize = heap.alloc(mostValues * 2)
/** Epoch milliseconds; 0 for a record without a time. */
export const timesAt: usize = heap.alloc(mostValues * 8)

// ---- shapes and plans ----

const mostShapes: usize = 1024
/** By shape: its kinds, and behind them the plan and the order of its objects. */
const shapeBytes: usize = mostSlots + 32
const shapes: usize = heap.alloc(mostShapes * shapeBytes)
let shapeCount = 0
let lastShape: usize = 0

export function forgetShapes(): void {
  shapeCount = 0
  lastShape = 0
}

/**
 * Teaches the shape of the value that was scanned last.
 *
 * @param verdict 0 for a record, else the code that all records of this shape get
 * @param names number of the pair of slots that hold tenant and API; equal for equal slots
 * @returns false when there is no more room
 */
export function addShape(verdict: i32, timeSlot: i32, statusSlot: i32, tenantSlot: i32, apiSlot: i32, names: i32): bool {
  if (shapeCount == <i32>mostShapes) return false
  const shape = shapes + <usize>shapeCount * shapeBytes
  shapeCount++
  memory.copy(shape, kinds, kindBytes)
  store<i32>(shape, verdict, mostSlots)
  store<i16>(shape, <i16>timeSlot, mostSlots + 4)
  store<i16>(shape, <i16>statusSlot, mostSlots + 6)
  store<i16>(shape, <i16>tenantSlot, mostSlots + 8)
  store<i16>(shape, <i16>apiSlot, mostSlots + 10)
  store<i32>(shape, names, mostSlots + 12)
  store<u64>(shape, order, mostSlots + 16)
  lastShape = 0
  return true
}

// @ts-ignore: decorator
@inline
function isShape(shape: usize): bool {
  if (load<u64>(shape, mostSlots + 16) != order) return false
  let differs = i8x16.splat(0)
  for (let i: usize = 0; i < kindBytes; i += 16) {
    differs = v128.or(differs, v128.xor(v128.load(kinds + i), v128.load(shape + i)))
  }
  return !v128.any_true(differs)
}

function findShape(): usize {
  if (lastShape != 0 && isShape(lastShape)) return lastShape
  for (let i = 0; i < shapeCount; i++) {
    const shape = shapes + <usize>i * shapeBytes
    if (isShape(shape)) {
      lastShape = shape
      return shape
    }
  }
  return 0
}

// ---- names ----

const scratch: usize = memory.data(512, 16)
let apiAt: usize = 0
let apiLength = 0
let tenantAt: usize = 0
let tenantLength = 0
/** The pair of slots that hold the names. */
let namesNow: u32 = 0
let templates = true
let longestValue = 0

export function setOptions(isTemplating: bool, longest: i32): void {
  templates = isTemplating
  longestValue = longest
}

// @ts-ignore: decorator
@inline
function nameOf(shape: usize): void {
  const tenantSlot = <i32>load<i16>(shape, mostSlots + 8)
  const apiSlot = <i32>load<i16>(shape, mostSlots + 10)
  namesNow = load<u32>(shape, mostSlots + 12)
  tenantLength = 0
  apiLength = 0
  if (tenantSlot >= 0) {
    tenantAt = <usize>load<u32>(spans + (<usize>tenantSlot << 3))
    tenantLength = load<i32>(spans + (<usize>tenantSlot << 3), 4)
  }
  if (apiSlot >= 0) {
    apiAt = <usize>load<u32>(spans + (<usize>apiSlot << 3))
    apiLength = load<i32>(spans + (<usize>apiSlot << 3), 4)
    if (load<u8>(kinds + apiSlot) == path) withoutIds(apiAt, apiLength)
  }
}

/**
 * Paths that differ in their query, in numbers or in UUIDs get the same label, so they are one name: numbers become 0 and
 * UUIDs zeros, which the host's templates read as what they were.
 */
function withoutIds(at: usize, length: i32): void {
  let out = scratch
  let segment = out
  let isNumber = true
  for (let i = 0; i < length; i++) {
    const c = load<u8>(at + i)
    // ? and #
    if (c == 0x3f || c == 0x23) break
    if (c == 0x2f) {
      out = endSegment(segment, out, isNumber)
      store<u8>(out++, c)
      segment = out
      isNumber = true
    } else {
      if (<u8>(c - 0x30) > 9) isNumber = false
      store<u8>(out++, c)
    }
  }
  out = endSegment(segment, out, isNumber)
  apiAt = scratch
  apiLength = <i32>(out - scratch)
}

const longestNumber: usize = 40
const uuidBytes: usize = 36

/** Where the segment ends when an id in it has been replaced. */
function endSegment(segment: usize, end: usize, isNumber: bool): usize {
  const length = end - segment
  if (!templates || length == 0) return end
  if (isNumber && length <= longestNumber) {
    store<u8>(segment, 0x30)
    return segment + 1
  }
  if (length == uuidBytes && isUuid(segment)) {
    for (let i: usize = 0; i < uuidBytes; i++) if (load<u8>(segment + i) != 0x2d) store<u8>(segment + i, 0x30)
  }
  return end
}

/** Eight, four, four, four and twelve hexadecimal digits, one of them below ten at least. */
function isUuid(at: usize): bool {
  let hasDigit = false
  for (let i: usize = 0; i < uuidBytes; i++) {
    const c = load<u8>(at + i)
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != 0x2d) return false
    } else {
      if (!isHex(c)) return false
      if (isDigit(c)) hasDigit = true
    }
  }
  return hasDigit
}

// ---- values ----

/** How well predictions have gone of late. */
let luck = 0
const mostLuck = 64
/** Where they mostly fail, one in so many records is tried. */
const triedOf = 32
let tries = 0

function prediction(start: usize, end: usize): i32 {
  if (luck == -mostLuck && ++tries % triedOf != 0) return unpredicted
  const found = predict(start, end)
  if (found == unpredicted) luck = max(luck - 1, -mostLuck)
  else luck = min(luck + 1, mostLuck)
  return found
}

/** Scans one value. What it is, with its status and its time noted under its number. */
export function read(i: usize): i32 {
  const length = load<i32>(lengths + (i << 2))
  if (length <= 0 || length > longestValue) return general
  const from = <usize>load<u32>(starts + (i << 2))
  const start = skipBlanks(from)
  if (load<u8>(start) != openBrace) return general
  const end = from + <usize>length
  const found = prediction(start, end)
  if (found == beyondPlain) return general
  if (found == unpredicted) {
    const trouble = scan(start, end)
    if (trouble != 0) return trouble
  }
  const shape = findShape()
  if (shape == 0) return unknownShape
  if (found == unpredicted) learnTree(start)
  const verdict = load<i32>(shape, mostSlots)
  if (verdict != 0) return verdict
  const timeSlot = <i32>load<i16>(shape, mostSlots + 4)
  const statusSlot = <i32>load<i16>(shape, mostSlots + 6)
  store<f64>(timesAt + (i << 3), timeSlot < 0 ? 0 : <f64>load<i64>(numbers + (<usize>timeSlot << 3)))
  const status = <i32>load<i64>(numbers + (<usize>statusSlot << 3))
  // Refused by the upstream alone: that is for the general decoder.
  if (isUpstreamWatched && !isWatched(status)) return general
  store<u16>(statusesAt + (i << 1), <u16>status)
  nameOf(shape)
  return pairOf(namesNow, tenantAt, tenantLength, apiAt, apiLength)
}

/** Reads the values from one number up to another and notes what each is. */
export function run(from: i32, to: i32): void {
  for (let i = from; i < to; i++) store<i32>(outcomesAt + (<usize>i << 2), read(i))
}

/** Whether `ratelimit` stands in the value, in any case. */
export function mentions(i: i32): bool {
  const start = <usize>load<u32>(starts + (<usize>i << 2))
  const end = start + <usize>max(0, load<i32>(lengths + (<usize>i << 2)))
  const toLower = i8x16.splat(0x20)
  // r at the beginning and l four bytes further; whatever has both is looked at closely.
  for (let at = start; at < end; at += 16) {
    const r = i8x16.eq(v128.or(v128.load(at), toLower), i8x16.splat(0x72))
    const l = i8x16.eq(v128.or(v128.load(at + 4), toLower), i8x16.splat(0x6c))
    let mask = i8x16.bitmask(v128.and(r, l))
    while (mask != 0) {
      const found = at + <usize>ctz(mask)
      mask &= mask - 1
      if (found + 9 > end) return false
      const word = load<u64>(found) | 0x2020202020202020
      // "ratelimi", then "t"
      if (word == 0x696d696c65746172 && (load<u8>(found + 8) | 0x20) == 0x74) return true
    }
  }
  return false
}
