import { useState } from 'preact/hooks'
import type { Live, PageAlert } from './answers.ts'
import { CauseChip } from './cause-chip.tsx'
import { csv } from './csv.ts'
import { againstNormal, clockTime, count, duration, exactTime, fewRequests, percent } from './format.ts'
import { sharedNames, type TableRow, tableRows } from './rows.ts'
import { SeriesLink } from './series-link.tsx'
import { TenantName } from './tenant-name.tsx'
import type { SortKey, View } from './view.ts'

interface TableProps {
  readonly live: Live
  readonly alerts: readonly PageAlert[]
  readonly now: number
  readonly view: View
  readonly onView: (change: Partial<View>, push?: boolean) => void
}

/** The second answer: who is refused, and why. Worst first until a heading is clicked. */
export function LiveTable(props: TableProps) {
  const { live, view } = props
  const [showClean, setShowClean] = useState(false)
  const { refused, clean } = tableRows(live.rows, props.alerts, view)
  const shown = showClean ? [...refused, ...clean] : refused
  const shared = sharedNames(live.rows)
  if (live.total.requests === 0) {
    return (
      <p class="empty">
        Tenants whose requests are refused with 402 would be listed here. No request arrived in this window.
      </p>
    )
  }
  return (
    <>
      {shown.length === 0 ? (
        <p class="empty">
          {view.search === ''
            ? 'No tenant is refused in this window.'
            : `No refused tenant, API or cause matches “${view.search}”.`}
        </p>
      ) : (
        <table>
          <caption class="hidden">Refusals by tenant and API in the last {duration(live.window_ms)}</caption>
          <thead>
            <tr>
              <Heading name="tenant" label="Tenant" {...props} />
              <Heading name="api" label="API" {...props} />
              <th scope="col">Why</th>
              <Heading name="refused" label="Refused" numeric {...props} />
              <Heading name="share" label="Share" numeric {...props} />
              <th scope="col">Against normal</th>
              <Heading name="since" label="Since" {...props} />
            </tr>
          </thead>
          <tbody>
            {shown.map((entry) => (
              <Row
                key={`${entry.row.tenant}\n${entry.row.api}`}
                entry={entry}
                shared={entry.row.tenant_name !== null && shared.has(entry.row.tenant_name)}
                {...props}
              />
            ))}
          </tbody>
        </table>
      )}
      <p class="below">
        {clean.length > 0 ? (
          <button type="button" class="quiet" onClick={() => setShowClean(!showClean)}>
            {showClean ? 'hide' : 'show'} {count(clean.length)} without refusals
          </button>
        ) : null}
        <button type="button" class="quiet" onClick={() => download(shown)}>
          save as CSV
        </button>
        {live.rows.length < live.series ? (
          <span>
            The worst {count(live.rows.length)} of {count(live.series)} series; the totals above hold all.
          </span>
        ) : null}
      </p>
    </>
  )
}

function Heading(props: TableProps & { readonly name: SortKey; readonly label: string; readonly numeric?: boolean }) {
  const { name, view } = props
  const sorted = view.sort === name
  const order = sorted ? (view.ascending ? 'ascending' : 'descending') : 'none'
  // Names read from A, numbers from the worst; a second click turns it round.
  const ascending = sorted ? !view.ascending : name === 'tenant' || name === 'api'
  return (
    <th scope="col" aria-sort={order} class={props.numeric === true ? 'number' : ''}>
      <button type="button" class="sort" onClick={() => props.onView({ sort: name, ascending })}>
        {props.label}
        <span aria-hidden="true">{sorted ? (view.ascending ? ' ↑' : ' ↓') : ''}</span>
      </button>
    </th>
  )
}

function Row({
  entry,
  shared,
  view,
  onView,
  now,
}: TableProps & { readonly entry: TableRow; readonly shared: boolean }) {
  const { row, alert } = entry
  const chosen = view.tenant === row.tenant && (view.api === undefined || view.api === row.api)
  const causes = Object.entries(row.causes).sort((a, b) => b[1] - a[1])
  const thin = row.requests < fewRequests ? 'thin' : ''
  const normal = alert === null ? null : againstNormal(alert.numbers.observed, alert.numbers.expected)
  return (
    <tr class={`${chosen ? 'chosen' : ''} ${alert === null ? '' : `alerting ${alert.severity}`}`}>
      <th scope="row" class="tenant">
        <SeriesLink view={view} onView={onView} tenant={row.tenant} api={undefined}>
          <TenantName tenant={row.tenant} name={row.tenant_name} shared={shared} />
        </SeriesLink>
      </th>
      <td class="api">
        <SeriesLink view={view} onView={onView} tenant={row.tenant} api={row.api}>
          {row.api}
        </SeriesLink>
      </td>
      <td class="why">
        {causes.map(([cause, value]) => (
          <CauseChip key={cause} cause={cause} value={value} />
        ))}
      </td>
      <td class="number refused">
        <b>{count(row.payment_required)}</b> of {count(row.requests)}
      </td>
      <td
        class={`number share ${thin}`}
        title={thin === '' ? undefined : `fewer than ${fewRequests} requests: says little`}
      >
        {percent(row.ratio)}
      </td>
      <td class="normal">{alert === null ? <span class="muted">no alert</span> : (normal ?? 'over the limit')}</td>
      <td class="since">{alert === null ? null : <Since at={Date.parse(alert.since)} now={now} />}</td>
    </tr>
  )
}

function Since({ at, now }: { readonly at: number; readonly now: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
      {clockTime(at, now)} <span class="muted">({duration(now - at)})</span>
    </time>
  )
}

function download(rows: readonly TableRow[]): void {
  const heading = ['tenant', 'api', 'requests', 'payment_required', 'ratio', 'causes', 'tenant_name']
  const lines = rows.map(({ row }) => {
    const causes = Object.entries(row.causes).map(([cause, value]) => `${cause}=${value}`)
    const { tenant, api, requests, payment_required, ratio, tenant_name } = row
    return [tenant, api, requests, payment_required, ratio, causes.join(' '), tenant_name]
  })
  const url = URL.createObjectURL(new Blob([csv([heading, ...lines])], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = url
  link.download = 'tollwatch.csv'
  link.click()
  URL.revokeObjectURL(url)
}
