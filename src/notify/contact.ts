import type { Alert } from '../alert/alert.ts'
import type { TenantDirectory } from '../tenants/directory.ts'
import { labelOf } from './labels.ts'

/** Most addresses of one tenant and purpose that one message goes to. */
const addressLimit = 10

/** The one tenant that all the alerts are about; null where there are several, or none. */
export function tenantOf(alerts: readonly Alert[]): string | null {
  const tenants = new Set(alerts.map(({ labels }) => labelOf(labels, 'tenant')))
  const [only = ''] = tenants
  return tenants.size === 1 && only !== '' ? only : null
}

/**
 * Where a tenant wants to be told, such as its `billing` contacts; empty where nothing usable is on file. Only plain
 * addresses count: a name with brackets or commas around it could name somebody else as well.
 */
export function addressesOf(tenant: string, purpose: string, directory: TenantDirectory): readonly string[] {
  const addresses = directory.find(tenant)?.contacts.get(purpose) ?? []
  return [...new Set(addresses.filter(isAddress))].slice(0, addressLimit)
}

export function isAddress(text: string): boolean {
  return text.length <= 254 && /^[^\s<>()[\]"',;:\\@\p{Cc}]+@[^\s<>()[\]"',;:\\@\p{Cc}]+$/u.test(text)
}
