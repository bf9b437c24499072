import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../dashboards/', import.meta.url))

/** One question that a dashboard asks, with everything filled in that Grafana and its plugins fill in. */
export interface Expression {
  readonly kind: 'promql' | 'sql'
  /** `tollwatch-live.json: Panel title (A)`, for messages. */
  readonly name: string
  readonly text: string
  /** Whether it looks back beyond the chosen time, so that a young Prometheus may have nothing to say. */
  readonly needsPast: boolean
}

/** What a person has chosen at the top of the dashboard. */
export interface Chosen {
  readonly fromMs: number
  readonly toMs: number
  /** Chosen values of a variable; one that is not named stands at "All", or at the first of its words. */
  readonly values?: Readonly<Record<string, readonly string[]>>
  /** Width of a column on the screen, as Grafana would work it out. */
  readonly intervalSeconds?: number
}

/** Every PromQL and SQL expression of `dashboards/*.json`: panels, annotations and variables. */
export function dashboardExpressions(chosen: Chosen): readonly Expression[] {
  return dashboards().flatMap(({ file, json }) => {
    const variables = variablesOf(json)
    return asked(json).map(({ kind, place, text }) => ({
      kind,
      name: `${file}: ${place}`,
      text: filledIn(text, kind, variables, chosen),
      needsPast: / offset \d/.test(text),
    }))
  })
}

/** Expressions as they stand in the files. */
export function rawExpressions(): readonly {
  readonly kind: 'promql' | 'sql'
  readonly name: string
  readonly text: string
}[] {
  return dashboards().flatMap(({ file, json }) =>
    asked(json).map(({ kind, place, text }) => ({ kind, name: `${file}: ${place}`, text })),
  )
}

/** The committed dashboards. */
export function dashboards(): readonly { readonly file: string; readonly text: string; readonly json: Dashboard }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => {
      const text = readFileSync(join(folder, file), 'utf8')
      return { file, text, json: JSON.parse(text) as Dashboard }
    })
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly description?: string
  readonly editable?: boolean
  readonly tags: readonly string[]
  readonly links: readonly { readonly title: string; readonly url?: string; readonly tags?: readonly string[] }[]
  readonly panels: readonly Panel[]
  readonly annotations: { readonly list?: readonly (Target & { readonly name: string; readonly target?: Target })[] }
  readonly templating: { readonly list: readonly Variable[] }
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly datasource?: DatasourceRef
  readonly interval?: string
  readonly targets?: readonly Target[]
  readonly panels?: readonly Panel[]
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string; readonly noValue?: string; readonly links?: readonly Link[] }
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options: unknown }
      readonly properties: readonly { readonly id: string; readonly value?: unknown }[]
    }[]
  }
}

interface DatasourceRef {
  readonly type: string
  readonly uid: string
}

export interface Link {
  readonly title: string
  readonly url: string
}

export interface Target {
  readonly refId?: string
  readonly datasource?: DatasourceRef
  readonly instant?: boolean
  readonly legendFormat?: string
  readonly expr?: string
  readonly rawSql?: string
}

export interface Variable {
  readonly name: string
  readonly datasource?: DatasourceRef
  readonly refresh?: number
  readonly multi?: boolean
  readonly type: string
  readonly query: string | { readonly query: string }
  readonly includeAll?: boolean
  readonly allValue?: string
  readonly current?: { readonly value: string | readonly string[] }
}

interface Asked {
  readonly kind: 'promql' | 'sql'
  readonly place: string
  readonly text: string
}

function asked(json: Dashboard): readonly Asked[] {
  const ofTarget = (target: Target, place: string): Asked[] => [
    ...(target.expr === undefined ? [] : [{ kind: 'promql' as const, place, text: target.expr }]),
    ...(target.rawSql === undefined ? [] : [{ kind: 'sql' as const, place, text: target.rawSql }]),
  ]
  const ofPanel = (panel: Panel): Asked[] => [
    ...(panel.targets ?? []).flatMap((target) => ofTarget(target, `${panel.title} (${target.refId ?? '?'})`)),
    ...(panel.panels ?? []).flatMap(ofPanel),
  ]
  return [
    ...json.panels.flatMap(ofPanel),
    ...(json.annotations.list ?? []).flatMap((one) => ofTarget({ ...one, ...one.target }, `annotation ${one.name}`)),
    ...json.templating.list.flatMap(ofVariable),
  ]
}

/** A list of label values is a question about a metric; Prometheus is asked for its series. */
function ofVariable({ name, type, query }: Variable): Asked[] {
  if (type !== 'query') return []
  const text = typeof query === 'string' ? query : query.query
  const labels = /^label_values\((.+), (\w+)\)$/.exec(text)
  const place = `variable ${name}`
  if (labels === null) return [{ kind: 'sql', place, text }]
  return [{ kind: 'promql', place, text: `group by (${labels[2]}) (${labels[1]})` }]
}

