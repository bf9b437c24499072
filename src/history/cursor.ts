/*
 * Where a page of rows ended: the sort key of its last row, as base64url of a JSON list. Rows that come or expire
 * meanwhile shift nothing, as they would with a count of rows passed over.
 */

/** A part of a sort key, with the type the query gives it. */
export type CursorPart = number | string

/** @param shape what each part is */
export type CursorShape = readonly ('number' | 'string')[]

export function writeCursor(parts: readonly CursorPart[]): string {
  return Buffer.from(JSON.stringify(parts), 'utf8').toString('base64url')
}

/** The parts of a cursor; null for a text that is none of this shape. */
export function readCursor(text: string, shape: CursorShape): readonly CursorPart[] | null {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return null
  }
  if (!Array.isArray(value) || value.length !== shape.length) return null
  const fits = shape.every((kind, at) => {
    const part: unknown = value[at]
    return typeof part === kind && (kind === 'string' || (Number.isSafeInteger(part) && Number(part) >= 0))
  })
  return fits ? (value as readonly CursorPart[]) : null
}
