/**
 * What Grafana's dashboard linter asks for, rule by rule under its names, as our own test: the linter is a Go program
 * that no package ships. Where we differ, the test says how and why.
 */
import { describe, expect, test } from 'vitest'
import { describeWithPromtool } from '../support/available.ts'
import { type Dashboard, dashboardExpressions, dashboards, type Panel, type Target } from '../support/dashboards.ts'
import { checkRules } from '../support/promtool.ts'

const flat = (list: readonly Panel[]): Panel[] => list.flatMap((panel) => [panel, ...flat(panel.panels ?? [])])
const panelsOf = (json: Dashboard) => flat(json.panels).filter(({ type }) => type !== 'row')
const variable = (json: Dashboard, name: string) => json.templating.list.find((one) => one.name === name)

/** Whether the words of a panel name a length of time, such as `[15m]` as "15 min". */
function names(panel: Panel, duration: string): boolean {
  const [, count = '', unit = ''] = /^(\d+)([mhd])$/.exec(duration) ?? []
  const words = `${panel.title} ${panel.description ?? ''}`.replaceAll(/\b(?:last|an|one) hour\b/g, '1 h')
  const spelled = words.replaceAll('five minutes', '5 min')
  return new RegExp(`\\b${count} ?${unit === 'm' ? 'min' : unit}\\b`).test(spelled)
}

describe.each(dashboards())('$file', ({ json }) => {
  const panels = panelsOf(json)
  const targets = panels.flatMap((panel) => (panel.targets ?? []).map((target) => ({ panel, target })))
  const promql = targets.flatMap(({ panel, target }) =>
    target.expr === undefined ? [] : [{ panel, target, expr: target.expr }],
  )

  test('template-datasource-rule: data sources are chosen, under names that say what they are', () => {
    const kinds: Record<string, string> = {
      prometheus: 'prometheus',
      clickhouse: 'grafana-clickhouse-datasource',
    }
    const sources = json.templating.list.filter(({ type }) => type === 'datasource')
    expect(sources.length).toBeGreaterThan(0)
    for (const { name, query } of sources) expect([name, query]).toEqual([name, kinds[name]])
  })

  test('panel-datasource-rule: nothing names a data source of its own', () => {
    const refs = [
      ...panels.map(({ datasource }) => datasource),
      ...targets.flatMap(({ target }) => target.datasource ?? []),
      ...(json.annotations.list ?? []).map(({ datasource }) => datasource),
      ...json.templating.list.filter(({ type }) => type === 'query').map(({ datasource }) => datasource),
    ]
    for (const ref of refs) {
      const known = /^\$\{(\w+)\}$/.exec(ref?.uid ?? '')?.[1] ?? ''
      expect(variable(json, known), JSON.stringify(ref)).toMatchObject({ type: 'datasource', query: ref?.type })
    }
  })

  test('template-job-rule, template-instance-rule: several installations can be told apart', () => {
    // Instances matter where the panel is about a process; counts of tenants are summed over them.
    const wanted = [...(promql.length > 0 ? ['job'] : []), ...(json.uid === 'tollwatch-itself' ? ['instance'] : [])]
    for (const name of wanted) {
      expect(variable(json, name), name).toMatchObject({ type: 'query', multi: true, includeAll: true, allValue: '.*' })
    }
  })

  test('target-job-rule, target-instance-rule: every metric is asked of the chosen ones', () => {
    for (const { expr, panel } of promql) {
      const metrics = [...expr.matchAll(/\b(?:tollwatch|process|nodejs)_\w+(\{[^}]*\})?/g)]
      expect(metrics.length, panel.title).toBeGreaterThan(0)
      for (const [metric, braces = ''] of metrics) {
        expect(braces, `${panel.title}: ${metric}`).toContain('job=~"$job"')
        if (json.uid === 'tollwatch-itself') expect(braces, metric).toContain('instance=~"$instance"')
      }
    }
  })

  test('template-on-time-change-reload-rule: lists follow the time on the screen', () => {
    for (const one of json.templating.list.filter(({ type }) => type === 'query')) expect(one.refresh, one.name).toBe(2)
  })

  test('panel-title-description-rule: every panel says what it shows', () => {
    for (const { title, description = '' } of panels) {
      expect(title).toMatch(/\S/)
      expect(description.length, title).toBeGreaterThan(12)
      expect(description, title).toMatch(/[.]$/)
    }
    expect(json.description).toMatch(/\.$/)
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
  })

  test('panel-units-rule: numbers have units, and nothing is shown for no data without a word', () => {
    for (const { title, type, fieldConfig } of panels) {
      if (type !== 'table') expect(fieldConfig?.defaults.unit, title).toBeDefined()
      expect(fieldConfig?.defaults.noValue, title).toMatch(/[a-z]/)
    }
  })

  test('panel-no-targets-rule: every panel asks something, each question under a letter of its own', () => {
    for (const { title, targets: asked = [] } of panels) {
      expect(asked.length, title).toBeGreaterThan(0)
      expect(new Set(asked.map(({ refId }) => refId)).size, title).toBe(asked.length)
    }
  })

  test('target-rate-interval-rule: rates follow the zoom, or the panel names their length', () => {
    for (const { panel, expr } of promql) {
      for (const [, duration = ''] of expr.matchAll(/\[([^\]]+)\]/g)) {
        if (duration !== '$__rate_interval') expect(names(panel, duration), `${panel.title}: ${duration}`).toBe(true)
      }
    }
  })

  test('target-counter-agg-rule: counters are only looked at through rate or increase', () => {
    for (const { panel, expr } of promql) {
      for (const found of expr.matchAll(/(\w+)\(\s*(\w+_(?:total|count|bucket))\b/g)) {
        expect(['rate', 'increase'], `${panel.title}: ${found[0]}`).toContain(found[1])
      }
      const counters = expr.match(/\b\w+_(?:total|count|bucket)\b/g)?.length ?? 0
      expect(expr.match(/\b(?:rate|increase)\(/g)?.length ?? 0, panel.title).toBe(counters)
    }
  })

  test('panel-legend: every line has a name', () => {
    const drawn = promql.filter(({ panel, target }) => panel.type !== 'table' && !isInstant(target))
    for (const { panel, target } of drawn) expect(target.legendFormat, panel.title).toMatch(/\S/)
  })

  test('uneditable-dashboard: a change made in Grafana is not lost in silence', () => {
    expect(json.editable).toBe(false)
  })

  test('keeps its panels on the grid, each under an id of its own', () => {
    expect(new Set(flat(json.panels).map(({ id }) => id)).size).toBe(flat(json.panels).length)
  })
})

describeWithPromtool('The PromQL of the dashboards', () => {
  test('target-promql-rule, template-label-promql-rule: is PromQL', async () => {
    const hour = { fromMs: 1_772_452_800_000, toMs: 1_772_456_400_000 }
    const rules = dashboardExpressions(hour)
      .filter(({ kind }) => kind === 'promql')
      .map(({ text }) => ({ record: 'r', expr: text }))
    expect(rules.length).toBeGreaterThan(40)
    // JSON is YAML, too.
    expect(await checkRules(JSON.stringify({ groups: [{ name: 'dashboards', rules }] }))).not.toContain('parse error')
  })
})

function isInstant(target: Target): boolean {
  return target.instant === true
}
