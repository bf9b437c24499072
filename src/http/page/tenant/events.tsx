import { useState } from 'preact/hooks'
import type { EventRow } from '../answers.ts'
import { ask, pathOf } from '../ask/api.ts'
import { usePoll } from '../ask/poll.ts'
import { useAction } from '../ask/use-action.ts'
import { Asked } from '../asked.tsx'
import { Swatch } from '../cause-chip.tsx'
import { causeName } from '../causes.ts'
import { downloadFrom } from '../download.ts'
import { Go, useNavigation } from '../navigation.tsx'
import { TenantName } from '../tenant-name.tsx'
import { filterQuery, spanQuery } from '../view.ts'
import { When } from '../when.tsx'

const pollMs = 10_000
const pageRows = '25'
/** As many as one file may hold. */
const exportRows = '10000'

interface EventsAnswer {
  readonly rows: readonly EventRow[]
  readonly next?: string | null
}

/** The refusals one by one that the chosen numbers are made of. */
export function Events(props: { readonly tenant: string; readonly name: string | null; readonly now: number }) {
  const { view } = useNavigation()
  const query = { ...spanQuery(view), ...filterQuery(view) }
  const path = pathOf('/api/v1/events', { ...query, limit: pageRows })
  const asked = usePoll<EventsAnswer>(path, pollMs)
  const [saving, save] = useAction<void>()
  const choice = [view.api, view.cause === undefined ? undefined : causeName(view.cause)]
  return (
    <section aria-labelledby="events">
      <div class="heading">
        <h2 id="events">
          Latest refusals of <TenantName tenant={props.tenant} name={props.name} />
          {choice.flatMap((part) => (part === undefined ? [] : [` / ${part}`]))}
        </h2>
        <button
          type="button"
          class="quiet end"
          disabled={saving.state === 'busy'}
          onClick={() =>
            void save(() =>
              downloadFrom(
                pathOf('/api/v1/events', { ...query, limit: exportRows, format: 'csv' }),
                'tollwatch-events.csv',
              ),
            )
          }
        >
          save as CSV
        </button>
      </div>
      {saving.state === 'failed' ? <p class="trouble">The file could not be had: {saving.error.message}</p> : null}
      <Asked asked={asked} what="History">
        {(first) => <Pages key={path} first={first} query={query} now={props.now} />}
      </Asked>
    </section>
  )
}

function Pages(props: {
  readonly first: EventsAnswer
  readonly query: Readonly<Record<string, string | undefined>>
  readonly now: number
}) {
  const { first } = props
  const [older, setOlder] = useState<EventsAnswer | null>(null)
  const [action, run] = useAction<unknown>()
  if (first.rows.length === 0) {
    return (
      <p class="empty">
        No single refusals of this choice are in history for this range; new ones take up to half a minute.
      </p>
    )
  }
  // What the first page shows moves on while it polls; older pages then hold on to it as it was.
  const rows = older === null ? first.rows : older.rows
  const next = older === null ? (first.next ?? null) : (older.next ?? null)
  const onMore = () =>
    void run(async () => {
      const page = await ask<EventsAnswer>(
        pathOf('/api/v1/events', { ...props.query, limit: pageRows, cursor: next ?? undefined }),
      )
      setOlder({ rows: [...rows, ...page.rows], next: page.next ?? null })
    })
  return (
    <>
      <Table rows={rows} now={props.now} />
      <p class="below">
        {next === null ? null : (
          <button type="button" class="quiet" disabled={action.state === 'busy'} onClick={onMore}>
            show older ones
          </button>
        )}
        {older === null ? null : (
          <button type="button" class="quiet" onClick={() => setOlder(null)}>
            back to the newest
          </button>
        )}
        {action.state === 'failed' ? <span class="flaw">{action.error.message}</span> : null}
      </p>
    </>
  )
}

function Table({ rows, now }: { readonly rows: readonly EventRow[]; readonly now: number }) {
  return (
    <div class="scroll">
      <table class="events">
        <caption class="hidden">Latest refusals of this choice, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">API</th>
            <th scope="col">Cause</th>
            <th scope="col">Decided by</th>
            <th scope="col">Consumer</th>
            <th scope="col">Request</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            // Requests may lack an id, so the place in the list is part of the key.
            <tr key={`${row.time} ${row.request_id} ${i}`}>
              <td>
                <When at={row.time} now={now} seconds />
              </td>
              <td>
                <Go to={{ api: row.api }}>{row.api}</Go>
              </td>
              <td title={row.cause}>
                <Swatch cause={row.cause} /> <Go to={{ cause: row.cause }}>{causeName(row.cause)}</Go>
                {row.kind === 'payment_required' ? null : (
                  <span class="muted" title="Not part of the rates.">
                    {' '}
                    {row.kind.replaceAll('_', ' ')}
                  </span>
                )}
              </td>
              <td>
                {row.cause_code === null ? (
                  <span class="muted">nothing in the log</span>
                ) : (
                  <code>{row.cause_code}</code>
                )}
                {row.cause_source === null ? null : <span class="muted"> in {row.cause_source}</span>}
              </td>
              <td>{row.consumer ?? <span class="muted">unknown</span>}</td>
              <td>
                <code>{row.request_id ?? ''}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
