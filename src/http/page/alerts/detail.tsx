import { Advice } from '../advice.tsx'
import { AlertSentence, summaryOf } from '../alert-sentence.tsx'
import type { AlertChange, PageAlert } from '../answers.ts'
import { pathOf } from '../ask/api.ts'
import { useFeed } from '../ask/feed-root.tsx'
import { usePoll } from '../ask/poll.ts'
import { Waiting } from '../asked.tsx'
import { CopyButton } from '../copy-button.tsx'
import { Go } from '../navigation.tsx'
import { SeverityMark } from '../severity.tsx'
import { When } from '../when.tsx'
import { ObservedChart } from './observed-chart.tsx'
import { silenceOf } from './silencing.ts'
import { Told } from './told.tsx'
import { useSilences } from './use-silences.ts'

const pollMs = 10_000

/** One alert in full: why it fires, the course of it, who was told, what to do. */
export function Detail({ fingerprint, now }: { readonly fingerprint: string; readonly now: number }) {
  const { alerts } = useFeed()
  const { silences, again } = useSilences()
  const alert = alerts?.find((one) => one.fingerprint === fingerprint) ?? null
  // An alert that ended long ago is known to history alone.
  const past = usePoll<{ rows: readonly AlertChange[] }>(
    alerts === null || alert !== null ? null : pathOf('/api/v1/alerts/history', { from: '-30d', limit: '1000' }),
    60_000,
  )
  const change = past.data?.rows.find((row) => row.fingerprint === fingerprint) ?? null
  const about = alert ?? change
  return (
    <>
      <div class="bar">
        <Go to={{ alert: undefined }}>← all alerts</Go>
        <CopyButton text={`tollwatch explain ${fingerprint} --url ${location.origin}`} label="copy explain command" />
      </div>
      <section aria-labelledby="alert">
        <h2 id="alert">{about?.rule ?? 'Alert'}</h2>
        {alerts === null ? <Waiting>Asking the daemon…</Waiting> : null}
        {alert === null ? (
          <Past change={change} known={past.data !== null} now={now} />
        ) : (
          <ul class="alerts">
            <AlertSentence alert={alert} now={now} silence={silenceOf(alert, silences)} onSilenced={again} at="alert" />
          </ul>
        )}
        {about === null ? null : <Links about={about} />}
      </section>
      <ObservedChart fingerprint={fingerprint} alert={alert} />
      <Told fingerprint={fingerprint} now={now} pollMs={pollMs} />
      {about?.labels['cause'] === undefined ? null : (
        <section aria-labelledby="todo">
          <h2 id="todo">What to do</h2>
          <Advice cause={about.labels['cause']} />
        </section>
      )}
    </>
  )
}

function Past({ change, known, now }: { change: AlertChange | null; known: boolean; now: number }) {
  if (change !== null) {
    return (
      <p class="sentence">
        <SeverityMark severity={change.severity} /> <When at={change.time} now={now} /> {change.state}:{' '}
        {summaryOf({ annotations: { summary: change.summary }, rule: change.rule })}
      </p>
    )
  }
  if (!known) return null
  return <p class="empty">No alert with this fingerprint fires now or did in the last 30 days.</p>
}

/** From the alert to what it is made of. */
function Links({ about }: { readonly about: PageAlert | AlertChange }) {
  const { tenant, api, cause } = about.labels
  const series = { tenant, api, cause }
  return (
    <p class="facts">
      {tenant === undefined ? null : (
        <Go to={{ ...series, place: 'tenant', alert: undefined }}>its refusals one by one</Go>
      )}
      <Go to={{ ...series, place: 'trends', alert: undefined }}>its course in Trends</Go>
      <Go to={{ place: 'rules', rule: about.rule, alert: undefined }}>the rule {about.rule}</Go>
    </p>
  )
}
