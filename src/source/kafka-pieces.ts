import type { Records } from './kafka-records.ts'
import type { Batch, Packed, Unreadable } from './source.ts'

/**
 * What a fetch brought, in batches that follow each other without a gap: whole record batches, as many as make up
 * `bytesEach` or so. Whoever takes one is not kept from everything else for long.
 *
 * @param from the offset that was asked for
 */
export function* piecesOf({ packed, next, unreadable }: Records, from: number, bytesEach: number): Generator<Batch> {
  let lo = from
  let bytes = 0
  let piece: Packed[] = []
  let missing = 0
  for (const one of packed) {
    const { framing } = one
    const base = framing.kind === 'records' ? framing.base : framing.offset
    if (bytes >= bytesEach && base > lo) {
      const until = untilAt(unreadable, missing, base)
      yield { lo, hi: base - 1, values: [], packed: piece, unreadable: unreadable.slice(missing, until) }
      missing = until
      lo = base
      bytes = 0
      piece = []
    }
    piece.push(one)
    bytes += one.bytes.length
  }
  if (next > lo) yield { lo, hi: next - 1, values: [], packed: piece, unreadable: unreadable.slice(missing) }
}

/** Where those that lie below an offset end. */
function untilAt(unreadable: readonly Unreadable[], from: number, below: number): number {
  let until = from
  while ((unreadable[until]?.lo ?? below) < below) until++
  return until
}
