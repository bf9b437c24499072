import { z } from 'zod'
import { parseRules } from '../../alert/parse-rules.ts'
import type { Rule } from '../../alert/rule.ts'
import { formatDuration } from '../../time/duration.ts'
import { formatInstant } from '../../time/instant.ts'
import { count, labels, time } from '../answers.ts'
import { longestSpanMs, runBacktest } from '../backtest-run.ts'
import type { HttpDeps } from '../deps.ts'
import { endpoint, noInput } from '../endpoint.ts'
import { instantText, readSelection } from '../parameters.ts'
import { badRequest, Problem } from '../problem.ts'
import { wildMatcher } from '../tame-pattern.ts'

/** Episodes that one answer lists. */
const episodeLimit = 500

const order = z.strictObject({
  rule: z.string().min(1).max(200).optional().describe('The name of a rule that runs; give this or yaml.'),
  yaml: z.string().min(1).max(50_000).optional().describe('A rule file with one rule.'),
  from: instantText.default('-24h'),
  to: instantText.default('now'),
})

/** @param closing aborted when the server closes */
export function rulesBacktest(closing: AbortSignal) {
  let isBusy = false
  return endpoint(
    {
      method: 'POST',
      path: '/api/v1/rules/backtest',
      summary: 'What a rule would have done over a part of history. One at a time, and some seconds at most.',
      scope: 'read',
      input: noInput,
      json: order,
      answer: z.object({
        fired: count.describe('Episodes, from firing to resolved.'),
        series: count.describe('Series that had one.'),
        complete: z.boolean().describe('Whether the whole span was judged; if not, the warnings say why.'),
        episodes: z
          .array(
            z.object({
              labels,
              started: time,
              ended: time.nullable().describe('Null while it fires at the end.'),
              peak: count.describe('The most refusals in one window.'),
              observed: count.describe('Refusals in the window when it fired.'),
              expected: z.number().nullable().describe('Of these, on a normal day; null where the rule knows none.'),
              summary: z.string(),
            }),
          )
          .describe(`The first ${episodeLimit}.`),
        warnings: z.array(z.string()),
      }),
      problems: [404, 413, 415, 503],
      operation: ({ json }) => ({
        what: 'backtest',
        target: `of ${json.rule === undefined ? 'a rule file' : `the rule ${json.rule}`} from ${json.from} to ${json.to}`,
      }),
    },
    async ({ json }, deps) => {
      const now = deps.clock.now()
      const { fromMs, toMs } = readSelection(json, now)
      if (toMs - fromMs > longestSpanMs) {
        const detail = `is more than ${formatDuration(longestSpanMs)} after from; use tollwatch rules backtest`
        throw badRequest([{ parameter: 'to', detail }])
      }
      const rule = ruleOf(json, deps)
      if (isBusy) {
        throw new Problem(429, 'A backtest is under way; one at a time.', { headers: { 'retry-after': '5' } })
      }
      isBusy = true
      try {
        const { queries, clock } = deps
        const span = { fromMs, toMs: Math.min(toMs, now) }
        const seriesLimit = deps.rules.seriesLimit
        const run = await runBacktest({ rule, ...span, queries, seriesLimit, clock, signal: closing })
        return {
          fired: run.episodes.length,
          series: new Set(run.episodes.map(({ fingerprint }) => fingerprint)).size,
          complete: run.complete,
          episodes: run.episodes.slice(0, episodeLimit).map((episode) => ({
            labels: episode.labels,
            started: formatInstant(episode.firedAtMs),
            ended: episode.resolvedAtMs === null ? null : formatInstant(episode.resolvedAtMs),
            ...{ peak: episode.peak, observed: episode.observed, expected: episode.expected, summary: episode.summary },
          })),
          warnings: run.warnings,
        }
      } finally {
        isBusy = false
      }
    },
  )
}

function ruleOf({ rule: name, yaml }: z.output<typeof order>, { rules }: HttpDeps): Rule {
  if ((name === undefined) === (yaml === undefined)) {
    throw badRequest([{ parameter: 'rule', detail: 'or yaml must be given, and not both' }])
  }
  if (name !== undefined) {
    const found = rules.find(name)
    if (found === null)
      throw badRequest([{ parameter: 'rule', detail: 'is no rule that runs; /api/v1/rules lists them' }])
    return found
  }
  const parsed = parseRules([{ file: 'yaml', text: yaml ?? '' }])
  if (!parsed.ok) {
    throw badRequest(
      parsed.problems.slice(0, 50).map(({ line, path, message, fix }) => ({
        parameter: 'yaml',
        detail: `line ${line ?? 1}: ${path} ${message}; ${fix}`,
      })),
    )
  }
  const [rule] = parsed.rules
  if (rule === undefined || parsed.rules.length > 1) {
    throw badRequest([{ parameter: 'yaml', detail: `holds ${parsed.rules.length} rules; send one` }])
  }
  const wild = wildMatcher(rule.matchers)
  if (wild !== null) throw badRequest([{ parameter: 'yaml', detail: wild }])
  return rule
}
