import { noGroup } from './grouping.ts'
import { noLevel } from './levels.ts'
import { type Memo, type Reading, uncounted } from './reading.ts'
import type { Rule } from './rule.ts'
import { spanText } from './span.ts'

/** The alert of a rule that says when it has no input. */
export const noDataKey = 'no_data'

/** What a rule with `no_data: alert` reads of an input that is stale, or fresh again. */
export function silent({ name }: Rule, staleForMs: number | null): Reading {
  const silence = spanText(staleForMs ?? 0)
  return {
    ...uncounted,
    key: noDataKey,
    labels: {},
    group: noGroup,
    met: staleForMs !== null,
    calm: staleForMs === null,
    value: (staleForMs ?? 0) / 1000,
    facts: staleForMs === null ? [] : [{ label: 'No input', text: `for ${silence}` }],
    words: {
      now: `${name} has had no input for ${silence} and cannot judge`,
      calm: `${name} has input again`,
      over: `${name} has input again`,
    },
  }
}

/** What a rule with `no_data: ok` reads of an alert while nothing comes in. */
export function calmed({ key, memo }: { key: string; memo: Memo | null }, rule: Rule): Reading {
  const text = `Nothing comes in, which ${rule.name} takes for calm`
  return {
    ...uncounted,
    key,
    labels: {},
    group: noGroup,
    met: false,
    calm: true,
    value: 0,
    windowMs: rule.windowMs,
    memo,
    levels: noLevel,
    words: { now: text, calm: text, over: `${text}: it ended` },
  }
}
