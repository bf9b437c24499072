/**
 * Links between the dashboards and to Tollwatch's own page. All of them carry the time on the screen; `test/dashboards`
 * checks that every address is understood where it leads.
 */
import { DashboardLinkBuilder, type DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'

/** Their uids, by which they link to each other. */
export type Board =
  | 'tollwatch-live'
  | 'tollwatch-tenant'
  | 'tollwatch-history'
  | 'tollwatch-alerts'
  | 'tollwatch-itself'

export interface PanelLink {
  readonly title: string
  readonly url: string
}

/** The same names for "this row's value" in every link. */
export const cell = '${__value.raw:percentencode}'
export const field = (name: string): string => `\${__data.fields.${name}:percentencode}`

/**
 * To a view of the page, at the time on the screen.
 *
 * @param parameters of `src/http/page/view.ts`; values may hold Grafana's variables
 */
export function toPage(title: string, parameters: Readonly<Record<string, string>>): PanelLink {
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${value}`)
  return { title, url: `\${page}/?${[...query, 'from=${__from:date:iso}', 'to=${__to:date:iso}'].join('&')}` }
}

/**
 * To another dashboard, at the time on the screen.
 *
 * @param carried variables that both dashboards have and that go along as they are chosen
 * @param set variables of the other dashboard with a value of their own
 */
export function toBoard(
  title: string,
  board: Board,
  carried: readonly string[],
  set: Readonly<Record<string, string>> = {},
): PanelLink {
  const own = Object.entries(set).map(([name, value]) => `var-${name}=${value}`)
  const along = [...carried, 'page'].map((name) => `\${${name}:queryparam}`)
  return { title, url: `/d/${board}?${[...own, ...along, '${__url_time_range}'].join('&')}` }
}

/** For the cells of a table's column. */
export function cellLinks(...links: readonly PanelLink[]): DynamicConfigValue {
  return { id: 'links', value: links.map((link) => ({ ...link, targetBlank: link.url.startsWith('${page}') })) }
}

/** For the points of a chart. */
export function pointLinks(...links: readonly PanelLink[]): DashboardLinkBuilder[] {
  return links.map(({ title, url }) => new DashboardLinkBuilder(title).url(url).targetBlank(url.startsWith('${page}')))
}
