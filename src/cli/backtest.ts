import { readFileSync } from 'node:fs'
import { Backtest, type Episode } from '../alert/backtest.ts'
import { compareEpisodes, reportRules } from '../alert/backtest-report.ts'
import { type KnownIncident, parseIncidents, scoreIncidents } from '../alert/incidents-file.ts'
import { MinuteView } from '../alert/minute-view.ts'
import type { Rule } from '../alert/rule.ts'
import { loadRules } from '../alert/rule-files.ts'
import { variantsOf } from '../alert/rule-variants.ts'
import { minutesSpanMs, type Queries } from '../history/query.ts'
import { countByRule, countMessages } from '../notify/message-counts.ts'
import { Rehearsal, readRoutes } from '../notify/rehearsal.ts'
import type { Routing } from '../notify/routing.ts'
import type { EpochMs } from '../time/clock.ts'
import { minuteMs, parseDuration } from '../time/duration.ts'
import { parseInstant } from '../time/instant.ts'
import { type BacktestReport, printReport } from './backtest-report.ts'
import { misused } from './flags.ts'
import { progressOn } from './progress.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'

export interface BacktestArguments {
  readonly rules: readonly string[]
  readonly from: string
  readonly to: string
  readonly warmUp: string
  readonly tenant?: string | undefined
  readonly compare: readonly string[]
  readonly sweep: readonly string[]
  readonly incidents?: string | undefined
  /** The routes that messages would take. */
  readonly notify: string
  readonly maxEpisodesPerWeek?: string | undefined
  readonly format: string
  readonly baselineSeriesLimit: number
}

/** A set of rules that is tried: the ones named, those of `--compare`, or one variant of a sweep. */
interface Candidate {
  readonly name: string
  readonly rules: readonly Rule[]
}

/**
 * `tollwatch rules backtest`: what rules would have done over history, through the same engine as live.
 *
 * @returns exit code: 0, 1 when a rule has more episodes a week than allowed, 2 when the call or a file is wrong
 */
export async function backtestCommand(
  args: BacktestArguments,
  queries: Queries,
  now: EpochMs,
  terminal: Terminal,
): Promise<number> {
  const span = spanOf(args, now)
  const candidates = candidatesOf(args, terminal)
  const incidents = incidentsOf(args.incidents, terminal)
  const cap = capOf(args.maxEpisodesPerWeek)
  const format = formatOf(args.format)
  const routing = routingOf(args.notify, terminal)
  if (candidates === null || incidents === 'unusable' || routing === null) return exitCode.misused
  const options = { reportFromMs: span.fromMs, baselineSeriesLimit: args.baselineSeriesLimit }
  const runs: Run[] = []
  for (const { name, rules } of candidates) {
    const rehearsal = await Rehearsal.open(routing, { startMs: span.fromMs })
    runs.push({ name, rules, test: new Backtest(rules, options), rehearsal })
  }
  const view = new MinuteView(span.startMs)
  const bar = progressOn(terminal, 'backtest', (span.toMs - span.startMs) / minuteMs)
  let complete = true
  const select = args.tenant === undefined ? {} : { tenant: args.tenant }
  for (let at = span.startMs; at < span.toMs; at += minutesSpanMs) {
    const toMs = Math.min(at + minutesSpanMs, span.toMs)
    const hour = await queries.minutes({ ...select, fromMs: at, toMs })
    complete &&= hour.complete
    await view.take(hour.rows, (toMs - at) / minuteMs, async () => {
      for (const run of runs) await step(run, view)
      bar.advance(1)
    })
  }
  bar.done()
  const report = reportOf(runs, { ...span, complete, incidents, routing })
  printReport(report, format, terminal)
  const over = report.candidates[0]?.rules.filter(({ episodesPerWeek }) => cap !== null && episodesPerWeek > cap) ?? []
  for (const { rule, episodesPerWeek } of over) {
    terminal.stderr.write(`${rule}: ${episodesPerWeek.toFixed(1)} episodes a week are more than ${cap}\n`)
  }
  return over.length > 0 ? exitCode.failed : exitCode.ok
}

/** A candidate on its way through history. */
interface Run extends Candidate {
  readonly test: Backtest
  readonly rehearsal: Rehearsal
}

