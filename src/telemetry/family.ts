/** One metric with its points, as read at the moment of a scrape. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly points: readonly Point[]
}

export interface Point {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric with one value and no labels; a value of null leaves the point out: unknown is not zero. */
export function single(kind: Family['kind'], name: string, help: string, value: number | null): Family {
  return { name, help, kind, points: value === null ? [] : [{ labels: {}, value }] }
}
