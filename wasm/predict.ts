// Reads a record by what records like it looked like: between the values that change stands always the same text, and it
// is compared as a whole. It says the same as `scan` or nothing, and then `scan` reads the record.
//
// For each object there is a tree of the texts that were seen: a node is the text before a value, the type of the value,
// and what is to be noted of it. Objects that nobody looks into have trees as well, which are left when they do not fit.

import {
  closeBrace,
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
  skipLongString,
  skipScalar,
  skipString,
  stringStops,
} from './json'
import {
  addToOrder,
  array,
  general,
  findKey,
  isFalse,
  isNull,
  isTrue,
  kinds,
  noteNumber,
  noteText,
  number,
  object,
  objectAt,
  objectsAsked,
  resetKinds,
  roleOf,
  slotOf,
  text,
  top,
  trouble,
} from './scan'

// What stands behind the text of a node.
const holeNone: u8 = 0
const holeString: u8 = 1
const holeNumber: u8 = 2
/** An object with a tree. */
const holeObject: u8 = 3
/** An array. */
const holeContainer: u8 = 4
/** The object ends. */
const holeClose: u8 = 5

// What is noted of the value.
const noteNothing: u8 = 0
/** Its kind is always the same. */
const noteKind: u8 = 1
/** Its kind depends on what it says. */
const noteContent: u8 = 2

/** Text of a node; longer ones go on in the next. */
const longestText: usize = 48
const nodeBytes: usize = 96
// Where the parts of a node stand: the text, then for each 16 bytes of it which of them count.
const masksAt: usize = 48
const lengthAt: usize = 54
const holeAt: usize = 55
const slotAt: usize = 56
const noteAt: usize = 58
const kindAt: usize = 59
/** The node behind the value. */
const nextAt: usize = 60
/** The node to try where the text is another. */
const otherAt: usize = 64
/** The tree of an object. */
const insideAt: usize = 68
const isOrderedAt: usize = 72
/** Of an object: whether it is looked into. */
const isVisitedAt: usize = 73

const mostNodes: usize = 4096
/** Most texts at one place; more of them are not worth trying. */
const mostOthers = 6
const deepest: usize = 32

const tree: usize = heap.alloc(mostNodes * nodeBytes + 64)
let treeEnd: usize = tree
/** Where the address of the first node stands. */
const root: usize = memory.data(16, 16)
const stack: usize = memory.data(512, 16)

/** How many values may still be learnt from: those that never look the same must not cost more than reading them. */
let lessons = 0
const mostLessons = 4096

export const unpredicted = 0
export const predicted = 1
export const beyondPlain = 2

export function forgetTree(): void {
  lessons = mostLessons
  treeEnd = tree
  store<u32>(root, 0)
}

// @ts-ignore: decorator
@inline
function isText(node: usize, p: usize): bool {
  const first = <i32>load<u16>(node, masksAt)
  if ((i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(node))) & first) != first) return false
  const length = load<u8>(node, lengthAt)
  if (length <= 16) return true
  const second = <i32>load<u16>(node, masksAt + 2)
  if ((i8x16.bitmask(i8x16.eq(v128.load(p, 16), v128.load(node, 16))) & second) != second) return false
  if (length <= 32) return true
  const third = <i32>load<u16>(node, masksAt + 4)
  return (i8x16.bitmask(i8x16.eq(v128.load(p, 32), v128.load(node, 32))) & third) == third
}

/**
 * Reads the value; then `kinds`, `spans`, `numbers` and `order` are as after `scan`.
 *
 * @param p the brace that it begins with
 * @returns `predicted`; `beyondPlain` for one that `scan` would leave to the general decoder; `unpredicted` for one that is
 * not as others were, or not valid
 */