/** One minute: what the rules make of it, and who would be told. */
async function step({ test, rehearsal }: Run, view: MinuteView): Promise<void> {
  const transitions = test.step(view)
  await rehearsal.passTo(view.endMs)
  await rehearsal.accept(transitions)
}

function routingOf(file: string, terminal: Terminal): Routing | null {
  const read = readRoutes(file)
  return read.ok ? read.routing : refused(read.problems, terminal)
}

interface Span {
  readonly startMs: EpochMs
  readonly fromMs: EpochMs
  readonly toMs: EpochMs
}

function spanOf(args: BacktestArguments, now: EpochMs): Span {
  const from = parseInstant(args.from, now)
  const to = parseInstant(args.to, now)
  const warmUpMs = args.warmUp === '0' ? 0 : parseDuration(args.warmUp)
  if (from === null) throw misused('--from is no time: write ISO 8601, epoch milliseconds, or relative such as -7d')
  if (to === null) throw misused('--to is no time: write ISO 8601, epoch milliseconds, or relative such as -1h')
  if (warmUpMs === null) throw misused('--warm-up is no duration: write one such as 1d, or 0')
  const fromMs = Math.floor(from / minuteMs) * minuteMs
  const toMs = Math.floor(Math.min(to, now) / minuteMs) * minuteMs
  if (toMs <= fromMs) throw misused('--to must be after --from, and --from in the past')
  return { startMs: fromMs - Math.floor(warmUpMs / minuteMs) * minuteMs, fromMs, toMs }
}

function formatOf(name: string): 'table' | 'json' {
  if (name === 'table' || name === 'json') return name
  throw misused('--format is table or json')
}

function capOf(text: string | undefined): number | null {
  if (text === undefined) return null
  const cap = Number(text)
  if (!(cap >= 0)) throw misused('--max-episodes-per-week is no number from 0 up')
  return cap
}

function candidatesOf(args: BacktestArguments, terminal: Terminal): readonly Candidate[] | null {
  const loaded = loadRules(args.rules, process.cwd())
  if (!loaded.ok) return refused(loaded.problems, terminal)
  const candidates: Candidate[] = [{ name: 'rules', rules: loaded.rules }]
  if (args.compare.length > 0) {
    const other = loadRules(args.compare, process.cwd())
    if (!other.ok) return refused(other.problems, terminal)
    candidates.push({ name: 'compare', rules: other.rules })
  }
  for (const sweep of args.sweep) {
    const found = variantsOf(sweep, loaded.files)
    if (!found.ok) return refused(found.problems, terminal)
    candidates.push(...found.variants.map(({ name, rule }) => ({ name, rules: [rule] })))
  }
  return candidates
}

function refused(problems: Parameters<typeof printProblems>[0], terminal: Terminal): null {
  printProblems(problems, terminal)
  return null
}

function incidentsOf(file: string | undefined, terminal: Terminal): readonly KnownIncident[] | null | 'unusable' {
  if (file === undefined) return null
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw misused(`${file} cannot be read: check the path`)
  }
  const parsed = parseIncidents(text)
  if (parsed.ok) return parsed.incidents
  for (const problem of parsed.problems) terminal.stderr.write(`${file}:${problem}\n`)
  return 'unusable'
}

function reportOf(
  runs: readonly Run[],
  given: Span & { complete: boolean; incidents: readonly KnownIncident[] | null; routing: Routing },
): BacktestReport {
  const { fromMs, toMs, startMs, complete, incidents, routing } = given
  const candidates = runs.map(({ name, rules, test, rehearsal: { messages } }) => {
    const episodes = test.episodes()
    const names = rules.map((rule) => rule.name)
    return {
      name,
      rules: reportRules(names, episodes, { fromMs, toMs }),
      messages: countMessages(messages, routing),
      messagesByRule: countByRule(messages, names, routing),
      incidents: incidents === null ? null : scoreIncidents(episodes, incidents),
      episodes,
    }
  })
  const episodesOf = (name: string): readonly Episode[] | null =>
    candidates.find((candidate) => candidate.name === name)?.episodes ?? null
  const other = episodesOf('compare')
  const comparison = other === null ? null : compareEpisodes(other, episodesOf('rules') ?? [])
  return { fromMs, toMs, warmUpMs: fromMs - startMs, complete, candidates, comparison }
}
