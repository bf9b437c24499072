import type { Alert } from '../alert/alert.ts'
import type { EpochMs } from '../time/clock.ts'
import { hourMs } from '../time/duration.ts'
import { labelOf } from './labels.ts'
import { isCause } from './runbook.ts'

/** Where messages point to. */
export interface LinkBases {
  /** Such as `http://127.0.0.1:8402`; null for no links to the page. */
  readonly pageUrl: string | null
  /** A folder of runbooks: an address, or a path that is shown as text. */
  readonly runbookUrl: string
  /** Grafana's address with the folder of the dashboard, such as `https://grafana.example.com/d/tenant-402`. */
  readonly dashboardUrl: string | null
}

export interface Link {
  readonly name: string
  readonly url: string
}

/** Links with the alert's filters and time range filled in. */
export function linksOf(alert: Alert, bases: LinkBases, now: EpochMs): readonly Link[] {
  const links: Link[] = []
  const add = (name: string, base: string | null, fields: Record<string, string>) => {
    if (base === null || !isHttp(base)) return
    const url = new URL(base)
    for (const [key, value] of Object.entries(fields)) if (value !== '') url.searchParams.set(key, value.slice(0, 300))
    links.push({ name, url: url.href })
  }
  const tenant = labelOf(alert.labels, 'tenant')
  const api = labelOf(alert.labels, 'api')
  const cause = labelOf(alert.labels, 'cause')
  add('Open in Tollwatch', bases.pageUrl, { tenant, api })
  add('Dashboard', bases.dashboardUrl, {
    'var-tenant': tenant,
    'var-api': api,
    'var-cause': cause,
    from: String(alert.activeAtMs - hourMs),
    to: alert.resolvedAtMs === null ? 'now' : String(Math.min(now, alert.resolvedAtMs + hourMs)),
  })
  return links
}

/** The rule's own runbook, else that of the cause; an address or a path, null when neither is known. */
export function runbookOf(alert: Alert, cause: string | null, base: string): string | null {
  const own = alert.annotations['runbook']
  if (own !== undefined && isHttp(own)) return own
  const folder = base.endsWith('/') ? base : `${base}/`
  // Of a path only the file's name counts; annotations may hold labels, so a name must look like one.
  const name = own?.replace(/^.*\//, '') ?? ''
  if (/^[\w.-]{1,100}$/.test(name)) return folder + name
  return cause !== null && isCause(cause) ? `${folder}${cause}.md` : null
}

/** Only such texts become links: never `javascript:` or a bare word out of a label. */
export function isHttp(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}
