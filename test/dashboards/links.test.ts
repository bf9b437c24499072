import { describe, expect, test } from 'vitest'
import { readView, writeView } from '../../src/http/page/view.ts'
import { type Dashboard, dashboards, type Link, type Panel } from '../support/dashboards.ts'

const boards = dashboards()
const variables = ({ templating }: Dashboard) => new Set(templating.list.map(({ name }) => name))

/** Every link of a panel: of the whole, of its columns. */
function linksOf(panel: Panel): readonly Link[] {
  const { defaults, overrides = [] } = panel.fieldConfig ?? { defaults: {} }
  const ofColumns = overrides.flatMap(({ properties }) => properties.filter(({ id }) => id === 'links'))
  return [...(defaults.links ?? []), ...ofColumns.flatMap(({ value }) => value as readonly Link[])]
}

/** Columns of a SQL table or labels of a PromQL one that a row of the panel has. */
const asks = (panel: Panel) => (panel.targets ?? []).map(({ rawSql, expr }) => rawSql ?? expr ?? '').join('\n')

const all = boards.flatMap(({ json }) =>
  json.panels.flatMap((panel) =>
    linksOf(panel).map((link) => ({ json, panel, link, name: `${json.uid}: ${panel.title}` })),
  ),
)

describe('Links of the panels', () => {
  test('are many, to the page and to every dashboard that is about one thing', () => {
    const to = new Set(all.map(({ link }) => link.url.split('?')[0]))
    expect([...to].sort()).toEqual(['${page}/', '/d/tollwatch-alerts', '/d/tollwatch-itself', '/d/tollwatch-tenant'])
  })

  test('lead to a dashboard there is, with variables that both sides have', () => {
    for (const { json, link, name } of all.filter(({ link }) => link.url.startsWith('/d/'))) {
      const [, uid, query = ''] = /^\/d\/([\w-]+)\?(.*)$/.exec(link.url) ?? []
      const target = boards.find((board) => board.json.uid === uid)?.json
      if (target === undefined) throw new Error(`${name} leads to ${link.url}`)
      for (const [, variable = ''] of query.matchAll(/var-(\w+)=/g)) expect(variables(target), name).toContain(variable)
      for (const [, variable = ''] of query.matchAll(/\$\{(\w+):queryparam\}/g)) {
        expect(variables(target), name).toContain(variable)
        expect(variables(json), name).toContain(variable)
      }
      expect(query, name).toContain('${__url_time_range}')
    }
  })

  test('use only what a row, a line or the top of the dashboard has', () => {
    for (const { json, panel, link, name } of all) {
      for (const [, variable = ''] of link.url.matchAll(/\$\{(\w+)[:}]/g)) {
        if (!variable.startsWith('__')) expect(variables(json), name).toContain(variable)
      }
      for (const [, field = ''] of link.url.matchAll(/\$\{__(?:data\.fields|field\.labels)\.(\w+)/g)) {
        expect(asks(panel), name).toMatch(new RegExp(`\\b${field}\\b`))
      }
    }
  })

  test('are understood by the page', () => {
    const known: Record<string, string> = {
      '__from:date:iso': '2026-03-02T12:00:00.000Z',
      '__to:date:iso': '2026-03-02T13:00:00.000Z',
    }
    const toPage = all.filter(({ link }) => link.url.startsWith('${page}/'))
    expect(toPage.length).toBeGreaterThan(10)
    for (const { link, name } of toPage) {
      const filled = link.url
        .replace('${page}', '')
        .replaceAll(/\$\{([^}]+)\}/g, (_, what: string) => known[what] ?? 'x%26y')
      const view = readView(filled.slice(filled.indexOf('?')))
      expect(view.span, name).toEqual({ fromMs: Date.UTC(2026, 2, 2, 12), toMs: Date.UTC(2026, 2, 2, 13) })
      // What the page would write for this view says the same: no parameter was dropped or misread.
      const given = new URLSearchParams(filled.slice(filled.indexOf('?')))
      const written = new URLSearchParams(writeView(view).slice(1))
      // The page leaves out what goes without saying.
      if (given.get('view') === 'tenant' && given.has('tenant')) given.delete('view')
      given.sort()
      written.sort()
      expect(written.toString(), name).toBe(given.toString())
    }
  })

  test('open the page in a window of its own, and another dashboard in this one', () => {
    for (const { link, name } of all) {
      expect('targetBlank' in link && link.targetBlank, name).toBe(link.url.startsWith('${page}'))
    }
  })
})

test('Every dashboard leads to the page and to all others, with the time on the screen', () => {
  for (const { json } of boards) {
    expect(json.tags).toContain('tollwatch')
    expect(json.links).toMatchObject([
      { url: '${page}/' },
      { type: 'dashboards', tags: ['tollwatch'], keepTime: true, includeVars: true },
    ])
    expect(variables(json)).toContain('page')
  }
})
