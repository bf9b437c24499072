import type { LiveRow, TenantRow } from '../answers.ts'
import { pathOf } from '../ask/api.ts'
import { usePoll } from '../ask/poll.ts'
import { count } from '../format.ts'
import { Go, useNavigation } from '../navigation.tsx'
import { TenantName } from '../tenant-name.tsx'

const pollMs = 30_000
const mostNamed = 8

/** Tenants that match the search but are not in the table: calm ones, and those beyond its end. */
export function OtherTenants({ shown }: { readonly shown: readonly LiveRow[] }) {
  const { view } = useNavigation()
  const search = view.search.trim()
  // One letter matches nearly everybody.
  const path = search.length < 2 ? null : pathOf('/api/v1/tenants', { q: search, limit: '50' })
  const { data } = usePoll<{ rows: readonly TenantRow[] }>(path, pollMs)
  const there = new Set(shown.filter(({ payment_required }) => payment_required > 0).map(({ tenant }) => tenant))
  const others = (data?.rows ?? []).filter(({ tenant }) => !there.has(tenant))
  if (others.length === 0) return null
  return (
    <p class="below">
      <span>Not refused in this window, or further down:</span>
      {others.slice(0, mostNamed).map(({ tenant, tenant_name }) => (
        <Go key={tenant} to={{ place: 'tenant', tenant, api: undefined, cause: undefined }}>
          <TenantName tenant={tenant} name={tenant_name} />
        </Go>
      ))}
      {others.length > mostNamed ? <span>and {count(others.length - mostNamed)} more</span> : null}
    </p>
  )
}