export function predict(p: usize, end: usize): i32 {
  let node = <usize>load<u32>(root)
  if (node == 0) return unpredicted
  resetKinds()
  const start = p
  let all = i8x16.splat(0)
  let depth: usize = 0
  // How deep the outermost object is that nobody looks into, where it begins, and what comes behind it.
  let unseenDepth: usize = 0
  let unseenStart: usize = 0
  let unseenNext: usize = 0
  forgetEscape()
  while (true) {
    while (node != 0 && !isText(node, p)) node = <usize>load<u32>(node, otherAt)
    if (node == 0) {
      if (unseenDepth == 0) return unpredicted
      if (load<u8>(unseenStart) != openBrace) return unpredicted
      p = skipContainer(unseenStart, end)
      if (p == 0) return unpredicted
      // What is in it was not looked at for letters beyond ASCII.
      all = v128.or(all, i8x16.splat(-128))
      if (hasEscape) forgetEscape()
      depth = unseenDepth - 1
      unseenDepth = 0
      node = unseenNext
      continue
    }
    p += <usize>load<u8>(node, lengthAt)
    const hole = load<u8>(node, holeAt)
    const note = load<u8>(node, noteAt)
    if (hole == holeString) {
      const from = p
      const v = v128.load(p)
      const w = v128.load(p, 16)
      all = v128.or(all, v128.or(v, w))
      const mask = stringStops(v) | (stringStops(w) << 16)
      const at = p + <usize>ctz(mask)
      if (mask != 0 && load<u8>(at) == quote) p = at + 1
      else {
        p = skipLongString(p, end)
        if (p == 0) return unpredicted
        for (let q = from + 32; q < p; q += 16) all = v128.or(all, v128.load(q))
      }
      if (note == noteContent) {
        if (p > end) return unpredicted
        if (!noteText(<usize>load<u16>(node, slotAt), from, <i32>(p - 1 - from))) return whyNot()
      } else if (hasEscape) forgetEscape()
    } else if (hole == holeNumber) {
      const from = p
      const v = v128.load(p)
      const digits = ctz(i8x16.bitmask(i8x16.gt_u(i8x16.sub(v, i8x16.splat(0x30)), i8x16.splat(9))) | 0x10000)
      const c = load<u8>(p + digits)
      // Whole numbers; what else there is is read step by step.
      if (digits > 0 && digits < 16 && (c == comma || c == closeBrace) && (digits == 1 || load<u8>(p) != 0x30)) p += digits
      else {
        if (!isDigit(load<u8>(p)) && load<u8>(p) != 0x2d) return unpredicted
        p = skipScalar(p)
        if (p == 0) return unpredicted
      }
      if (note == noteContent) {
        if (p > end) return unpredicted
        if (!noteNumber(<usize>load<u16>(node, slotAt), from, <i32>(p - from))) return whyNot()
      }
    } else if (hole == holeObject) {
      if (load<u8>(node, isOrderedAt) != 0) addToOrder(<usize>load<u16>(node, slotAt))
      if (depth == deepest) return unpredicted
      store<u32>(stack + (depth << 2), load<u32>(node, nextAt))
      depth++
      if (unseenDepth == 0 && load<u8>(node, isVisitedAt) == 0) {
        unseenDepth = depth
        unseenStart = p
        unseenNext = <usize>load<u32>(node, nextAt)
      }
      if (note == noteKind) store<u8>(kinds + <usize>load<u16>(node, slotAt), load<u8>(node, kindAt))
      node = <usize>load<u32>(node, insideAt)
      continue
    } else if (hole == holeClose) {
      if (unseenDepth == depth) unseenDepth = 0
      if (depth == 0) break
      depth--
      node = <usize>load<u32>(stack + (depth << 2))
      continue
    } else if (hole == holeContainer) {
      const from = p
      if (load<u8>(p) != openBracket) return unpredicted
      p = skipContainer(p, end)
      if (p == 0) return unpredicted
      if (hasEscape) forgetEscape()
      for (let q = from; q < p; q += 16) all = v128.or(all, v128.load(q))
    }
    if (note == noteKind) store<u8>(kinds + <usize>load<u16>(node, slotAt), load<u8>(node, kindAt))
    node = <usize>load<u32>(node, nextAt)
  }
  if (p > end || skipBlanks(p) < end) return unpredicted
  return i8x16.bitmask(all) == 0 || isUtf8(start, end) ? predicted : unpredicted
}

/** After a value that could not be noted: all before it was as `scan` has read it before, so `scan` would end here too. */
function whyNot(): i32 {
  return trouble == general ? beyondPlain : unpredicted
}

// ---- learning ----

/** Notes what a record looks like that `scan` has read without trouble. */
export function learnTree(p: usize): void {
  if (lessons == 0) return
  lessons--
  learnObject(p, root, top, 0)
}

/** Where the text of the next node begins. */
let textStart: usize = 0

/**
 * Walks through an object and sees to it that its tree has all of it.
 *
 * @param link where the address of the first node of its tree stands
 * @param program the object's entry in `nodes`; 0 for one that is not looked into
 * @returns the address behind it, or 0 where there was no more room
 */
