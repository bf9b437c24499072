import { useState } from 'preact/hooks'
import type { Live } from '../answers.ts'
import { useFeed } from '../ask/feed-root.tsx'
import { CauseChip } from '../cause-chip.tsx'
import { downloadCsv } from '../download.ts'
import { besideNormal, count, duration, fewRequests, percent } from '../format.ts'
import { Go, useNavigation } from '../navigation.tsx'
import { SortHeading } from '../sort-heading.tsx'
import { Sparkline } from '../sparkline.tsx'
import { TenantName } from '../tenant-name.tsx'
import { timesNormal } from '../times-normal.ts'
import type { SortKey } from '../view.ts'
import { When } from '../when.tsx'
import { OtherTenants } from './other-tenants.tsx'
import { sharedNames, sinceOf, type TableRow, tableRows } from './rows.ts'

interface TableProps {
  readonly live: Live
  readonly now: number
  /** Asks for more rows; null when all that can be had are there. */
  readonly onMore: (() => void) | null
}

/** The second answer: who is refused, and why. Worst first until a heading is clicked. */
export function LiveTable({ live, now, onMore }: TableProps) {
  const { view } = useNavigation()
  const { alerts } = useFeed()
  const [showClean, setShowClean] = useState(false)
  const { refused, clean } = tableRows(live.rows, alerts ?? [], view)
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
        <Nobody />
      ) : (
        <table class="cards">
          <caption class="hidden">Refusals by tenant and API in the last {duration(live.window_ms)}</caption>
          <thead>
            <tr>
              <Heading name="tenant" label="Tenant" />
              <Heading name="api" label="API" />
              <th scope="col">Why</th>
              <Heading name="refused" label="Refused" numeric />
              <Heading name="share" label="Share" numeric />
              <th scope="col">Against normal</th>
              <Heading name="since" label="Since" />
              <th scope="col">Last 30 min</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((entry) => (
              <Row
                key={`${entry.row.tenant}\n${entry.row.api}`}
                entry={entry}
                now={now}
                shared={entry.row.tenant_name !== null && shared.has(entry.row.tenant_name)}
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
        {live.rows.length < live.series && onMore !== null ? (
          <button type="button" class="quiet" onClick={onMore}>
            show more
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
      <OtherTenants shown={live.rows} />
    </>
  )
}

function Heading({ name, label, numeric = false }: { name: SortKey; label: string; numeric?: boolean }) {
  const { view, go } = useNavigation()
  const sorted = view.sort === name
  // Names read from A, numbers from the worst; a second click turns it round.
  const ascending = sorted ? !view.ascending : name === 'tenant' || name === 'api'
  return (
    <SortHeading
      label={label}
      numeric={numeric}
      sorted={sorted ? (view.ascending ? 'ascending' : 'descending') : null}
      onSort={() => go({ sort: name, ascending })}
    />
  )
}

function Nobody() {
  const { view } = useNavigation()
  const filtered = view.tenant ?? view.api ?? view.cause
  if (view.search !== '') return <p class="empty">No refused tenant, API or cause matches “{view.search}”.</p>
  if (filtered !== undefined) return <p class="empty">Nothing of this choice is refused in this window.</p>
  return <p class="empty">No tenant is refused in this window.</p>
}

function Row(props: { readonly entry: TableRow; readonly shared: boolean; readonly now: number }) {
  const { entry, now } = props
  const { row, alert } = entry
  const causes = Object.entries(row.causes).sort((a, b) => b[1] - a[1])
  const thin = row.requests < fewRequests ? 'thin' : ''
  const since = sinceOf(entry)
  const toTenant = { place: 'tenant', tenant: row.tenant, cause: undefined } as const
  return (
    <tr class={alert === null ? '' : `alerting ${alert.severity}`}>
      <th scope="row" class="tenant">
        <Go to={{ ...toTenant, api: undefined }}>
          <TenantName tenant={row.tenant} name={row.tenant_name} shared={props.shared} />
        </Go>
      </th>
      <td class="api">
        <Go to={{ ...toTenant, api: row.api }}>{row.api}</Go>
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
      <td class="normal">{normalOf(entry)}</td>
      <td class="since">{since === 0 ? null : <When at={since} now={now} ago />}</td>
      <td class="spark">
        {row.sparkline === undefined ? null : <Sparkline values={row.sparkline} label={spoken(row.sparkline)} />}
      </td>
    </tr>
  )
}

/** In words, as an alert about this very series has it, else as the baseline has it. */
function normalOf({ row, alert }: TableRow) {
  // An alert over several APIs has numbers of its own; the row's are about this one.
  const own = alert?.labels['api'] === row.api ? timesNormal(alert) : null
  if (own !== null) return own
  if (row.normal != null) return besideNormal(row.payment_required, row.normal.expected)
  return alert === null ? <span class="muted">not known yet</span> : 'over the limit'
}

function spoken(values: readonly number[]): string {
  return `refusals a minute over ${values.length} min, at most ${count(Math.max(...values))}`
}

function download(rows: readonly TableRow[]): void {
  const heading = ['tenant', 'api', 'requests', 'payment_required', 'ratio', 'causes', 'tenant_name']
  const lines = rows.map(({ row }) => {
    const causes = Object.entries(row.causes).map(([cause, value]) => `${cause}=${value}`)
    const { tenant, api, requests, payment_required, ratio, tenant_name } = row
    return [tenant, api, requests, payment_required, ratio, causes.join(' '), tenant_name]
  })
  downloadCsv('tollwatch.csv', [heading, ...lines])
}
