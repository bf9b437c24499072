import { useMemo } from 'preact/hooks'
import { concerns } from '../alert-concerns.ts'
import type { AlertChange } from '../answers.ts'
import { pathOf } from '../ask/api.ts'
import { usePoll } from '../ask/poll.ts'
import { Asked } from '../asked.tsx'
import { downloadCsv } from '../download.ts'
import { FilterBar } from '../filter-bar.tsx'
import { duration } from '../format.ts'
import { Go, useNavigation } from '../navigation.tsx'
import { SeverityMark } from '../severity.tsx'
import { spanLengthMs, spanQuery } from '../view.ts'
import { When } from '../when.tsx'
import { episodesOf, type LoggedEpisode, placeIn } from './episodes.ts'

const pollMs = 30_000
/** Changes asked for at once, and firings shown. */
const changeLimit = 1_000
const mostShown = 100

/** What fired in the chosen span, each firing as a bar on one time axis. */
export function History({ now }: { readonly now: number }) {
  const { view } = useNavigation()
  const path = pathOf('/api/v1/alerts/history', {
    ...spanQuery(view),
    tenant: view.tenant,
    limit: String(changeLimit),
  })
  const asked = usePoll<{ rows: readonly AlertChange[] }>(path, pollMs)
  const toMs = view.span?.toMs ?? now
  const span = { fromMs: toMs - spanLengthMs(view), toMs }
  return (
    <section aria-labelledby="history">
      <div class="heading">
        <h2 id="history">What fired</h2>
        <FilterBar now={now} />
      </div>
      <Asked asked={asked} what="History">
        {({ rows }) => (
          <Timeline
            changes={rows.filter((row) => concerns(row, view))}
            span={span}
            now={now}
            full={rows.length >= changeLimit}
          />
        )}
      </Asked>
    </section>
  )
}

function Timeline(props: {
  readonly changes: readonly AlertChange[]
  readonly span: { readonly fromMs: number; readonly toMs: number }
  readonly now: number
  /** Whether there may be more than was asked for. */
  readonly full: boolean
}) {
  const { changes, span, now } = props
  const episodes = useMemo(() => episodesOf(changes), [changes])
  if (episodes.length === 0) {
    return <p class="empty">No alert fired in this span. Choose a longer range, or drop the filters.</p>
  }
  return (
    <>
      <table class="timeline cards">
        <caption class="hidden">Firings in the chosen span, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">Alert</th>
            <th scope="col">Fired</th>
            <th scope="col">Lasted</th>
            <th scope="col" class="axis" aria-label="Place in the span">
              <When at={span.fromMs} now={now} />
              <When at={span.toMs} now={now} />
            </th>
          </tr>
        </thead>
        <tbody>
          {episodes.slice(0, mostShown).map((episode) => (
            <Row
              key={`${episode.fingerprint} ${episode.firedMs} ${episode.endedMs}`}
              episode={episode}
              span={span}
              now={now}
            />
          ))}
        </tbody>
      </table>
      <p class="below">
        <span>
          {episodes.length} {episodes.length === 1 ? 'firing' : 'firings'}
          {episodes.length > mostShown ? `, the newest ${mostShown} are shown` : ''}
          {props.full ? '; there are older ones that this range holds too many of' : ''}
        </span>
        <button type="button" class="quiet" onClick={() => download(episodes)}>
          save as CSV
        </button>
      </p>
    </>
  )
}

function Row({ episode, span, now }: { episode: LoggedEpisode; span: { fromMs: number; toMs: number }; now: number }) {
  const { firedMs, endedMs } = episode
  const lasted = firedMs === null ? null : (endedMs ?? now) - firedMs
  const place = placeIn(episode, span)
  return (
    <tr>
      <th scope="row" class="text">
        <SeverityMark severity={episode.severity} />{' '}
        <Go to={{ alert: episode.fingerprint }} title={episode.summary}>
          {titleOf(episode)}
        </Go>
      </th>
      <td>{firedMs === null ? <span class="muted">before</span> : <When at={firedMs} now={now} />}</td>
      <td>
        {lasted === null ? <span class="muted">unknown</span> : duration(lasted)}
        {endedMs === null ? <span class="muted"> so far</span> : null}
      </td>
      <td class="axis">
        {place === null ? null : (
          <svg class={`bar ${episode.severity}`} viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">
            <rect x={place.left * 1_000} width={place.width * 1_000} y="2" height="10" rx="2" />
          </svg>
        )}
      </td>
    </tr>
  )
}

function titleOf({ rule, labels, tenantName }: LoggedEpisode): string {
  const tenant = labels['tenant']
  const where = [tenant === undefined ? undefined : (tenantName ?? tenant), labels['api'], labels['cause']]
  return [rule, ...where.flatMap((part) => part?.replaceAll('_', ' ') ?? [])].join(' · ')
}

function download(episodes: readonly LoggedEpisode[]): void {
  const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  const lines = episodes.map(({ rule, severity, labels, firedMs, endedMs, summary, fingerprint }) => [
    ...[rule, severity, labels['tenant'] ?? null, labels['api'] ?? null, labels['cause'] ?? null],
    ...[time(firedMs), time(endedMs), summary, fingerprint],
  ])
  const heading = ['rule', 'severity', 'tenant', 'api', 'cause', 'fired', 'ended', 'summary', 'fingerprint']
  downloadCsv('tollwatch-alerts.csv', [heading, ...lines])
}
