import type { Episode } from '../alert/backtest.ts'
import { type Comparison, labelsText, type RuleReport } from '../alert/backtest-report.ts'
import type { IncidentScore } from '../alert/incidents-file.ts'
import { type MessageCount, wayName } from '../notify/message-counts.ts'
import type { EpochMs } from '../time/clock.ts'
import { formatDuration, minuteMs } from '../time/duration.ts'
import { formatInstant } from '../time/instant.ts'
import { printRows } from './output.ts'
import type { Terminal } from './terminal.ts'

/** What a backtest found; the first candidate holds the rules that were asked about. */
export interface BacktestReport {
  readonly fromMs: EpochMs
  readonly toMs: EpochMs
  readonly warmUpMs: number
  /** Whether the minute tier reaches back over the whole time. */
  readonly complete: boolean
  readonly candidates: readonly {
    readonly name: string
    readonly rules: readonly RuleReport[]
    /** Messages after grouping, inhibition, scheduled silences and time intervals. */
    readonly messages: readonly MessageCount[]
    readonly messagesByRule: ReadonlyMap<string, readonly MessageCount[]>
    readonly incidents: IncidentScore | null
    readonly episodes: readonly Episode[]
  }[]
  /** What the rules would add and take away beside those of `--compare`. */
  readonly comparison: Comparison | null
}

export function printReport(report: BacktestReport, format: 'table' | 'json', terminal: Terminal): void {
  if (!report.complete) {
    terminal.stderr.write('Part of this time is older than the minute tier reaches: nothing can have fired there.\n')
  }
  if (format === 'json') terminal.stdout.write(`${JSON.stringify(jsonOf(report), null, 2)}\n`)
  else printTables(report, terminal)
}

function jsonOf(report: BacktestReport): unknown {
  return {
    from: formatInstant(report.fromMs),
    to: formatInstant(report.toMs),
    warm_up_ms: report.warmUpMs,
    complete: report.complete,
    candidates: report.candidates.map(({ name, rules, messages, messagesByRule, incidents, episodes }) => ({
      name,
      messages,
      rules: rules.map((rule) => ({
        ...{ rule: rule.rule, episodes: rule.episodes, episodes_per_week: rule.episodesPerWeek, series: rule.series },
        ...{ firing_minutes: rule.firingMinutes, median_minutes: rule.medianMinutes, top: rule.top },
        busiest_hour:
          rule.busiestHour === null
            ? null
            : { at: formatInstant(rule.busiestHour.atMs), episodes: rule.busiestHour.episodes },
        messages: messagesByRule.get(rule.rule) ?? [],
      })),
      incidents: incidents === null ? null : incidentsJson(incidents),
      episodes: episodes.map(episodeJson),
    })),
    comparison:
      report.comparison === null
        ? null
        : {
            same: report.comparison.same,
            only_before: report.comparison.onlyBefore.map(episodeJson),
            only_after: report.comparison.onlyAfter.map(episodeJson),
          },
  }
}

function incidentsJson({ found, missed, medianDelayMinutes, precision }: IncidentScore): unknown {
  const spanOf = ({ startMs, endMs, labels }: IncidentScore['missed'][number]) => {
    return { start: formatInstant(startMs), end: formatInstant(endMs), labels }
  }
  return {
    found: found.map(({ incident, delayMinutes, rule }) => ({
      ...spanOf(incident),
      rule,
      delay_minutes: delayMinutes,
    })),
    missed: missed.map(spanOf),
    median_delay_minutes: medianDelayMinutes,
    precision,
  }
}

function episodeJson(episode: Episode): unknown {
  return {
    ...{ rule: episode.rule, labels: episode.labels, severity: episode.severity },
    fired: formatInstant(episode.firedAtMs),
    resolved: episode.resolvedAtMs === null ? null : formatInstant(episode.resolvedAtMs),
    ...{ peak: episode.peak, refused: episode.refused, summary: episode.summary },
  }
}

function printTables(report: BacktestReport, terminal: Terminal): void {
  const { stdout } = terminal
  const learnt = report.warmUpMs === 0 ? 'nothing' : formatDuration(report.warmUpMs)
  stdout.write(
    `${formatInstant(report.fromMs)} to ${formatInstant(report.toMs)}, after learning from ${learnt} before\n\n`,
  )
  for (const { name, rules, messages, messagesByRule, incidents, episodes } of report.candidates) {
    if (name === 'compare') continue
    if (name !== 'rules') stdout.write(`\n${name}\n`)
    printRows(
      rules.map((rule) => ruleRow(rule, messagesByRule.get(rule.rule) ?? [])),
      ['rule', 'fired', 'messages', 'a week', 'series', 'minutes', 'median', 'mostly', 'busiest hour'],
      'table',
      terminal,
    )
    stdout.write(`${messagesText(messages)}\n`)
    if (incidents !== null) printIncidents(incidents, episodes, terminal)
  }
  if (report.comparison !== null) printComparison(report.comparison, terminal)
}

/** Through the way that gets most: each way of a receiver gets the same. */
function ruleRow(rule: RuleReport, messages: readonly MessageCount[]): Record<string, unknown> {
  const [first] = rule.top
  return {
    rule: rule.rule,
    fired: rule.episodes,
    messages: Math.max(0, ...messages.map((one) => one.messages)),
    'a week': Number(rule.episodesPerWeek.toFixed(1)),
    series: rule.series,
    minutes: Math.round(rule.firingMinutes),
    median: rule.medianMinutes === null ? '' : `${Math.round(rule.medianMinutes)} min`,
    mostly: first === undefined ? '' : `${first.labels} (${first.episodes})`,
    'busiest hour':
      rule.busiestHour === null
        ? ''
        : `${formatInstant(rule.busiestHour.atMs).slice(0, 16)}Z (${rule.busiestHour.episodes})`,
  }
}

function messagesText(messages: readonly MessageCount[]): string {
  if (messages.length === 0) return '\nno message'
  const each = messages.map((one) => {
    return `${one.messages} to ${wayName(one, messages)} (${one.ends} of them about an end)`
  })
  return `\nmessages after grouping: ${each.join(', ')}`
}

function printIncidents(score: IncidentScore, episodes: readonly Episode[], { stdout }: Terminal): void {
  const all = score.found.length + score.missed.length
  const delay = score.medianDelayMinutes === null ? '' : `, half of them within ${score.medianDelayMinutes} min`
  stdout.write(`\n${score.found.length} of ${all} incidents found${delay}\n`)
  for (const { line, startMs } of score.missed) stdout.write(`  missed: line ${line}, ${formatInstant(startMs)}\n`)
  if (score.precision !== null) {
    stdout.write(`${Math.round(score.precision * 100)} % of ${episodes.length} episodes belong to an incident\n`)
  }
}

function printComparison({ same, onlyBefore, onlyAfter }: Comparison, { stdout }: Terminal): void {
  stdout.write(`\nbeside --compare: ${same} the same, ${onlyAfter.length} new, ${onlyBefore.length} gone\n`)
  for (const [sign, episodes] of [
    ['+', onlyAfter],
    ['-', onlyBefore],
  ] as const) {
    for (const episode of episodes) {
      const end =
        episode.resolvedAtMs === null
          ? 'still firing'
          : `${Math.round((episode.resolvedAtMs - episode.firedAtMs) / minuteMs)} min`
      stdout.write(`  ${sign} ${formatInstant(episode.firedAtMs)} ${episode.rule} ${labelsText(episode)} (${end})\n`)
    }
  }
}
