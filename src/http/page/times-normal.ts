import type { PageAlert } from './answers.ts'
import { againstNormal } from './format.ts'

/** How many times the normal an alert sees; null for one that compares with a bound and knows no normal. */
export function timesNormal({ numbers }: Pick<PageAlert, 'numbers'>): string | null {
  return numbers.p_value === null ? null : againstNormal(numbers.observed, numbers.expected)
}
