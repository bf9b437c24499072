import { SilenceButton } from './alerts/silence-button.tsx'
import { matchersFor } from './alerts/silencing.ts'
import type { PageAlert, Silence } from './answers.ts'
import { duration, roundCount, share } from './format.ts'
import { Go } from './navigation.tsx'
import { SeverityMark } from './severity.tsx'
import { TenantName } from './tenant-name.tsx'
import { timesNormal } from './times-normal.ts'
import { isCalm } from './urgency.ts'
import { When } from './when.tsx'

/** One alert as a sentence, what it is based on, and where to go from here. */
export function AlertSentence(props: {
  readonly alert: PageAlert
  /** Alerts about single tenants that say the same. */
  readonly parts?: readonly PageAlert[]
  readonly now: number
  readonly silence: Silence | null
  readonly onSilenced: () => void
  /** Where it stands; a link to this very place is left out. */
  readonly at?: 'tenant' | 'alert'
}) {
  const { alert, now, silence } = props
  const { numbers, labels } = alert
  const since = Date.parse(alert.since)
  // The sentence of a spike, or that it is calm again, says it already.
  const told = /× normal|, usually |calm again/.test(summaryOf(alert))
  const normal = told ? null : timesNormal(alert)
  const tenant = labels['tenant']
  const parts = props.parts ?? []
  const quiet = silence !== null || isCalm(alert)
  return (
    <li class={`alert ${alert.severity}${silence === null ? '' : ' silenced'}${quiet ? ' quiet' : ''}`}>
      <p class="sentence">
        <SeverityMark severity={alert.severity} /> {summaryOf(alert)} {normal === null ? 'Since ' : `${normal} since `}
        <When at={since} now={now} /> ({duration(now - since)}).
      </p>
      <p class="facts">
        {tenant === undefined || alert.tenant_name === null || props.at === 'tenant' ? null : (
          <TenantName tenant={tenant} name={alert.tenant_name} />
        )}
        {/* Quotas and inputs are no counts of a window. */}
        {numbers.window_ms === 0 ? null : (
          <>
            <span>
              {share(numbers.observed, numbers.requests)} in {duration(numbers.window_ms)}
            </span>
            <span>{roundCount(numbers.so_far)} refused so far</span>
          </>
        )}
        {tenant === undefined || props.at === 'tenant' ? null : (
          <Go to={{ place: 'tenant', tenant, api: undefined, cause: undefined }}>all about it, and what to do</Go>
        )}
        {props.at === 'alert' ? null : (
          <Go to={{ place: 'alerts', alert: alert.fingerprint, tab: 'active' }}>why it fired</Go>
        )}
        {silence === null ? (
          <SilenceButton matchers={matchersFor(alert)} onDone={props.onSilenced} />
        ) : (
          <span class="muted">
            silenced until <When at={silence.ends_at} now={now} />: {silence.comment}
          </span>
        )}
      </p>
      {parts.length === 0 ? null : <Parts parts={parts} />}
    </li>
  )
}

/** Whom it is about, with links to each; more than a handful are behind a click. */
function Parts({ parts }: { readonly parts: readonly PageAlert[] }) {
  return (
    <details class="parts">
      <summary>
        {parts.length} {parts.length === 1 ? 'alert' : 'alerts'} about single tenants say the same
      </summary>
      <ul class="plain">
        {parts.map((alert) => (
          <li key={alert.fingerprint}>
            <SeverityMark severity={alert.severity} />{' '}
            <Go to={{ place: 'alerts', alert: alert.fingerprint, tab: 'active' }}>{summaryOf(alert)}</Go>
          </li>
        ))}
      </ul>
    </details>
  )
}

/** What happened, ending like a sentence. */
export function summaryOf({ annotations, rule }: Pick<PageAlert, 'annotations' | 'rule'>): string {
  const summary = annotations['summary'] ?? rule
  return /[.!?]$/.test(summary) ? summary : `${summary}.`
}
