import { concerns } from '../alert-concerns.ts'
import { AlertSentence } from '../alert-sentence.tsx'
import { SilenceButton } from '../alerts/silence-button.tsx'
import { exactly, silenceOf } from '../alerts/silencing.ts'
import { useSilences } from '../alerts/use-silences.ts'
import type { PageAlert, SummaryRow, TenantAnswer, Trends } from '../answers.ts'
import { pathOf } from '../ask/api.ts'
import { useFeed } from '../ask/feed-root.tsx'
import { usePoll } from '../ask/poll.ts'
import { Asked } from '../asked.tsx'
import { StackedChart } from '../chart/stacked-chart.tsx'
import { RangeChoice, SeriesChips } from '../filter-bar.tsx'
import { Go, useNavigation } from '../navigation.tsx'
import { broadestFirst } from '../urgency.ts'
import { filterQuery, spanQuery } from '../view.ts'
import { Breakdown } from './breakdown.tsx'
import { Contact } from './contact.tsx'
import { Events } from './events.tsx'
import { Figures } from './figures.tsx'
import { Quotas } from './quotas.tsx'
import { WhatToDo } from './what-to-do.tsx'

const pollMs = 10_000

/** All about one tenant, in the order one asks: what is wrong, since when, why, what to do, whom to call. */
export function OneTenant({ tenant, now }: { readonly tenant: string; readonly now: number }) {
  const { view } = useNavigation()
  const { alerts } = useFeed()
  const about = usePoll<TenantAnswer>(`/api/v1/tenants/${encodeURIComponent(tenant)}`, pollMs)
  const span = spanQuery(view)
  const filters = filterQuery(view)
  const trends = usePoll<Trends>(pathOf('/api/v1/trends', { ...span, ...filters, by: 'cause' }), pollMs)
  const causes = usePoll<{ rows: readonly SummaryRow[] }>(
    pathOf('/api/v1/summary', { ...span, ...filters, by: 'api,cause', limit: '200' }),
    pollMs,
  )
  const own = broadestFirst((alerts ?? about.data?.alerts ?? []).filter((one) => one.labels['tenant'] === tenant))
  const name = about.data?.tenant_name ?? null
  return (
    <>
      <Overview tenant={tenant} about={about.data} alerts={own} now={now} />
      {about.error?.status === 404 ? (
        <p class="trouble mild">
          Nothing is known of a tenant “{tenant}” in the last hour; what is below comes from history.{' '}
          <Go to={{ tenant: undefined }}>Choose another.</Go>
        </p>
      ) : null}
      <section aria-labelledby="since">
        <div class="heading">
          <h2 id="since">Since when, and why</h2>
          <SeriesChips nameOf={(id) => (id === tenant ? name : null)} />
          <RangeChoice now={now} />
        </div>
        <Asked asked={trends} what="History">
          {(data) => <StackedChart trends={data} alerts={own.filter((one) => concerns(one, view))} completeMs={null} />}
        </Asked>
        <Asked asked={causes} what="History">
          {({ rows }) => <Breakdown rows={rows} />}
        </Asked>
      </section>
      <div class="columns">
        <section aria-labelledby="todo">
          <h2 id="todo">What to do</h2>
          <WhatToDo tenant={tenant} alerts={own} rows={causes.data?.rows ?? []} />
        </section>
        <div class="stack">
          <Quotas quotas={about.data?.quotas ?? []} now={now} />
          <Contact about={about.data} />
        </div>
      </div>
      <Events tenant={tenant} name={name} now={now} />
    </>
  )
}

function Overview(props: {
  readonly tenant: string
  readonly about: TenantAnswer | null
  readonly alerts: readonly PageAlert[]
  readonly now: number
}) {
  const { tenant, about, now } = props
  const { silences, again } = useSilences()
  const active = props.alerts.filter(({ state }) => state === 'firing')
  const pending = props.alerts.filter(({ state }) => state === 'pending').length
  return (
    <section aria-labelledby="tenant">
      <div class="heading">
        <h2 id="tenant">
          <bdi>{about?.tenant_name ?? tenant}</bdi>{' '}
          {about?.tenant_name == null ? null : <code class="muted">{tenant}</code>}
        </h2>
        <span class="end">
          <SilenceButton matchers={[exactly('tenant', tenant)]} label="silence this tenant" onDone={again} />
          <Go to={{ tenant: undefined, api: undefined, cause: undefined }}>another tenant</Go>
        </span>
      </div>
      {active.length === 0 ? (
        <p class="calm">
          <span class="ok" aria-hidden="true">
            ✓{' '}
          </span>
          No alert fires about this tenant.
          {pending > 0 ? ` ${pending} ${pending === 1 ? 'condition is' : 'conditions are'} being watched.` : ''}
        </p>
      ) : (
        <ul class="alerts">
          {active.map((alert) => (
            <AlertSentence
              key={alert.fingerprint}
              alert={alert}
              now={now}
              silence={silenceOf(alert, silences)}
              onSilenced={again}
              at="tenant"
            />
          ))}
        </ul>
      )}
      <Figures tenant={tenant} about={about} now={now} />
    </section>
  )
}
