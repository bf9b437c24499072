import type { Alert, Severity } from '../alert/alert.ts'
import type { EpochMs } from '../time/clock.ts'
import type { Review } from './group.ts'
import { worstFirst } from './headline.ts'
import { type Labels, labelsOf } from './labels.ts'
import { type LinkBases, linksOf } from './links.ts'

/** One alert of a message, for receivers that are programs. */
export interface ToldAlert {
  readonly status: 'firing' | 'resolved'
  readonly severity: Severity
  readonly fingerprint: string
  readonly episode: string
  readonly labels: Labels
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAtMs: EpochMs
  /** Null while it fires. */
  readonly endsAtMs: EpochMs | null
  /** Where to look at it; empty if the page has no address. */
  readonly url: string
  /** Whether it began, became more severe or ended since the last message of its group. */
  readonly isNews: boolean
}

/** The most alerts in one message to a program; the outbox keeps each message as a whole. */
export const mostAlerts = 1_000

/** What a message tells of, for receivers that are programs; kept in the outbox beside the message. */
export interface ToldAlerts {
  readonly groupKey: string
  readonly groupLabels: Labels
  /** News first, so that what is cut off is what was told before. */
  readonly alerts: readonly ToldAlert[]
  /** How many were cut off. */
  readonly truncated: number
}

/** @param limit the most alerts to keep */
export function toldAlerts(
  group: { groupKey: string; groupLabels: Labels },
  reviews: readonly Review[],
  { bases, now, limit }: { bases: LinkBases; now: EpochMs; limit: number },
): ToldAlerts {
  const of = (pick: (review: Review) => Review['fresh']) => {
    return worstFirst(reviews.flatMap((review) => pick(review).map(({ alert }) => alert)))
  }
  const news = [...of(({ fresh, raised }) => [...fresh, ...raised]), ...of(({ resolved }) => resolved)]
  const standing = of((review) => review.standing)
  const all = [
    ...news.map((alert) => ({ alert, isNews: true })),
    ...standing.map((alert) => ({ alert, isNews: false })),
  ]
  return {
    ...group,
    alerts: all.slice(0, limit).map(({ alert, isNews }) => toldAlert(alert, { bases, now, isNews })),
    truncated: Math.max(0, all.length - limit),
  }
}

export function toldAlert(
  alert: Alert,
  { bases, now, isNews }: { bases: LinkBases; now: EpochMs; isNews: boolean },
): ToldAlert {
  const startsAtMs = alert.firedAtMs ?? alert.activeAtMs
  const isOver = alert.state === 'resolved'
  return {
    status: isOver ? 'resolved' : 'firing',
    severity: alert.severity,
    fingerprint: alert.fingerprint,
    episode: alert.episode,
    labels: labelsOf(alert),
    annotations: alert.annotations,
    startsAtMs,
    endsAtMs: isOver ? Math.max(startsAtMs, alert.resolvedAtMs ?? alert.evaluatedAtMs) : null,
    url: bases.pageUrl === null ? '' : (linksOf(alert, { ...bases, dashboardUrl: null }, now)[0]?.url ?? ''),
    isNews,
  }
}