function learnObject(p: usize, link: usize, program: usize, depth: usize): usize {
  textStart = p
  p = skipBlanks(p + 1)
  while (load<u8>(p) != closeBrace) {
    const key = p + 1
    p = skipString(key, <usize>-1)
    const entry = program == 0 ? 0 : findKey(program, key, <i32>(p - 1 - key))
    p = skipBlanks(skipBlanks(p) + 1)
    p = learnValue(p, link, program, entry, depth)
    if (p == 0) return 0
    link = nextLink
    p = skipBlanks(p)
    if (load<u8>(p) == comma) p = skipBlanks(p + 1)
  }
  p++
  return nodeAt(link, p, holeClose) == 0 ? 0 : p
}

/** Where the address of the node that comes next stands. */
let nextLink: usize = 0

function learnValue(p: usize, link: usize, program: usize, entry: usize, depth: usize): usize {
  const c = load<u8>(p)
  const slot: usize = entry == 0 ? 0 : slotOf(entry)
  const isAsked = entry != 0 && roleOf(slot) != 0
  let node: usize
  let kind: u8
  let after: usize
  if (c == quote) {
    node = nodeAt(link, p + 1, holeString)
    after = skipString(p + 1, <usize>-1)
    kind = text
  } else if (c == openBrace) {
    if (depth + 1 == deepest) return 0
    node = nodeAt(link, p, holeObject)
    if (node == 0) return 0
    const inside = entry == 0 ? 0 : objectAt(slot)
    store<u8>(node, entry != 0 && objectsAsked(program) ? 1 : 0, isOrderedAt)
    store<u8>(node, inside != 0 ? 1 : 0, isVisitedAt)
    after = learnObject(p, node + insideAt, inside, depth + 1)
    // An object that nobody looks into need not be known to its end.
    if (after == 0 && inside == 0) after = skipContainer(p, <usize>-1)
    if (after == 0) return 0
    kind = object
  } else if (c == openBracket) {
    node = nodeAt(link, p, holeContainer)
    after = skipContainer(p, <usize>-1)
    kind = array
  } else if (isDigit(c) || c == 0x2d) {
    node = nodeAt(link, p, holeNumber)
    after = skipScalar(p)
    kind = number
  } else {
    after = skipScalar(p)
    node = nodeAt(link, after, holeNone)
    kind = c == 0x74 ? isTrue : c == 0x66 ? isFalse : isNull
  }
  if (node == 0) return 0
  const isContent = isAsked && (kind == text || kind == number)
  store<u16>(node, <u16>slot, slotAt)
  store<u8>(node, kind, kindAt)
  store<u8>(node, entry == 0 ? noteNothing : isContent ? noteContent : noteKind, noteAt)
  textStart = after
  nextLink = node + nextAt
  return after
}

/** The node whose text begins at `textStart` and ends before `end`, made if there is none; 0 where there is no room. */
function nodeAt(link: usize, end: usize, hole: u8): usize {
  while (end - textStart > longestText) {
    const part = nodeOf(link, textStart, longestText, holeNone)
    if (part == 0) return 0
    textStart += longestText
    link = part + nextAt
  }
  return nodeOf(link, textStart, end - textStart, hole)
}

function nodeOf(link: usize, at: usize, length: usize, hole: u8): usize {
  let others = 0
  let place = link
  let node = <usize>load<u32>(link)
  for (; node != 0; node = <usize>load<u32>(link)) {
    const known = <usize>load<u8>(node, lengthAt)
    if (known == length && load<u8>(node, holeAt) == hole && isText(node, at)) return node
    link = node + otherAt
    // Longer texts come first: a shorter one may be how they begin.
    if (known >= length) place = link
    if (++others == mostOthers) return 0
  }
  if (treeEnd == tree + mostNodes * nodeBytes) return 0
  node = treeEnd
  treeEnd += nodeBytes
  memory.fill(node, 0, nodeBytes)
  memory.copy(node, at, length)
  const mask: u64 = (<u64>1 << <u64>length) - 1
  store<u16>(node, <u16>mask, masksAt)
  store<u16>(node, <u16>(mask >> 16), masksAt + 2)
  store<u16>(node, <u16>(mask >> 32), masksAt + 4)
  store<u8>(node, <u8>length, lengthAt)
  store<u8>(node, hole, holeAt)
  store<u32>(node, load<u32>(place), otherAt)
  store<u32>(place, <u32>node)
  return node
}
