import { useServerNow } from '../ask/feed-root.tsx'
import { useNavigation } from '../navigation.tsx'
import { Directory } from './directory.tsx'
import { OneTenant } from './one-tenant.tsx'

/** Everything about one tenant; without one, the list of all to choose from. */
export function TenantView() {
  const { view } = useNavigation()
  const now = useServerNow() ?? 0
  if (view.tenant === undefined) return <Directory />
  return <OneTenant key={view.tenant} tenant={view.tenant} now={now} />
}
