import { basename } from 'node:path'
import { z } from 'zod'
import { severities } from '../../alert/alert.ts'
import { ruleSource } from '../../alert/rule-source.ts'
import { Fault } from '../../fault/fault.ts'
import { formatDuration } from '../../time/duration.ts'
import { formatInstant } from '../../time/instant.ts'
import { count, labels, time } from '../answers.ts'
import type { HttpDeps } from '../deps.ts'
import { endpoint } from '../endpoint.ts'
import { ruleSentence } from './rule-sentence.ts'

const ruleAnswer = z.object({
  name: z.string(),
  type: z.string().describe('The type of its condition; all or any where it has several.'),
  severity: z.enum(severities).describe('Where levels do not decide it.'),
  mode: z.enum(['live', 'shadow']),
  summary: z.string().nullable().describe('The template of its summary; null where Tollwatch words it.'),
  expr_text: z.string().describe('When it fires, as one sentence.'),
  group_by: z.array(z.string()),
  window: z.string(),
  for: z.string(),
  file: z.string(),
  line: count,
  group: z.string(),
  firing: count,
  pending: count,
  labels,
  annotations: labels.describe('Templates.'),
  status: z.array(z.string()).describe('What it has seen so far, and why it is silent where it must be.'),
  last_fired: time.nullable().describe('From history; null where it never did.'),
  yaml: z.string().nullable().describe('Its text as a file of its own; only where one rule is asked for by name.'),
})

export const rules = endpoint(
  {
    method: 'GET',
    path: '/api/v1/rules',
    summary: 'The rules that run, as their files have them.',
    scope: 'read',
    input: z.strictObject({ rule: z.string().min(1).max(200).optional().describe('Only this rule, with its text.') }),
    answer: z.object({ rules: z.array(ruleAnswer) }),
    tagged: true,
  },
  async ({ input }, deps) => {
    const lastFired = await lastFiredOf(deps)
    const chosen = deps.rules.list().filter(({ rule }) => (input.rule ?? rule.name) === rule.name)
    const [only] = input.rule === undefined ? [] : chosen
    const yaml = only === undefined ? null : await ruleSource(only.rule)
    return {
      rules: chosen.map(({ rule, firing, pending, status }) => {
        const templates = Object.entries(rule.annotations).map(([name, { text }]) => [name, text] as const)
        const annotations = Object.fromEntries(templates)
        const lastMs = lastFired.get(rule.name)
        return {
          ...{ name: rule.name, type: rule.condition.type, severity: rule.severity, mode: rule.mode },
          summary: annotations['summary'] ?? null,
          expr_text: ruleSentence(rule),
          group_by: [...rule.groupBy, ...(rule.ownLabel === null ? [] : [rule.ownLabel])],
          ...{ window: formatDuration(rule.windowMs), for: formatDuration(rule.forMs) },
          ...{ file: basename(rule.file), line: rule.line, group: rule.group },
          ...{ firing, pending, labels: rule.labels, annotations, status },
          last_fired: lastMs === undefined ? null : formatInstant(lastMs),
          yaml,
        }
      }),
    }
  },
)

/** From history, and while that is away from the alerts that are still known. */
async function lastFiredOf(deps: HttpDeps): Promise<ReadonlyMap<string, number>> {
  try {
    return await deps.facts.lastFired()
  } catch (error) {
    if (!(error instanceof Fault) || !error.retryable) throw error
    const found = new Map<string, number>()
    for (const { rule, firedAtMs } of deps.alerts()) {
      if (firedAtMs !== null) found.set(rule, Math.max(firedAtMs, found.get(rule) ?? 0))
    }
    return found
  }
}
