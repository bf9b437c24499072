import { useState } from 'preact/hooks'
import type { TenantRow } from '../answers.ts'
import { ask, pathOf } from '../ask/api.ts'
import { usePoll } from '../ask/poll.ts'
import { useAction } from '../ask/use-action.ts'
import { Asked } from '../asked.tsx'
import { count, percent } from '../format.ts'
import { Go, useNavigation } from '../navigation.tsx'
import { TenantName } from '../tenant-name.tsx'

const pollMs = 10_000
const pageRows = '50'

interface TenantsAnswer {
  readonly rows: readonly TenantRow[]
  readonly next: string | null
}

/** All tenants, worst first, found by a part of the id or the name. */
export function Directory() {
  const { view, go } = useNavigation()
  const query = { q: view.search, limit: pageRows }
  const asked = usePoll<TenantsAnswer>(pathOf('/api/v1/tenants', query), pollMs)
  return (
    <section aria-labelledby="tenants">
      <div class="heading">
        <h2 id="tenants">Which tenant?</h2>
        <input
          type="search"
          class="end"
          aria-label="Find a tenant by id or name"
          placeholder="Part of the id or name"
          value={view.search}
          onInput={(event) => go({ search: event.currentTarget.value })}
        />
      </div>
      <Asked asked={asked} what="The tenants">
        {(first) =>
          first.rows.length === 0 ? (
            <p class="empty">
              {view.search === ''
                ? 'No tenant sent a request in the last hour. Those in tenants.yaml and those that send would be listed here.'
                : `No tenant of the last hour or of tenants.yaml has “${view.search}” in its id or name.`}
            </p>
          ) : (
            <Pages key={view.search} first={first} query={query} />
          )
        }
      </Asked>
    </section>
  )
}

/** The first page moves with every poll; further ones stay as they were when they were asked for. */
function Pages({ first, query }: { readonly first: TenantsAnswer; readonly query: { q: string; limit: string } }) {
  const [rest, setRest] = useState<TenantsAnswer | null>(null)
  const [action, run] = useAction<unknown>()
  const next = rest === null ? first.next : rest.next
  const onMore = () =>
    void run(async () => {
      const page = await ask<TenantsAnswer>(pathOf('/api/v1/tenants', { ...query, cursor: next ?? undefined }))
      setRest({ rows: [...(rest?.rows ?? []), ...page.rows], next: page.next })
    })
  const listed = new Set(first.rows.map(({ tenant }) => tenant))
  const rows = [...first.rows, ...(rest?.rows ?? []).filter(({ tenant }) => !listed.has(tenant))]
  return (
    <>
      <table class="cards">
        <caption class="hidden">Tenants, those with the most refusals in the last hour first</caption>
        <thead>
          <tr>
            <th scope="col">Tenant</th>
            <th scope="col">Alerts</th>
            <th scope="col" class="number">
              Refused in the last hour
            </th>
            <th scope="col" class="number">
              Share
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.tenant}>
              <th scope="row" class="tenant">
                <Go to={{ tenant: row.tenant, api: undefined, cause: undefined, search: '' }}>
                  <TenantName tenant={row.tenant} name={row.tenant_name} shared />
                </Go>
              </th>
              <td class="api">{row.firing > 0 ? <span class="severity page">{row.firing} firing</span> : null}</td>
              <td class="number refused">
                {row.requests === 0 ? (
                  <span class="muted">no requests</span>
                ) : (
                  <>
                    <b>{count(row.payment_required)}</b> of {count(row.requests)}
                  </>
                )}
              </td>
              <td class="number share">{row.requests === 0 ? '' : percent(row.ratio)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {next === null ? null : (
        <p class="below">
          <button type="button" class="quiet" disabled={action.state === 'busy'} onClick={onMore}>
            show more
          </button>
          {action.state === 'failed' ? <span class="flaw">{action.error.message}</span> : null}
        </p>
      )}
    </>
  )
}
