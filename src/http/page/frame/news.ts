import type { PageAlert } from '../answers.ts'
import { broadestFirst } from '../urgency.ts'

/** One firing: the same alert that fires again later is news again. */
export function fresh({ fingerprint, since }: Pick<PageAlert, 'fingerprint' | 'since'>): string {
  return `${fingerprint} ${since}`
}

/** New alerts as one short sentence; of many only the first is read out. */
export function newsOf(begun: readonly PageAlert[]): string {
  const first = broadestFirst(begun)[0]
  if (first === undefined) return ''
  const summary = first.annotations['summary'] ?? first.rule
  return begun.length === 1 ? `New alert: ${summary}` : `${begun.length} new alerts. The first: ${summary}`
}
