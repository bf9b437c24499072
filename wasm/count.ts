// Counts what is recognised, for as long as the host is not needed: it says on what terms, and fetches the cells.

import { cellCount, cellOf, mostCells } from './cells'
import { arrivals } from './frame'
import { find, isKnown, isToBeAsked, lastCell } from './names'
import { mentions, outcomesAt, read, statusesAt, timesAt } from './read'
import { isWatched } from './scan'

/** Why counting has stopped at a value. The same numbers as `stop` in src/core/engine.ts. */
const stopEnd = 0
/** It was not recognised, or its time is not to be taken as it stands: for the general decoder. */
const stopDecode = 1
/** The host does not know its pair of names. */
const stopPair = 2
/** It lies further ahead than the windows hold. */
const stopAhead = 3
/** It was counted, and the host must look at the range, or at the value. */
const stopTaken = 4
/** Its status is watched, and it was not put aside. */
const stopRefused = 5

const skipped = -3
const sliceMs: f64 = 10_000
/** See src/time/event-time.ts: what `isPlainStamp` knows. */
const skewMs: f64 = 60_000
const oldLimitMs: f64 = 90 * 86_400_000
const earliestMs: f64 = 1_262_304_000_000

/**
 * What holds for what is counted next, eight bytes each: now, the slice from which on the windows hold none, from and up
 * to which slice one is late, from and up to which time the days of the range are known, how many cells may be made.
 */
export const terms: usize = memory.data(64, 16)
/** What was counted since the host has cleared it: requests, skipped values, newest time, least and greatest event time. */
export const tallies: usize = memory.data(64, 16)

/** Numbers of the values with a watched status that wait for the host: to look at several at a time costs it less. */
export const refused: usize = memory.data(1024, 16)
const mostRefused = 256
export let refusedCount = 0
/** How many rows one of them may make. */
const refusedRows: u32 = 2

export function clearRefused(): void {
  refusedCount = 0
}

let asks = false
let account: u32 = 0
let cellLimit: u32 = 0
/** The value that was read last and not counted; -1 for none. */
let waiting = -1
/** Whether the next value is counted though its pair is not known. */
let allowed = false
export let stopped = 0
export let mentioned = false

export function setTerms(isAsking: bool, accountNow: u32): void {
  asks = isAsking
  account = accountNow
  // What was put aside makes rows as well.
  const room = max(load<f64>(terms, 48) - <f64>(<u32>refusedCount * refusedRows), 0)
  const most = <f64>(mostCells - 1)
  cellLimit = <u32>min(<f64>cellCount() + room, most)
}

/** To be called for each chunk. */
export function begin(): void {
  waiting = -1
  allowed = false
  refusedCount = 0
}

/** The value at which it has stopped for its pair is counted, this once. */
export function allowPair(): void {
  allowed = true
}

export function clearTallies(): void {
  for (let at: usize = 0; at < 24; at += 8) store<f64>(tallies + at, 0)
  store<f64>(tallies, Infinity, 24)
  store<f64>(tallies, -Infinity, 32)
}

/** Counts the values from one number up to another. @returns the value at which it stopped, or `to` */
export function count(from: i32, to: i32): i32 {
  const now = load<f64>(terms)
  const aheadFrom = load<f64>(terms, 8)
  const lateFrom = load<f64>(terms, 16)
  const lateTo = load<f64>(terms, 24)
  const spanFrom = load<f64>(terms, 32)
  const spanTo = load<f64>(terms, 40)
  let ok = load<f64>(tallies)
  let newest = load<f64>(tallies, 16)
  let least = load<f64>(tallies, 24)
  let greatest = load<f64>(tallies, 32)
  let i = from
  mentioned = false
  stopped = stopEnd
  for (; i < to; i++) {
    const isWaiting = i == waiting
    waiting = -1
    let pair: i32
    if (isWaiting) {
      pair = load<i32>(outcomesAt + (<usize>i << 2))
      find(pair)
    } else {
      pair = read(i)
      store<i32>(outcomesAt + (<usize>i << 2), pair)
    }
    if (pair < 0) {
      if (pair == skipped) {
        store<f64>(tallies, load<f64>(tallies, 8) + 1, 8)
        continue
      }
      stopped = stopDecode
      break
    }
    const stamped = load<f64>(timesAt + (<usize>i << 3))
    const arrived = load<f64>(arrivals + (<usize>i << 3))
    const trusted = arrived == 0 ? now : arrived
    let time = trusted
    if (stamped != 0) {
      time = stamped
      if (stamped < earliestMs || stamped > trusted + skewMs || (arrived != 0 && stamped < arrived - oldLimitMs)) {
        stopped = stopDecode
        break
      }
    }
    const slice = floor<f64>(time / sliceMs)
    if (slice >= aheadFrom) {
      waiting = i
      stopped = stopAhead
      newest = max(newest, min(time, trusted))
      break
    }
    const known = isKnown()
    if (!known && !allowed) {
      waiting = i
      stopped = stopPair
      break
    }
    allowed = false
    const status = load<u16>(statusesAt + (<usize>i << 1))
    if (isWatched(status)) {
      if (!known || refusedCount == mostRefused || time < spanFrom || time >= spanTo) {
        stopped = stopRefused
        break
      }
      store<i32>(refused + (<usize>refusedCount << 2), i)
      refusedCount++
      cellLimit = cellLimit > refusedRows ? cellLimit - refusedRows : 0
      if (cellCount() < cellLimit) continue
      stopped = stopTaken
      break
    }
    newest = max(newest, min(time, trusted))
    least = min(least, time)
    greatest = max(greatest, time)
    ok++
    const cell = cellOf(account, <u32>slice, <u32>pair, lastCell())
    store<u32>(cell, load<u32>(cell, 12) + 1, 12)
    if (status < 300) store<u32>(cell, load<u32>(cell, 16) + 1, 16)
    else if (status >= 400) {
      if (status < 500) store<u32>(cell, load<u32>(cell, 20) + 1, 20)
      else store<u32>(cell, load<u32>(cell, 24) + 1, 24)
    }
    if (slice >= lateFrom && slice < lateTo) store<u32>(cell, load<u32>(cell, 28) + 1, 28)
    if (asks && isToBeAsked(<u32>pair, <i32>slice, known) && mentions(i)) mentioned = true
    if (mentioned || time < spanFrom || time >= spanTo || cellCount() >= cellLimit) {
      stopped = stopTaken
      break
    }
  }
  store<f64>(tallies, ok)
  store<f64>(tallies, newest, 16)
  store<f64>(tallies, least, 24)
  store<f64>(tallies, greatest, 32)
  return i
}
