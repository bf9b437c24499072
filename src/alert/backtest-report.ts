import type { EpochMs } from '../time/clock.ts'
import { hourMs, minuteMs } from '../time/duration.ts'
import type { Episode } from './backtest.ts'

const topLength = 5
const weekMs = 7 * 24 * hourMs

/** One rule over the whole time. */
export interface RuleReport {
  readonly rule: string
  readonly episodes: number
  readonly episodesPerWeek: number
  /** Series that fired at least once. */
  readonly series: number
  readonly firingMinutes: number
  /** Of one episode. */
  readonly medianMinutes: number | null
  /** The series that fired longest. */
  readonly top: readonly { readonly labels: string; readonly episodes: number; readonly minutes: number }[]
  /** The hour in which most episodes began. */
  readonly busiestHour: { readonly atMs: EpochMs; readonly episodes: number } | null
}

/**
 * Adds up the episodes of each rule.
 *
 * @param rules every rule tested, so that silent ones are named too
 * @param span the time reported on; an episode that lasts beyond it counts up to its end
 */
export function reportRules(
  rules: readonly string[],
  episodes: readonly Episode[],
  span: { fromMs: EpochMs; toMs: EpochMs },
): readonly RuleReport[] {
  return rules.map((rule) => {
    const own = episodes.filter((episode) => episode.rule === rule)
    const minutes = own.map((episode) => ((episode.resolvedAtMs ?? span.toMs) - episode.firedAtMs) / minuteMs)
    const series = new Map<string, { labels: string; episodes: number; minutes: number }>()
    const hours = new Map<EpochMs, number>()
    for (const [at, episode] of own.entries()) {
      const entry = series.get(episode.fingerprint) ?? { labels: labelsText(episode), episodes: 0, minutes: 0 }
      entry.episodes++
      entry.minutes += minutes[at] ?? 0
      series.set(episode.fingerprint, entry)
      const hour = Math.floor(episode.firedAtMs / hourMs) * hourMs
      hours.set(hour, (hours.get(hour) ?? 0) + 1)
    }
    const busiest = [...hours].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]
    return {
      rule,
      episodes: own.length,
      episodesPerWeek: (own.length * weekMs) / (span.toMs - span.fromMs),
      series: series.size,
      firingMinutes: minutes.reduce((sum, one) => sum + one, 0),
      medianMinutes: median(minutes),
      top: [...series.values()]
        .sort((a, b) => b.minutes - a.minutes || (a.labels < b.labels ? -1 : 1))
        .slice(0, topLength),
      busiestHour: busiest === undefined ? null : { atMs: busiest[0], episodes: busiest[1] },
    }
  })
}

/** The labels that tell one series of a rule from another. */
export function labelsText({ labels }: Pick<Episode, 'labels'>): string {
  const own = ['tenant', 'api', 'cause', 'family'].filter((name) => labels[name] !== undefined)
  // The family follows from the cause.
  const told = own.filter((name) => name !== 'family' || labels['cause'] === undefined)
  return told.length === 0 ? 'everything' : told.map((name) => `${name}=${labels[name]}`).join(' ')
}

export interface Comparison {
  /** Episodes of one side that overlap none of the same series on the other side. */
  readonly onlyBefore: readonly Episode[]
  readonly onlyAfter: readonly Episode[]
  readonly same: number
}

/** What a change of rules would change: episodes of the same rule and series that overlap are the same one. */
export function compareEpisodes(before: readonly Episode[], after: readonly Episode[]): Comparison {
  const matched = new Set<Episode>()
  const onlyBefore: Episode[] = []
  const bySeries = grouped(after)
  for (const episode of before) {
    const twin = (bySeries.get(episode.fingerprint) ?? []).find((other) => overlaps(episode, other))
    if (twin === undefined) onlyBefore.push(episode)
    else matched.add(twin)
  }
  const onlyAfter = after.filter((episode) => !matched.has(episode))
  return { onlyBefore, onlyAfter, same: after.length - onlyAfter.length }
}

function grouped(episodes: readonly Episode[]): Map<string, Episode[]> {
  const groups = new Map<string, Episode[]>()
  for (const episode of episodes) {
    const group = groups.get(episode.fingerprint)
    if (group === undefined) groups.set(episode.fingerprint, [episode])
    else group.push(episode)
  }
  return groups
}

function overlaps(a: Episode, b: Episode): boolean {
  const end = ({ resolvedAtMs }: Episode) => resolvedAtMs ?? Number.POSITIVE_INFINITY
  return a.activeAtMs < end(b) && b.activeAtMs < end(a)
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) return null
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? null
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
