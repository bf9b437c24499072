import type { Live, PageAlert, Status } from './answers.ts'
import { CopyButton } from './copy-button.tsx'
import { FirstFew } from './first-few.tsx'
import { againstNormal, clockTime, duration, exactTime, percent, roundCount, share } from './format.ts'
import { SeriesLink } from './series-link.tsx'
import { TenantName } from './tenant-name.tsx'
import { broadestFirst, lastEndedFirst } from './urgency.ts'
import type { View } from './view.ts'

/** Severity is a shape and a word as well as a colour. */
const shapes = { page: '●', ticket: '▲', info: '■' } as const

/** The first answer: is anything wrong now? */
export function Now(props: {
  readonly alerts: readonly PageAlert[] | null
  readonly live: Live | null
  readonly status: Status | null
  readonly view: View
  readonly onView: (change: Partial<View>, push?: boolean) => void
}) {
  const { alerts, live, status } = props
  if (alerts === null || live === null) return <p class="muted">Asking the daemon…</p>
  const now = Date.parse(status?.now ?? live.at ?? '')
  const firing = broadestFirst(alerts.filter(({ state }) => state === 'firing'))
  const pending = alerts.filter(({ state }) => state === 'pending').length
  const resolved = lastEndedFirst(alerts.filter(({ state }) => state === 'resolved'))
  return (
    <>
      {firing.length === 0 ? <Calm live={live} /> : null}
      <FirstFew items={firing}>
        {(part) => (
          <ul class="alerts">
            {part.map((alert) => (
              <AlertSentence key={alert.fingerprint} alert={alert} now={now} view={props.view} onView={props.onView} />
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
        {(part) =>
          part.map((alert) => (
            <p class="muted resolved" key={alert.fingerprint}>
              ✓ resolved {ago(alert.resolved_at, now)}: {sentence(alert)}
            </p>
          ))
        }
      </FirstFew>
    </>
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

function AlertSentence(props: {
  readonly alert: PageAlert
  readonly now: number
  readonly view: View
  readonly onView: (change: Partial<View>, push?: boolean) => void
}) {
  const { alert, now } = props
  const { numbers, labels } = alert
  const since = Date.parse(alert.since)
  // The sentence of a spike, or that it is calm again, says it already.
  const told = /× normal|, usually |calm again/.test(sentence(alert))
  const normal = told ? null : againstNormal(numbers.observed, numbers.expected)
  const tenant = labels['tenant']
  const runbook = alert.annotations['runbook']
  return (
    <li class={`alert ${alert.severity}`}>
      <p class="sentence">
        <span class="severity">
          <span aria-hidden="true">{shapes[alert.severity]}</span> {alert.severity}
        </span>{' '}
        {sentence(alert)} {normal === null ? 'Since ' : `${normal} since `}
        <time dateTime={alert.since} title={exactTime(since)}>
          {clockTime(since, now)}
        </time>{' '}
        ({duration(now - since)}).
      </p>
      <p class="facts">
        {tenant === undefined || alert.tenant_name === null ? null : (
          <TenantName tenant={tenant} name={alert.tenant_name} />
        )}
        <span>
          {share(numbers.observed, numbers.requests)} in {duration(numbers.window_ms)}
        </span>
        <span>{roundCount(numbers.so_far)} refused so far</span>
        {tenant === undefined ? null : (
          <SeriesLink view={props.view} onView={props.onView} tenant={tenant} api={labels['api']}>
            show what it is made of
          </SeriesLink>
        )}
        {runbook === undefined ? null : <Runbook at={runbook} />}
        <CopyButton text={`tollwatch explain ${alert.fingerprint}`} label="copy explain command" />
      </p>
    </li>
  )
}

/** Only a web address is a link; a runbook in the repository is named. */
function Runbook({ at }: { readonly at: string }) {
  if (/^https?:\/\//.test(at)) {
    return (
      <a href={at} rel="noreferrer" target="_blank">
        runbook
      </a>
    )
  }
  return (
    <span>
      runbook <code>{at}</code>
    </span>
  )
}

function sentence(alert: PageAlert): string {
  const summary = alert.annotations['summary'] ?? alert.rule
  return /[.!?]$/.test(summary) ? summary : `${summary}.`
}

function ago(time: string | null, now: number): string {
  return time === null ? '' : `${duration(now - Date.parse(time))} ago`
}
