// Reads one value as one JSON object and looks only at the places (slots) that it was told of. What stands at them gives
// the shape of the record; a shape that was learnt has a plan, which says what the record is.
//
// The host owns the tables `slots`, `nodes` and `watched` (see src/core/wasm-engine.ts).

import {
  closeBrace,
  colon,
  comma,
  forgetEscape,
  hasEscape,
  isDigit,
  isUtf8,
  openBrace,
  openBracket,
  quote,
  skipBlanks,
  skipContainer,
  skipScalar,
  skipString,
} from './json'
import { findWord } from './names'
import { forgetTree } from './predict'
import { clfTime, countedTime, isoTime } from './time'

/** What stands at a slot. From `firstWord` on it is a word that the host has named. */
export const absent: u8 = 0
export const isNull: u8 = 1
export const isFalse: u8 = 2
export const isTrue: u8 = 3
export const object: u8 = 4
export const array: u8 = 5
export const number: u8 = 6
export const text: u8 = 7
export const time: u8 = 8
export const statusNumber: u8 = 9
export const statusText: u8 = 10
export const name: u8 = 11
export const nameNumber: u8 = 12
export const path: u8 = 13
export const blank: u8 = 14
export const otherStatus: u8 = 15

/** What a slot is for. */
const roleTime: u8 = 1
const roleStatus: u8 = 2
const roleName: u8 = 3
const roleWord: u8 = 4
const roleUpstream: u8 = 5

/** Why a record is not recognised. */
export const unknownShape = -1
/** For the general decoder, and nothing to be learnt. */
export const general = -2
export const unknownWord = -5
/** An object stands where none was before, in an object whose members matter. */
export const unknownObject = -6

export const mostSlots: usize = 128
const mostNodes: usize = 64
const longestName = 200
const longestPath = 400
const longestWord = 32

/** One byte a slot: what stands there. */
export const kinds: usize = memory.data(128, 16)
/** Eight bytes a slot: address and length of the raw value, without quotes. */
export const spans: usize = memory.data(1024, 16)
/** Eight bytes a slot: its time in epoch milliseconds, or its status. */
export const numbers: usize = memory.data(1024, 16)
/** Where the host looks for the word that it has no name for. */
export let wordSlot = 0
export let wordAt: usize = 0
export let wordLength = 0

/** In which order the objects stood in those objects whose members matter: a reader takes the first that has what it needs. */
export let order: u64 = 0

/** Bytes of `kinds` in use, a multiple of 16. */
export let kindBytes: usize = 16
/** Four bytes a slot: role, unit and notations of a time, -, number of the node inside plus one. */
export const slots: usize = memory.data(512, 16)
/** Twelve bytes a node: address of its table of keys, mask of it, whether objects at other keys matter. */
export const nodes: usize = memory.data(768, 16)
/** One byte for each status from 0 to 599: 1 where the host must look at the record. */
export const watched: usize = memory.data(600, 16)

export function setSlotCount(count: i32): void {
  forgetTree()
  kindBytes = (<usize>count + 15) & ~15
}

const stack: usize = memory.data(512, 16)

export function resetKinds(): void {
  for (let i: usize = 0; i < kindBytes; i += 16) v128.store(kinds + i, i8x16.splat(0))
  order = 0
  isUpstreamWatched = false
}

/** An object at a slot, in an object whose members matter. */
export function addToOrder(slot: usize): void {
  order = (order ^ <u64>(slot + 1)) * 0x9e3779b97f4a7c15
}

/** The entry of the top of a value among the objects that are looked into. */
export const top: usize = nodes

/** The entry of the object at a slot; 0 where it is not looked into. */
export function objectAt(slot: usize): usize {
  const inside = load<u8>(slots + (slot << 2), 3)
  return inside == 0 ? 0 : nodes + <usize>(inside - 1) * 12
}

export function objectsAsked(node: usize): bool {
  return load<u32>(node, 8) != 0
}

export function slotOf(entry: usize): usize {
  return <usize>load<u16>(entry, 6)
}

export function roleOf(slot: usize): u8 {
  return load<u8>(slots + (slot << 2))
}

/**
 * Reads the value; `kinds`, `spans` and `numbers` hold what was found. 0, or why it is not recognised.
 *
 * @param p the brace that it begins with
 */
