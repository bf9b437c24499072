import { Fault } from '../fault/fault.ts'
import { formatInstant } from '../time/instant.ts'
import { readCursor, writeCursor } from './cursor.ts'
import type { Param } from './database.ts'
import { cursorShapes, type Page, type Rows } from './query.ts'

/** What tells rows of one offset in several lanes apart. */
export const laneKey = 'hex(sipHash64(source, lane))'

/** A row with its time and its place in the order. */
export interface Placed {
  readonly time_ms: number
  /** The parts of its sort key, each as text. */
  readonly place: readonly string[]
}

/**
 * The part of a query that reads one page: rows in descending order of a key, from a cursor on.
 *
 * @param key what the rows are ordered by, in the types of the cursor
 * @throws Fault `argument-invalid` when the cursor is none of this list
 */
export function pageOf(
  { limit, after }: Page,
  list: keyof typeof cursorShapes,
  key: readonly string[],
): { place: string; where: string; params: Record<string, Param> } {
  const place = `[${key.map((part) => `toString(${part})`).join(', ')}] AS place`
  // One row more than is shown tells whether there is another page.
  if (after === undefined) return { place, where: '', params: { limit: limit + 1 } }
  const shape = cursorShapes[list]
  const parts = readCursor(after, shape)
  if (parts === null) throw new Fault('argument-invalid', 'the cursor is none of this list', { retryable: false })
  const types = shape.map((kind, at) => `{after${at}:${kind === 'number' ? 'UInt64' : 'String'}}`)
  const params = Object.fromEntries(parts.map((part, at) => [`after${at}`, part]))
  return { place, where: ` AND (${key.join(', ')}) < (${types.join(', ')})`, params: { ...params, limit: limit + 1 } }
}

type Shown<Row extends Placed> = { time: string } & Omit<Row, keyof Placed>

/** The rows of a page as they are answered, and where the next one begins. */
export function paged<Row extends Placed>(
  found: readonly Row[],
  { limit, list }: { readonly limit: number; readonly list: keyof typeof cursorShapes },
  shown: (row: Shown<Row>) => Shown<Row> = (row) => row,
): Rows<Shown<Row>> {
  const rows = found.slice(0, limit)
  const last = found.length > limit ? rows.at(-1) : undefined
  const partOf = (kind: 'number' | 'string', text = '') => (kind === 'number' ? Number(text) : text)
  return {
    rows: rows.map(({ time_ms, place, ...row }) => shown({ time: formatInstant(time_ms), ...row })),
    next: last === undefined ? null : writeCursor(cursorShapes[list].map((kind, at) => partOf(kind, last.place[at]))),
  }
}
