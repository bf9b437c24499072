// What has been counted and not yet been fetched by the host: one cell for each account, slice and pair of names.

/** Most cells; the host fetches them before there are more. */
export const mostCells: u32 = 32_768
export const cellBytes: usize = 32
/** By cell, four bytes each: account, slice, pair, requests, those answered below 300, with 4xx, with 5xx, and late ones. */
export const cells: usize = heap.alloc(<usize>mostCells * cellBytes)

const fewestPlaces: u32 = 1024
/** Number of the cell plus one, found by open addressing; at most half full. */
const places: usize = heap.alloc(<usize>mostCells * 2 * 4)
memory.fill(places, 0, <usize>mostCells * 2 * 4)
let mask: u32 = fewestPlaces - 1
let count: u32 = 0

export function cellCount(): u32 {
  return count
}

/** Forgets all cells. The next time there will be about as many. */
export function clearCells(): void {
  memory.fill(places, 0, (<usize>mask + 1) * 4)
  if (count * 8 < mask && mask >= fewestPlaces) mask >>= 1
  count = 0
}

// @ts-ignore: decorator
@inline
function spread(account: u32, slice: u32, pair: u32): u32 {
  const mixed = (<u64>pair ^ (<u64>slice << 24) ^ (<u64>account << 52)) * 0x9e3779b97f4a7c15
  return <u32>(mixed >> 36)
}

/** The cell, made if there is none. */
// @ts-ignore: decorator
@inline
export function cellOf(account: u32, slice: u32, pair: u32): usize {
  let place = spread(account, slice, pair) & mask
  while (true) {
    const number = load<u32>(places + (<usize>place << 2))
    if (number == 0) return make(place, account, slice, pair)
    const cell = cells + <usize>(number - 1) * cellBytes
    if (load<u32>(cell, 8) == pair && load<u32>(cell, 4) == slice && load<u32>(cell) == account) return cell
    place = (place + 1) & mask
  }
}

function make(place: u32, account: u32, slice: u32, pair: u32): usize {
  const cell = cells + <usize>count * cellBytes
  count++
  store<u32>(places + (<usize>place << 2), count)
  v128.store(cell, i8x16.splat(0))
  v128.store(cell, i8x16.splat(0), 16)
  store<u32>(cell, account)
  store<u32>(cell, slice, 4)
  store<u32>(cell, pair, 8)
  if (count * 2 > mask) spreadAnew()
  return cell
}

function spreadAnew(): void {
  memory.fill(places, 0, (<usize>mask + 1) * 4)
  const most = mostCells * 2 - 1
  mask = min(mask * 4 + 3, most)
  for (let number: u32 = 1; number <= count; number++) {
    const cell = cells + <usize>(number - 1) * cellBytes
    let place = spread(load<u32>(cell), load<u32>(cell, 4), load<u32>(cell, 8)) & mask
    while (load<u32>(places + (<usize>place << 2)) != 0) place = (place + 1) & mask
    store<u32>(places + (<usize>place << 2), number)
  }
}
