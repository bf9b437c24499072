// What has been counted and not yet been fetched by the host: cells of an account, a slice and a pair of names. Each pair
// knows its last cell; where that is of another account or slice it gets a new one, so that one key may have several.

/** Most cells; the host fetches them before there are more. */
export const mostCells: u32 = 32_768
const cellBytes: usize = 32
/** By cell, four bytes each: account, slice, pair, requests, those answered below 300, with 4xx, with 5xx, and late ones. */
export const cells: usize = heap.alloc(<usize>mostCells * cellBytes)
let count: u32 = 0

export function cellCount(): u32 {
  return count
}

/** Forgets all cells. */
export function clearCells(): void {
  count = 0
}

/**
 * The cell to count in.
 *
 * @param last where the number of the pair's last cell stands; it may be of another pair by now
 */
// @ts-ignore: decorator
@inline
export function cellOf(account: u32, slice: u32, pair: u32, last: usize): usize {
  const number = load<u32>(last)
  const cell = cells + <usize>number * cellBytes
  if (number < count && load<u32>(cell, 8) == pair && load<u32>(cell, 4) == slice && load<u32>(cell) == account) return cell
  return make(account, slice, pair, last)
}

function make(account: u32, slice: u32, pair: u32, last: usize): usize {
  const cell = cells + <usize>count * cellBytes
  store<u32>(last, count)
  count++
  v128.store(cell, i8x16.splat(0))
  v128.store(cell, i8x16.splat(0), 16)
  store<u32>(cell, account)
  store<u32>(cell, slice, 4)
  store<u32>(cell, pair, 8)
  return cell
}
