import { useEffect, useState } from 'preact/hooks'
import { Now } from './alerts.tsx'
import type { EventRow, Live, PageAlert, Status, Trends } from './answers.ts'
import { pathOf } from './api.ts'
import { Choice } from './choice.tsx'
import { CopyButton } from './copy-button.tsx'
import { shellWord } from './csv.ts'
import { Events } from './events.tsx'
import { Footer, Header, Trouble } from './frame.tsx'
import { LiveTable } from './live-table.tsx'
import { type Polled, usePoll } from './poll.ts'
import { TenantName } from './tenant-name.tsx'
import { TokenForm } from './token-form.tsx'
import { TrendChart } from './trend-chart.tsx'
import { useView } from './use-view.ts'
import { ranges, type View, windows } from './view.ts'

/** Memory answers at once, history is asked less often. */
const livePollMs = 2_000
const historyPollMs = 10_000

/** One page with three answers: is anything wrong now, who and why, since when. */
export function App() {
  const [tokens, setTokens] = useState(0)
  return <Page key={tokens} onToken={() => setTokens(tokens + 1)} />
}

function Page({ onToken }: { readonly onToken: () => void }) {
  const [view, onView] = useView()
  const status = usePoll<Status>('/api/v1/status', livePollMs)
  const live = usePoll<Live>(pathOf('/api/v1/live', { window: view.window }), livePollMs)
  const alerts = usePoll<{ alerts: readonly PageAlert[] }>('/api/v1/alerts', livePollMs)
  const firing = alerts.data?.alerts ?? null
  useTitle(status.data, firing)
  const now = Date.parse(status.data?.now ?? live.data?.at ?? '')
  if (status.error?.status === 401) return <TokenForm problem={status.error.message} onToken={onToken} />
  const error = live.error ?? alerts.error ?? status.error
  return (
    <>
      <Header status={status.data} live={live.data} error={error} view={view} onView={onView} />
      <main>
        <Trouble status={status.data} error={error} />
        <section aria-labelledby="now">
          <h2 id="now" tabIndex={-1}>
            Is anything wrong now?
          </h2>
          <Now alerts={firing} live={live.data} status={status.data} view={view} onView={onView} />
        </section>
        <section aria-labelledby="who">
          <div class="heading">
            <h2 id="who" tabIndex={-1}>
              Who is refused, and why
            </h2>
            <Choice label="Window" words={windows} chosen={view.window} onChoose={(window) => onView({ window })} />
          </div>
          {live.data === null ? (
            <p class="muted">Asking the daemon…</p>
          ) : (
            <LiveTable live={live.data} alerts={firing ?? []} now={now} view={view} onView={onView} />
          )}
        </section>
        <Since
          view={view}
          onView={onView}
          alerts={firing ?? []}
          watermark={status.data?.watermark ?? null}
          live={live.data}
        />
      </main>
      <Footer status={status.data} live={live.data} />
    </>
  )
}

function Since(props: {
  readonly view: View
  readonly onView: (change: Partial<View>, push?: boolean) => void
  readonly alerts: readonly PageAlert[]
  readonly watermark: string | null
  readonly live: Live | null
}) {
  const { view, onView } = props
  const completeMs = props.watermark === null ? null : Date.parse(props.watermark)
  const { tenant, api } = view
  const choice = { from: `-${view.range}`, tenant, api }
  const trends = usePoll<Trends>(pathOf('/api/v1/trends', { ...choice, by: 'cause' }), historyPollMs)
  const eventsPath = tenant === undefined ? null : pathOf('/api/v1/events', { ...choice, limit: '20' })
  const events = usePoll<{ rows: readonly EventRow[] }>(eventsPath, historyPollMs)
  const named = [...(props.live?.rows ?? []), ...(events.data?.rows ?? [])].find((row) => row.tenant === tenant)
  const name = named?.tenant_name ?? null
  const filter = [
    tenant === undefined ? '' : ` --tenant ${shellWord(tenant)}`,
    api === undefined ? '' : ` --api ${shellWord(api)}`,
  ].join('')
  const command = `tollwatch query trends --from -${view.range} --by cause${filter} --url ${location.origin}`
  return (
    <section aria-labelledby="trend">
      <div class="heading">
        <h2 id="trend" tabIndex={-1}>
          Since when
        </h2>
        {tenant === undefined ? null : (
          <button
            type="button"
            class="filter"
            aria-label={`Show all tenants again, not only ${name ?? tenant}`}
            onClick={() => onView({ tenant: undefined, api: undefined }, true)}
          >
            <TenantName tenant={tenant} name={name} />
            {api === undefined ? '' : ` / ${api}`} <span aria-hidden="true">×</span>
          </button>
        )}
        <Choice label="Range" words={ranges} chosen={view.range} onChoose={(range) => onView({ range })} />
      </div>
      <FromHistory asked={trends}>
        {(data) => (
          <TrendChart
            trends={data}
            alerts={props.alerts.filter((alert) => concerns(alert, view))}
            completeMs={completeMs}
          />
        )}
      </FromHistory>
      <p class="below">
        <CopyButton text={command} label="copy as command" />
      </p>
      {tenant === undefined ? null : (
        <>
          <h3>
            Latest refusals of <TenantName tenant={tenant} name={name} />
            {api === undefined ? '' : ` / ${api}`}
          </h3>
          <FromHistory asked={events}>{(data) => <Events rows={data.rows} />}</FromHistory>
        </>
      )}
    </section>
  )
}

function concerns({ labels }: PageAlert, { tenant, api }: View): boolean {
  return (
    (tenant === undefined || (labels['tenant'] ?? tenant) === tenant) &&
    (api === undefined || (labels['api'] ?? api) === api)
  )
}

/** What history answered; old answers stay on the screen beside the news that it cannot be asked. */
function FromHistory<Answer>(props: {
  readonly asked: Polled<Answer>
  readonly children: (data: Answer) => preact.ComponentChildren
}) {
  const { data, error } = props.asked
  return (
    <>
      {error === null ? null : (
        <p class="trouble" role="status">
          History cannot be asked: {error.message}{' '}
          {data === null ? 'What is above comes from memory and goes on.' : 'This is what it said last.'}
        </p>
      )}
      {data === null ? error === null ? <p class="muted">Asking history…</p> : null : props.children(data)}
    </>
  )
}

/** The tab tells how many alerts fire, for those who keep it in the background. */
function useTitle(status: Status | null, alerts: readonly PageAlert[] | null): void {
  const firing = (alerts ?? []).filter(({ state }) => state === 'firing').length
  const title = `${firing > 0 ? `(${firing}) ` : ''}${status?.title ?? 'Tollwatch'}${status?.demo === true ? ' – demo data' : ''}`
  useEffect(() => {
    document.title = title
  }, [title])
}
