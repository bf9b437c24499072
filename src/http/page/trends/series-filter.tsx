import { useState } from 'preact/hooks'
import { causes } from '../../../classify/cause.ts'
import type { TenantRow } from '../answers.ts'
import { pathOf } from '../ask/api.ts'
import { useFeed } from '../ask/feed-root.tsx'
import { usePoll } from '../ask/poll.ts'
import { causeName } from '../causes.ts'
import { useNavigation } from '../navigation.tsx'

const pollMs = 30_000

/** Narrows everything down to one tenant, API or cause; names are suggested while one types. */
export function SeriesFilter() {
  const { view, go } = useNavigation()
  const { live } = useFeed()
  const [tenant, setTenant] = useState('')
  const path = tenant.trim().length < 2 ? null : pathOf('/api/v1/tenants', { q: tenant.trim(), limit: '20' })
  const found = usePoll<{ rows: readonly TenantRow[] }>(path, pollMs).data
  const apis = [...new Set((live?.rows ?? []).map(({ api }) => api))].sort()
  return (
    <>
      {view.tenant === undefined ? (
        <form
          class="labelled"
          onSubmit={(event) => {
            event.preventDefault()
            if (tenant.trim() !== '') go({ tenant: tenant.trim() }, true)
            setTenant('')
          }}
        >
          <label class="muted" for="filter-tenant">
            Tenant
          </label>
          <input
            id="filter-tenant"
            list="tenants-found"
            placeholder="all; type an id, Enter"
            value={tenant}
            onInput={(event) => setTenant(event.currentTarget.value)}
          />
          <datalist id="tenants-found">
            {(found?.rows ?? []).map((row) => (
              <option key={row.tenant} value={row.tenant}>
                {row.tenant_name ?? row.tenant}
              </option>
            ))}
          </datalist>
        </form>
      ) : null}
      {view.api === undefined ? (
        <div class="labelled">
          <label class="muted" for="filter-api">
            API
          </label>
          <select
            id="filter-api"
            value=""
            onChange={(event) => go({ api: event.currentTarget.value || undefined }, true)}
          >
            <option value="">all</option>
            {apis.map((api) => (
              <option key={api} value={api}>
                {api}
              </option>
            ))}
          </select>
        </div>
      ) : null}
      {view.cause === undefined ? (
        <div class="labelled">
          <label class="muted" for="filter-cause">
            Cause
          </label>
          <select
            id="filter-cause"
            value=""
            onChange={(event) => go({ cause: event.currentTarget.value || undefined }, true)}
          >
            <option value="">all</option>
            {causes.map((cause) => (
              <option key={cause} value={cause}>
                {causeName(cause)}
              </option>
            ))}
          </select>
        </div>
      ) : null}
    </>
  )
}
