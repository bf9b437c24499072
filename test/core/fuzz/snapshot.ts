import type { Range } from '../../../src/history/range.ts'

/** What a world has come to. */
export interface Snapshot {
  readonly ranges: readonly Range[]
  /** The order of these rows means nothing. */
  readonly rows: Readonly<Record<string, readonly unknown[]>>
  readonly rest: object
}

/** Where two worlds differ, with what stands around it; null when they are the same. */
export function differenceBetween(expected: Snapshot, found: Snapshot): string | null {
  // Nearly all are the same to the letter, and to sort their rows costs several times as much as this.
  if (JSON.stringify(expected) === JSON.stringify(found)) return null
  const [wanted, had] = [textOf(expected), textOf(found)]
  return wanted === had ? null : around(wanted, had)
}

/** The same for all that are the same but for the order of their rows. */
export function textOf({ ranges, rows, rest }: Snapshot): string {
  return JSON.stringify({
    ranges: ranges.map((range) => ({ ...range, rollups: sorted(range.rollups) })),
    ...Object.fromEntries(Object.entries(rows).map(([name, some]) => [name, sorted(some)])),
    ...rest,
  })
}

function sorted(rows: readonly unknown[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row)).sort()
}

function around(expected: string, found: string): string {
  let at = 0
  while (at < expected.length && expected[at] === found[at]) at++
  const from = Math.max(0, at - 200)
  return `expected ...${expected.slice(from, at + 200)}... found ...${found.slice(from, at + 200)}...`
}
