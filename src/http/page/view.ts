import { hourMs, parseDuration } from '../../time/duration.ts'
import { parseInstant } from '../../time/instant.ts'

/** The six views, in the order of the navigation. */
export const places = ['now', 'tenant', 'trends', 'alerts', 'rules', 'health'] as const
export const windows = ['1m', '5m', '15m', '1h'] as const
export const ranges = ['15m', '1h', '3h', '24h', '7d', '30d'] as const
export const sortKeys = ['tenant', 'api', 'refused', 'share', 'since'] as const
export const groupings = ['cause', 'tenant', 'api'] as const
export const measures = ['refused', 'share'] as const
/** Between points; `auto` leaves the choice to the daemon. */
export const steps = ['auto', '10s', '1m', '5m', '15m', '1h', '1d'] as const
export const alertTabs = ['active', 'silences', 'history'] as const

export type Place = (typeof places)[number]
export type SortKey = (typeof sortKeys)[number]

/** A span that was picked by hand instead of a range that ends now. Epoch milliseconds. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** What is on the screen; all of it stands in the URL, so that a link shows another person the same. */
export interface View {
  readonly place: Place
  // These go along from view to view.
  readonly range: (typeof ranges)[number]
  /** Null for the range that ends now. */
  readonly span: Span | null
  readonly window: (typeof windows)[number]
  readonly tenant: string | undefined
  readonly api: string | undefined
  readonly cause: string | undefined
  // The rest belongs to one view.
  readonly search: string
  readonly sort: SortKey
  readonly ascending: boolean
  readonly by: (typeof groupings)[number]
  readonly measure: (typeof measures)[number]
  readonly step: (typeof steps)[number]
  /** Draws the same span a week before as well. */
  readonly compare: boolean
  readonly tab: (typeof alertTabs)[number]
  /** Fingerprint of the alert that is shown in full. */
  readonly alert: string | undefined
  /** Name of the rule that is shown in full. */
  readonly rule: string | undefined
}

const standard: View = {
  place: 'now',
  range: '3h',
  span: null,
  window: '5m',
  tenant: undefined,
  api: undefined,
  cause: undefined,
  search: '',
  sort: 'refused',
  ascending: false,
  by: 'cause',
  measure: 'refused',
  step: 'auto',
  compare: false,
  tab: 'active',
  alert: undefined,
  rule: undefined,
}

/** What is written for a view besides what all share. */
const own: Readonly<Record<Place, readonly (keyof View)[]>> = {
  now: ['search', 'sort'],
  tenant: ['search'],
  trends: ['by', 'measure', 'step', 'compare'],
  alerts: ['tab', 'alert'],
  rules: ['rule'],
  health: [],
}

function oneOf<Word extends string>(words: readonly Word[], text: string | null, fallback: Word): Word {
  return words.find((word) => word === text) ?? fallback
}

/** Reads a view from a query string; what makes no sense there is left at its standard. */
export function readView(search: string): View {
  const query = new URLSearchParams(search)
  const sort = query.get('sort') ?? ''
  const tenant = query.get('tenant') || undefined
  return {
    // Links in messages name only the tenant, and mean all about it.
    place: oneOf(places, query.get('view'), tenant === undefined ? 'now' : 'tenant'),
    range: oneOf(ranges, query.get('range'), standard.range),
    span: readSpan(query.get('from'), query.get('to')),
    window: oneOf(windows, query.get('window'), standard.window),
    tenant,
    api: query.get('api') || undefined,
    cause: query.get('cause') || undefined,
    search: query.get('q') ?? '',
    sort: oneOf(sortKeys, sort.replace(/^\+/, ''), standard.sort),
    ascending: sort.startsWith('+'),
    by: oneOf(groupings, query.get('by'), standard.by),
    measure: oneOf(measures, query.get('measure'), standard.measure),
    step: oneOf(steps, query.get('step'), standard.step),
    compare: query.get('compare') === 'week',
    tab: oneOf(alertTabs, query.get('tab'), standard.tab),
    alert: query.get('alert') || undefined,
    rule: query.get('rule') || undefined,
  }
}

/** Both ends as fixed times; anything else is no span. */
function readSpan(from: string | null, to: string | null): Span | null {
  // Relative times are what ranges are for, so any "now" will do: they are turned away.
  const fromMs = from === null ? null : parseInstant(from, Number.NaN)
  const toMs = to === null ? null : parseInstant(to, Number.NaN)
  if (fromMs === null || toMs === null || !(fromMs < toMs)) return null
  return { fromMs, toMs }
}

/** The query string of a view, without what is standard and what other views alone would read. */
export function writeView(view: View): string {
  const query = new URLSearchParams()
  const usual = view.tenant === undefined ? 'now' : 'tenant'
  if (view.place !== usual) query.set('view', view.place)
  for (const key of ['tenant', 'api', 'cause'] as const) {
    const value = view[key]
    if (value !== undefined) query.set(key, value)
  }
  if (view.range !== standard.range) query.set('range', view.range)
  if (view.span !== null) {
    query.set('from', new Date(view.span.fromMs).toISOString())
    query.set('to', new Date(view.span.toMs).toISOString())
  }
  if (view.window !== standard.window) query.set('window', view.window)
  const kept = own[view.place]
  if (kept.includes('search') && view.search !== '') query.set('q', view.search)
  const sort = `${view.ascending ? '+' : ''}${view.sort}`
  if (kept.includes('sort') && sort !== standard.sort) query.set('sort', sort)
  for (const key of ['by', 'measure', 'step', 'tab'] as const) {
    if (kept.includes(key) && view[key] !== standard[key]) query.set(key, view[key])
  }
  if (kept.includes('compare') && view.compare) query.set('compare', 'week')
  for (const key of ['alert', 'rule'] as const) {
    const value = view[key]
    if (kept.includes(key) && value !== undefined) query.set(key, value)
  }
  const text = query.toString()
  return text === '' ? '/' : `/?${text}`
}

/** The span as the API takes it; `from` is relative where the range ends now. */
export function spanQuery({ span, range }: Pick<View, 'span' | 'range'>): { from: string; to?: string } {
  if (span === null) return { from: `-${range}` }
  return { from: new Date(span.fromMs).toISOString(), to: new Date(span.toMs).toISOString() }
}

/** The same span a week before. */
export function weekBefore({ span, range }: Pick<View, 'span' | 'range'>): { from: string; to: string } {
  if (span === null) return { from: `-7d${range}`, to: '-7d' }
  return spanQuery({ range, span: { fromMs: span.fromMs - weekMs, toMs: span.toMs - weekMs } }) as {
    from: string
    to: string
  }
}

export const weekMs = 7 * 24 * hourMs

/** How long the chosen span is. */
export function spanLengthMs({ span, range }: Pick<View, 'span' | 'range'>): number {
  return span === null ? (parseDuration(range) ?? 0) : span.toMs - span.fromMs
}

/** What the API filters by. */
export function filterQuery({ tenant, api, cause }: Pick<View, 'tenant' | 'api' | 'cause'>) {
  return { tenant, api, cause }
}
