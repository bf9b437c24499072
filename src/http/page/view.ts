export const windows = ['1m', '5m', '15m', '1h'] as const
export const ranges = ['15m', '1h', '3h', '24h'] as const
export const sortKeys = ['tenant', 'api', 'refused', 'share', 'since'] as const

export type SortKey = (typeof sortKeys)[number]

/** What is on the screen; all of it stands in the URL, so that a link shows another person the same. */
export interface View {
  readonly window: (typeof windows)[number]
  readonly range: (typeof ranges)[number]
  readonly tenant: string | undefined
  readonly api: string | undefined
  readonly search: string
  readonly sort: SortKey
  readonly ascending: boolean
}

const standard: View = {
  window: '5m',
  range: '3h',
  tenant: undefined,
  api: undefined,
  search: '',
  sort: 'refused',
  ascending: false,
}

function oneOf<Word extends string>(words: readonly Word[], text: string | null, fallback: Word): Word {
  return words.find((word) => word === text) ?? fallback
}

/** Reads a view from a query string; what makes no sense there is left at its standard. */
export function readView(search: string): View {
  const query = new URLSearchParams(search)
  const sort = query.get('sort') ?? ''
  return {
    window: oneOf(windows, query.get('window'), standard.window),
    range: oneOf(ranges, query.get('range'), standard.range),
    tenant: query.get('tenant') ?? undefined,
    api: query.get('api') ?? undefined,
    search: query.get('q') ?? '',
    sort: oneOf(sortKeys, sort.replace(/^\+/, ''), standard.sort),
    ascending: sort.startsWith('+'),
  }
}

/** The query string of a view, without what is standard. */
export function writeView(view: View): string {
  const query = new URLSearchParams()
  if (view.window !== standard.window) query.set('window', view.window)
  if (view.range !== standard.range) query.set('range', view.range)
  if (view.tenant !== undefined) query.set('tenant', view.tenant)
  if (view.api !== undefined) query.set('api', view.api)
  if (view.search !== '') query.set('q', view.search)
  const sort = `${view.ascending ? '+' : ''}${view.sort}`
  if (sort !== standard.sort) query.set('sort', sort)
  const text = query.toString()
  return text === '' ? '/' : `/?${text}`
}
