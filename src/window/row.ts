/** So many neighbouring ids share a row. */
export const pageBits = 14
export const pageIds = 1 << pageBits
const shortestRow = 256

/**
 * The counts of one slice for the ids of one page, as short and as narrow as they fit: at a million series most slices
 * of most series count less than 256, and those that count more were mostly seen first and so lie in the first page.
 */
export type Row = Uint8Array | Uint16Array | Uint32Array

const mostIn = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff } as const

/** A row in which `at` has its place and `value` fits: the old one, or a wider or longer copy of it. */
export function rowFor(old: Row | null, at: number, value: number): Row {
  let width = old === null ? 1 : old.BYTES_PER_ELEMENT
  // What is below zero has no width: it wraps around, as the running sums do.
  while (width < 4 && (value < 0 || value > mostIn[width as 1 | 2])) width *= 2
  const length = Math.max(old?.length ?? 0, shortestRow, 2 ** Math.ceil(Math.log2(at + 1)))
  if (old !== null && width === old.BYTES_PER_ELEMENT && length === old.length) return old
  const row = emptyRow(width, length)
  if (old !== null) row.set(old)
  return row
}

/** @param width bytes of a count: 1, 2 or 4 */
export function emptyRow(width: number, length: number): Row {
  if (width === 1) return new Uint8Array(length)
  return width === 2 ? new Uint16Array(length) : new Uint32Array(length)
}

/** Adds a row to running sums, `from` being the place of its first id. */
export function addRow(sums: Uint32Array, from: number, row: Row): void {
  for (let at = 0; at < row.length; at++) sums[from + at] = (sums[from + at] ?? 0) + (row[at] ?? 0)
}

/** Adds a row to the running sums of all windows in one pass: nearly all of a slice that closes is zeros. */
export function addRowToAll(sums: readonly Uint32Array[], from: number, row: Row): void {
  for (let at = 0; at < row.length; at++) {
    const count = row[at] ?? 0
    if (count === 0) continue
    for (let w = 0; w < sums.length; w++) {
      const all = sums[w]
      if (all !== undefined) all[from + at] = (all[from + at] ?? 0) + count
    }
  }
}

/** Takes a row out of running sums. */
export function subtractRow(sums: Uint32Array, from: number, row: Row): void {
  for (let at = 0; at < row.length; at++) sums[from + at] = (sums[from + at] ?? 0) - (row[at] ?? 0)
}
