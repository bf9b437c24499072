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
}

/** Who the tenants are. It may change while the daemon runs, so ask each time and keep nothing. */
export interface TenantDirectory {
  find(id: string): Tenant | null
}

/** Where no directory is configured. */
export const noDirectory: TenantDirectory = { find: () => null }
