/** A range that is mostly from before the first record is cut down to this part of it, at least. */
const leastPart = 1 / 12
/** Room before the first record, as a part of what is shown. */
const room = 1 / 10

/** What a chart shows of a range. Epoch seconds. */
export interface SpanShown {
  readonly span: readonly [number, number]
  /** The first record, where the range was cut because there is nothing before it. */
  readonly begins: number | null
}

/**
 * Shows less than the range where most of it lies before the first record, as in a daemon's first hours; a span that
 * the reader picked is shown as it is.
 *
 * @param times columns, epoch seconds, ascending
 * @param known whether a column has data
 */
export function spanShown(
  range: { readonly from: string; readonly to: string },
  times: readonly number[],
  known: (column: number) => boolean,
  picked: boolean,
): SpanShown {
  const from = Date.parse(range.from) / 1_000
  const to = Date.parse(range.to) / 1_000
  const first = times[times.findIndex((_, column) => known(column))]
  if (picked || first === undefined || first - from < (to - from) / 2) return { span: [from, to], begins: null }
  const length = Math.max((to - first) * (1 + room), (to - from) * leastPart)
  return { span: [to - length, to], begins: first }
}