export function scan(p: usize, end: usize): i32 {
  resetKinds()
  if (!isUtf8(p, end)) return general
  let node = top
  let depth = 0
  let isFirst = true
  forgetEscape()
  p++
  while (p < end) {
    p = skipBlanks(p)
    if (!isFirst || load<u8>(p) != closeBrace) {
      if (load<u8>(p) != quote) return general
      const key = p + 1
      p = skipString(key, end)
      // A key that is spelled with escapes may be one that matters.
      if (p == 0 || hasEscape) return general
      const entry = findKey(node, key, <i32>(p - 1 - key))
      p = skipBlanks(p)
      if (load<u8>(p) != colon) return general
      p = skipBlanks(p + 1)
      // What stands behind the end is another value.
      if (p >= end) return general
      if (entry == 0) {
        p = skipOther(p, end, node)
        if (p <= 1) return p == 1 ? unknownObject : general
      } else {
        const slot = slotOf(entry)
        // JSON.parse takes the last of several.
        if (load<u8>(kinds + slot) != absent) return general
        if (load<u8>(p) == openBrace && objectsAsked(node)) addToOrder(slot)
        const inside = objectAt(slot)
        if (inside != 0 && load<u8>(p) == openBrace) {
          if (depth == <i32>mostNodes) return general
          store<u8>(kinds + slot, object)
          store<u32>(stack + (<usize>depth << 2), <u32>node)
          depth++
          node = inside
          isFirst = true
          p++
          continue
        }
        p = readSlot(slot, p, end)
        if (p <= 1) return p == 1 ? unknownWord : general
      }
    }
    while (true) {
      p = skipBlanks(p)
      const c = load<u8>(p++)
      if (c == comma) break
      if (c != closeBrace) return general
      if (depth == 0) return skipBlanks(p) >= end && p <= end ? 0 : general
      depth--
      node = <usize>load<u32>(stack + (<usize>depth << 2))
    }
    isFirst = false
  }
  return general
}

/** A value at a key that nobody asks for; 1 where it is an object and objects matter, 0 when it is no JSON. */
// @ts-ignore: decorator
@inline
function skipOther(p: usize, end: usize, node: usize): usize {
  const c = load<u8>(p)
  if (c == quote) {
    p = skipString(p + 1, end)
    if (hasEscape) forgetEscape()
    return p
  }
  if (c == openBrace || c == openBracket) {
    if (c == openBrace && objectsAsked(node)) return 1
    p = skipContainer(p, end)
    if (hasEscape) forgetEscape()
    return p
  }
  return skipScalar(p)
}

/** Entry of the key in the node's table, or 0. Eight bytes: address of the key, its length, the slot. */
export function findKey(node: usize, key: usize, length: i32): usize {
  const table = <usize>load<u32>(node)
  const mask = load<u32>(node, 4)
  let i = keyHash(key, length) & mask
  while (true) {
    const entry = table + <usize>(i << 3)
    const at = <usize>load<u32>(entry)
    if (at == 0) return 0
    if (<i32>load<u16>(entry, 4) == length && isSame(at, key, length)) return entry
    i = (i + 1) & mask
  }
}

/** The same as `keyHash` in src/core/wasm-engine.ts, which fills the tables. */
// @ts-ignore: decorator
@inline
function keyHash(key: usize, length: i32): u32 {
  let h = load<u64>(key)
  if (length >= 8) h += load<u64>(key + length - 8) * 31
  else h &= (<u64>1 << (<u64>length << 3)) - 1
  return <u32>(((h + <u64>length) * 0x9e3779b97f4a7c15) >> 40)
}