function variablesOf(json: Dashboard): ReadonlyMap<string, Variable> {
  return new Map(json.templating.list.map((variable) => [variable.name, variable]))
}

function filledIn(text: string, kind: Asked['kind'], variables: ReadonlyMap<string, Variable>, chosen: Chosen): string {
  const withVariables = (kind === 'sql' ? conditionalAll(text, variables, chosen) : text).replace(
    /\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)/g,
    (whole, braced: string | undefined, format: string | undefined, plain: string | undefined) => {
      const variable = variables.get(braced ?? plain ?? '')
      return variable === undefined ? whole : chosenText(variable, format, kind, chosen)
    },
  )
  const filled = kind === 'sql' ? macrosOfPlugin(withVariables, chosen) : macrosOfPrometheus(withVariables, chosen)
  const left = /\$[\w{]+/.exec(filled)
  if (left !== null) throw new Error(`nothing is known of ${left[0]} in: ${text}`)
  return filled
}

function chosenText(variable: Variable, format: string | undefined, kind: Asked['kind'], chosen: Chosen): string {
  const values = valuesOf(variable, chosen)
  if (values.includes('$__all')) return variable.allValue ?? ''
  if (format === 'singlequote') return values.map((value) => `'${value.replaceAll("'", "\\'")}'`).join(',')
  // As the Prometheus data source does: escaped for a regular expression inside a quoted string.
  const escaped = (value: string) => value.replace(/[\\^$*+?.()|[\]{}]/g, '\\\\$&')
  if (kind === 'promql' && variable.includeAll === true) {
    return values.length === 1 ? escaped(values[0] ?? '') : `(${values.map(escaped).join('|')})`
  }
  return values.join(',')
}

/** Grafana takes the first of the list where nothing is chosen; the data of the tests have this tenant as the first. */
const firstOfList: Readonly<Record<string, string>> = { tenant: 'acme' }

function valuesOf(variable: Variable, chosen: Chosen): readonly string[] {
  return chosen.values?.[variable.name] ?? [variable.current?.value ?? firstOfList[variable.name] ?? ''].flat()
}

/** `$__conditionalAll(condition, $variable)` of the ClickHouse plugin: the condition, or 1=1 while "All" is chosen. */
function conditionalAll(text: string, variables: ReadonlyMap<string, Variable>, chosen: Chosen): string {
  const macro = '$__conditionalAll('
  let result = text
  for (let start = result.lastIndexOf(macro); start >= 0; start = result.lastIndexOf(macro)) {
    let depth = 1
    let comma = -1
    let end = start + macro.length
    for (; depth > 0; end++) {
      const sign = result[end]
      if (sign === undefined) throw new Error(`unbalanced ${macro} in: ${text}`)
      if (sign === '(') depth++
      if (sign === ')') depth--
      if (sign === ',' && depth === 1) comma = end
    }
    const name = result
      .slice(comma + 1, end - 1)
      .trim()
      .replace(/^\$/, '')
    const variable = variables.get(name)
    if (variable === undefined) throw new Error(`nothing is known of $${name} in: ${text}`)
    const condition = result.slice(start + macro.length, comma)
    const isAll = valuesOf(variable, chosen).includes('$__all')
    result = result.slice(0, start) + (isAll ? '1=1' : condition) + result.slice(end)
  }
  return result
}

function macrosOfPlugin(text: string, { fromMs, toMs, intervalSeconds = 60 }: Chosen): string {
  const from = `toDateTime(${Math.floor(fromMs / 1_000)})`
  const to = `toDateTime(${Math.floor(toMs / 1_000)})`
  return text
    .replace(
      /\$__timeFilter_ms\((\w+)\)/g,
      `$1 >= fromUnixTimestamp64Milli(${fromMs}) AND $1 <= fromUnixTimestamp64Milli(${toMs})`,
    )
    .replace(/\$__timeFilter\((\w+)\)/g, `$1 >= ${from} AND $1 <= ${to}`)
    .replace(
      /\$__timeInterval\(((?:[^()]|\([^()]*\))+)\)/g,
      `toStartOfInterval(toDateTime($1), INTERVAL ${intervalSeconds} second)`,
    )
    .replaceAll('$__interval_s', String(intervalSeconds))
    .replaceAll('$__fromTime', from)
    .replaceAll('$__toTime', to)
}

function macrosOfPrometheus(text: string, { fromMs, toMs, intervalSeconds = 60 }: Chosen): string {
  return text
    .replaceAll('$__rate_interval', `${Math.max(intervalSeconds, 60)}s`)
    .replaceAll('$__interval', `${intervalSeconds}s`)
    .replaceAll('$__range', `${Math.ceil((toMs - fromMs) / 1_000)}s`)
}
