import type { Expiry } from './expiry.ts'

/** What is known of one tenant beside its id. Texts are the operator's own; whatever is unknown is null. */
export interface Tenant {
  /** As it stands in the access logs. */
  readonly id: string
  /** For people: messages and pages show it beside the id. */
  readonly name: string | null
  readonly plan: string | null
  /** An IANA time zone, such as `Europe/Berlin`. */
  readonly timezone: string | null
  /** Mail addresses by purpose, such as `billing` or `technical`. */
  readonly contacts: ReadonlyMap<string, readonly string[]>
  /** The end of its subscription; absent where none is known. */
  readonly expires?: Expiry
}

/** Who the tenants are. It may change while the daemon runs, so ask each time and keep nothing. */
export interface TenantDirectory {
  find(id: string): Tenant | null
  /** Those whose subscription has an end; a directory without the method knows of none. */
  ending?(): readonly Tenant[]
}

/** Where no directory is configured. */
export const noDirectory: TenantDirectory = { find: () => null }