/** Both sides may be read up to seven bytes further. */
// @ts-ignore: decorator
@inline
export function isSame(a: usize, b: usize, length: i32): bool {
  let i = 0
  for (; i + 8 <= length; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false
  return i == length || (load<u64>(a + i) ^ load<u64>(b + i)) << (<u64>(8 + i - length) << 3) == 0
}

/** Reads what stands at a slot: the address behind it, 1 for a word without a name, 0 for what the general decoder must read. */
function readSlot(slot: usize, p: usize, end: usize): usize {
  const c = load<u8>(p)
  const from = p
  if (c == quote) {
    p = skipString(p + 1, end)
    if (p == 0 || p > end) return 0
    if (noteText(slot, from + 1, <i32>(p - 2 - from))) return p
    return trouble == unknownWord ? 1 : 0
  }
  if (c == openBrace || c == openBracket) {
    store<u8>(kinds + slot, c == openBrace ? object : array)
    p = skipContainer(p, end)
    if (hasEscape) forgetEscape()
    return p
  }
  p = skipScalar(p)
  if (p == 0) return 0
  if (isDigit(c) || c == 0x2d) {
    if (noteNumber(slot, from, <i32>(p - from))) return p
    return trouble == unknownWord ? 1 : 0
  }
  store<u8>(kinds + slot, c == 0x74 ? isTrue : c == 0x66 ? isFalse : isNull)
  return p
}

/** Why a text or a number could not be noted. */
export let trouble = 0

/** Notes the text at a slot. @returns false for one that the general decoder must read */
export function noteText(slot: usize, from: usize, length: i32): bool {
  const escaped = hasEscape
  if (escaped) forgetEscape()
  const role = roleOf(slot)
  return note(slot, from, length, role == 0 ? text : textKind(slot, role, from, length, escaped))
}

/** The same for a number. */
export function noteNumber(slot: usize, from: usize, length: i32): bool {
  const role = roleOf(slot)
  return note(slot, from, length, role == 0 ? number : numberKind(slot, role, from, length))
}

// @ts-ignore: decorator
@inline
function note(slot: usize, from: usize, length: i32, kind: i32): bool {
  store<u32>(spans + (slot << 3), <u32>from)
  store<u32>(spans + (slot << 3), <u32>length, 4)
  trouble = kind
  if (kind < 0) return false
  store<u8>(kinds + slot, <u8>kind)
  return true
}

function textKind(slot: usize, role: u8, at: usize, length: i32, escaped: bool): i32 {
  if (role == roleWord) return wordKind(slot, at, length, 0)
  if (length == 0 || (length == 1 && load<u8>(at) == 0x2d)) return blank
  if (role == roleName) return nameKind(slot, at, length, escaped)
  if (role == roleTime) return timeKind(slot, at, length, true)
  const status = statusOf(at, length)
  if (role == roleStatus) {
    if (status == 0) return general
    store<i64>(numbers + (slot << 3), status)
    return statusText
  }
  return status != 0 ? upstreamKind(status) : wordKind(slot, at, length, 0)
}

function numberKind(slot: usize, role: u8, at: usize, length: i32): i32 {
  if (role == roleWord) return wordKind(slot, at, length, numberWord)
  if (role == roleTime) return timeKind(slot, at, length, false)
  if (role == roleName) {
    if (length > 15 || (load<u8>(at) == 0x30 && length > 1)) return general
    for (let i = 0; i < length; i++) if (!isDigit(load<u8>(at + i))) return general
    return nameNumber
  }
  const status = statusOf(at, length)
  if (role == roleStatus) {
    if (status == 0) return general
    store<i64>(numbers + (slot << 3), status)
    return statusNumber
  }
  return status != 0 ? upstreamKind(status) : wordKind(slot, at, length, numberWord)
}

/** Whether an upstream has answered with a status that is watched. */
export let isUpstreamWatched = false

export function isWatched(status: i32): bool {
  return load<u8>(watched + status) != 0
}

function upstreamKind(status: i32): i32 {
  if (isWatched(status)) isUpstreamWatched = true
  return otherStatus
}

/** A name as it stands. What is trimmed, cut or means nothing is left to the general decoder. */
function nameKind(slot: usize, at: usize, length: i32, escaped: bool): i32 {
  // 16 set: some names at this slot are no names.
  if ((load<u8>(slots + (slot << 2), 1) & 16) != 0 && length <= longestWord) {
    const word = findWord(slot, at, length)
    if (word != 0) return word
  }
  const first = load<u8>(at)
  if (first <= 0x20 || load<u8>(at + length - 1) <= 0x20) return general
  if (first == 0x2f || isUrl(at, length)) return escaped || length > longestPath ? general : path
  if (length > longestName || (length <= 7 && isBlankWord(at, length))) return general
  return name
}

function isUrl(at: usize, length: i32): bool {
  // http
  if (length < 7 || load<u32>(at) != 0x70747468) return false
  // :// or s://
  return (load<u32>(at + 4) & 0xffffff) == 0x2f2f3a || load<u32>(at + 4) == 0x2f2f3a73
}

/** `N/A`, `null`, `UNKNOWN`. */
function isBlankWord(at: usize, length: i32): bool {
  if (length == 3) return (load<u32>(at) & 0xffffff) == 0x412f4e
  if (length == 4) return load<u32>(at) == 0x6c6c756e
  return length == 7 && load<u32>(at) == 0x4e4b4e55 && (load<u32>(at + 3) & 0xffffffff) == 0x4e574f4e
}

function timeKind(slot: usize, at: usize, length: i32, isText: bool): i32 {
  const how = load<u8>(slots + (slot << 2), 1)
  const unit = how & 7
  const first = load<u8>(at)
  let ms: i64 = -1
  if (isText && length >= 20 && load<u8>(at + 4) == 0x2d) ms = (how & 32) != 0 ? isoTime(at, length) : -1
  else if (isText && length >= 20 && load<u8>(at + 2) == 0x2f) ms = (how & 64) != 0 ? clfTime(at, length) : -1
  else if (unit != 0 && isDigit(first)) ms = countedTime(at, length, unit, isText)
  if (ms < 0) return general
  store<i64>(numbers + (slot << 3), ms)
  return time
}

/** Three digits from 100 to 599; else 0. */
// @ts-ignore: decorator
@inline
function statusOf(at: usize, length: i32): i32 {
  if (length != 3) return 0
  const a = <i32>load<u8>(at) - 0x30
  const b = <i32>load<u8>(at + 1) - 0x30
  const c = <i32>load<u8>(at + 2) - 0x30
  if (a < 1 || a > 5 || b < 0 || b > 9 || c < 0 || c > 9) return 0
  return a * 100 + b * 10 + c
}

/** A number is another word than the text of its digits. */
const numberWord: usize = 0x8000

function wordKind(slot: usize, at: usize, length: i32, type: usize): i32 {
  if (length > longestWord) return general
  const word = findWord(slot | type, at, length)
  if (word != 0) return word
  wordSlot = <i32>(slot | type)
  wordAt = at
  wordLength = length
  return unknownWord
}
