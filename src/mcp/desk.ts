import type { Queries } from '../history/query.ts'
import type { Clock } from '../time/clock.ts'

/** Whom the tools ask. */
export interface Desk {
  readonly queries: Pick<Queries, 'trends' | 'summary' | 'events' | 'alerts'>
  readonly clock: Pick<Clock, 'now'>
  /** The name that people know a tenant by; null where none is known. */
  nameOf(tenant: string): string | null
  /** Null where history alone is open: what goes on now is not known then. */
  readonly live: LiveDesk | null
}

/** What a daemon knows beside history, as its API answers it; see `/api/v1/openapi.json`. */
export interface LiveDesk {
  /** `/api/v1/alerts` */
  alerts(): Promise<unknown>
  /** `/api/v1/alerts/{fingerprint}/explain`; null when there is no such alert. */
  explain(fingerprint: string): Promise<unknown>
  /** `/api/v1/tenants/{tenant}`; null when nothing is known of it. */
  tenant(id: string): Promise<unknown>
  /** `/api/v1/tenants?q=…`: tenants whose id or name has this part. */
  tenants(part: string): Promise<unknown>
}

/** The name that came with a row, which a daemon gives, or the desk's own. */
export function nameIn(row: object, tenant: string | undefined, desk: Desk): string | null {
  if ('tenant_name' in row && typeof row.tenant_name === 'string') return row.tenant_name
  return tenant === undefined ? null : desk.nameOf(tenant)
}
