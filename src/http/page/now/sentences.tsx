import { AlertSentence, summaryOf } from '../alert-sentence.tsx'
import { silenceOf } from '../alerts/silencing.ts'
import { useSilences } from '../alerts/use-silences.ts'
import type { Live, PageAlert } from '../answers.ts'
import { useFeed } from '../ask/feed-root.tsx'
import { Waiting } from '../asked.tsx'
import { FirstFew } from '../first-few.tsx'
import { duration, percent, roundCount } from '../format.ts'
import { broadestFirst, incidentsOf, lastEndedFirst } from '../urgency.ts'

/** The first answer: is anything wrong now? */
export function Sentences({ now }: { readonly now: number }) {
  const { alerts, live } = useFeed()
  const { silences, again } = useSilences()
  if (alerts === null || live === null) return <Waiting>Asking the daemon…</Waiting>
  const firing = broadestFirst(alerts.filter(({ state }) => state === 'firing'))
  const pending = alerts.filter(({ state }) => state === 'pending').length
  const resolved = lastEndedFirst(alerts.filter(({ state }) => state === 'resolved'))
  const heard = firing.filter((alert) => silenceOf(alert, silences) === null)
  const muted = firing.filter((alert) => silenceOf(alert, silences) !== null)
  return (
    <>
      {firing.length === 0 ? <Calm live={live} /> : null}
      <FirstFew items={[...incidentsOf(heard), ...incidentsOf(muted)]}>
        {(part) => (
          <ul class="alerts">
            {part.map(({ alert, parts }) => (
              <AlertSentence
                key={alert.fingerprint}
                alert={alert}
                parts={parts}
                now={now}
                silence={silenceOf(alert, silences)}
                onSilenced={again}
              />
            ))}
          </ul>
        )}
      </FirstFew>
      {firing.length > 0 ? (
        <p class="muted">
          {firing.length === 1 ? 'One alert fires' : `${firing.length} alerts fire`}; {traffic(live)}.
        </p>
      ) : null}
      {pending > 0 ? (
        <p class="muted">
          {pending} more {pending === 1 ? 'condition is' : 'conditions are'} being watched.
        </p>
      ) : null}
      <FirstFew items={resolved}>
        {(part) => part.map((alert) => <Resolved key={alert.fingerprint} alert={alert} now={now} />)}
      </FirstFew>
    </>
  )
}

function Resolved({ alert, now }: { readonly alert: PageAlert; readonly now: number }) {
  const ago = alert.resolved_at === null ? '' : `${duration(now - Date.parse(alert.resolved_at))} ago`
  return (
    <p class="muted resolved">
      ✓ resolved {ago}: {summaryOf(alert)}
    </p>
  )
}

function Calm({ live }: { readonly live: Live }) {
  if (live.at === null || live.total.requests === 0) {
    return (
      <p class="calm">
        No traffic in the last {duration(live.window_ms)}, so nothing can be said. Numbers appear once access logs
        arrive from Kafka, a file or <code>POST /api/v1/ingest</code>.
      </p>
    )
  }
  return (
    <p class="calm">
      <span class="ok" aria-hidden="true">
        ✓{' '}
      </span>
      Nothing unusual; {traffic(live)}.
    </p>
  )
}

function traffic({ total, window_ms }: Live): string {
  const requests = `${roundCount(total.requests)} ${total.requests === 1 ? 'request' : 'requests'}`
  return `${requests} in the last ${duration(window_ms)}, ${percent(total.ratio)} refused`
}
