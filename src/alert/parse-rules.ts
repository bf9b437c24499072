import type { z } from 'zod'
import { causes, familyOf } from '../classify/cause.ts'
import { type FileProblem, parseYamlFile, type YamlFile } from '../file/yaml-file.ts'
import { dayMs } from '../time/duration.ts'
import { type Matcher, parseMatcher } from './matcher.ts'
import { type Condition, type Rule, type SeriesLabel, seriesLabels } from './rule.ts'
import { fileSchema, fixes, groupSchema, laterConditions, type RuleInput, ruleSchema } from './rule-schema.ts'
import { parseTemplate, type Template } from './template.ts'

export type ParsedRules =
  | { readonly ok: true; readonly rules: readonly Rule[] }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

type Path = readonly PropertyKey[]

/** Checks rule files and fills in defaults. All problems of all files come back at once, in reading order. */
export function parseRules(texts: readonly { readonly file: string; readonly text: string }[]): ParsedRules {
  const problems: FileProblem[] = []
  const rules: Rule[] = []
  const owners = new Map<string, Rule>()
  for (const { file, text } of texts) {
    const parsed = parseYamlFile(text, file)
    if (!parsed.ok) {
      problems.push(...parsed.problems)
      continue
    }
    for (const { rule, path } of readFile(parsed.yaml, problems)) {
      const owner = owners.get(rule.name)
      if (owner !== undefined) {
        const message = `the name ${rule.name} is taken by ${owner.file}:${owner.line}`
        problems.push(parsed.yaml.problem(path, message, 'give every rule a name of its own'))
      }
      owners.set(rule.name, rule)
      rules.push(rule)
    }
  }
  if (problems.length === 0) return { ok: true, rules }
  const order = new Map(texts.map(({ file }, at) => [file, at]))
  const placed = problems.map((problem) => ({ problem, file: order.get(problem.file) ?? 0, line: problem.line ?? 0 }))
  placed.sort((a, b) => a.file - b.file || a.line - b.line)
  return { ok: false, problems: placed.map(({ problem }) => problem) }
}

function readFile(yaml: YamlFile, problems: FileProblem[]): { rule: Rule; path: Path }[] {
  const file = fileSchema.safeParse(yaml.value)
  if (!file.success) addIssues(problems, yaml, [], file.error)
  const groups = listAt(yaml.value, 'groups')
  const found: { rule: Rule; path: Path }[] = []
  for (const [groupNumber, rawGroup] of groups.entries()) {
    const groupPath = ['groups', groupNumber]
    const group = groupSchema.safeParse(rawGroup)
    if (!group.success) addIssues(problems, yaml, groupPath, group.error)
    else if (dayMs % group.data.interval !== 0) {
      problems.push(yaml.problem([...groupPath, 'interval'], 'does not divide a day', fixes['interval'] ?? ''))
    }
    for (const [ruleNumber, raw] of listAt(rawGroup, 'rules').entries()) {
      const path = [...groupPath, 'rules', ruleNumber]
      const rule = readRule(yaml, path, raw, group.success ? group.data : null, problems)
      if (rule !== null) found.push({ rule, path })
    }
  }
  return found
}

function readRule(
  yaml: YamlFile,
  path: Path,
  raw: unknown,
  group: z.infer<typeof groupSchema> | null,
  problems: FileProblem[],
): Rule | null {
  const before = problems.length
  const report = (at: Path, message: string, fix: string) => {
    problems.push(yaml.problem([...path, ...at], message, fix))
  }
  if (namesLaterPart(raw, report)) return null
  const parsed = ruleSchema.safeParse(raw)
  if (!parsed.success) {
    addIssues(problems, yaml, path, parsed.error)
    return null
  }
  const input = parsed.data
  if ((input.rule === undefined) === (input.alert === undefined)) {
    report([], input.rule === undefined ? 'has no name' : 'has both rule and alert', fixes['rule'] ?? '')
  }
  const name = input.rule ?? input.alert ?? ''
  const groupBy = [...new Set(input.group_by)]
  const matchers = readMatchers(input.matchers, report)
  const condition = readCondition(input, report)
  const labels = { ...group?.labels, ...input.labels }
  for (const label of [...seriesLabels, 'rule', 'severity', 'overflow']) {
    if (label in labels) report(['labels'], `sets ${label}, which Tollwatch sets itself`, 'choose another label name')
  }
  const annotations = readAnnotations(input.annotations, knownLabels(groupBy, labels), report)
  if (problems.length > before) return null
  return {
    name,
    group: group?.name ?? '',
    file: yaml.file,
    line: yaml.lineOf(path),
    intervalMs: group?.interval ?? 60_000,
    limit: group?.limit ?? 200,
    groupBy,
    matchers,
    windowMs: input.window,
    condition,
    forMs: input.for,
    // A spike ends when its count is back to normal, and counts stagger; a threshold has `recover` for that.
    keepFiringForMs: input.keep_firing_for ?? (condition.type === 'spike' ? 900_000 : 0),
    severity: input.severity,
    labels,
    annotations,
  }
}

type Report = (at: Path, message: string, fix: string) => void

/** Fields of the agreed format that this release does not have get an error that says so. */
function namesLaterPart(raw: unknown, report: Report): boolean {
  if (!isRecord(raw)) return false
  const later = (at: Path, what: string, fix: string) => {
    report(at, `${what} comes in a later release`, fix)
    return true
  }
  const condition = raw['condition']
  const noCondition = 'use type: threshold or type: spike, or take the rule out'
  if (isRecord(condition)) {
    const type = String(condition['type'])
    if (laterConditions.includes(type)) return later(['condition', 'type'], `the condition ${type}`, noCondition)
    for (const key of ['all', 'any']) {
      if (key in condition) return later(['condition', key], `combining conditions with ${key}`, noCondition)
    }
    if ('levels' in condition) return later(['condition', 'levels'], 'levels', 'write one rule for each severity')
    const baseline = condition['baseline']
    if (isRecord(baseline) && baseline['seasonal'] === 'hour_of_week') {
      return later(['condition', 'baseline', 'seasonal'], 'seasonal: hour_of_week', fixes['seasonal'] ?? '')
    }
  }
  if ('mode' in raw) return later(['mode'], 'mode', 'take it out; every rule is live')
  if (raw['no_data'] === 'ok' || raw['no_data'] === 'alert') {
    return later(['no_data'], `no_data: ${raw['no_data']}`, fixes['no_data'] ?? '')
  }
  return false
}

function readMatchers(texts: readonly string[], report: Report): Matcher[] {
  const matchers: Matcher[] = []
  for (const [number, text] of texts.entries()) {
    const parsed = parseMatcher(text)
    if (!parsed.ok) {
      report(['matchers', number], parsed.message, parsed.fix)
      continue
    }
    const { matcher } = parsed
    if (!seriesLabels.some((label) => label === matcher.label)) {
      const fix = `match any of ${seriesLabels.join(', ')}`
      report(['matchers', number], `there is no label ${matcher.label} to match`, fix)
      continue
    }
    const closed: readonly string[] | null =
      matcher.label === 'cause' ? causes : matcher.label === 'family' ? [...new Set(Object.values(familyOf))] : null
    // A misspelt cause would make a rule that can never fire, and nobody would notice.
    if (closed !== null && !closed.some((value) => matcher.test(value))) {
      report(['matchers', number], `no ${matcher.label} passes ${text}`, `the values are: ${closed.join(', ')}`)
    }
    matchers.push(matcher)
  }
  return matchers
}

function readCondition(input: RuleInput, report: Report): Condition {
  const condition = input.condition
  if (condition.type === 'spike') {
    if (condition.also_window <= input.window) {
      report(['condition', 'also_window'], 'is not longer than window', fixes['also_window'] ?? '')
    }
    if (condition.max_tenant_share < 1 && input.group_by.includes('tenant')) {
      report(['condition', 'max_tenant_share'], 'goes with groups of several tenants', 'take tenant out of group_by')
    }
    return {
      type: 'spike',
      exposure: condition.exposure,
      alsoWindowMs: condition.also_window,
      halfLifeMs: condition.baseline.half_life,
      falseAlertsPerWeek: condition.false_alerts_per_week,
      minCount: condition.min_count,
      minRatio: condition.min_ratio,
      direction: condition.direction,
      maxTenantShare: condition.max_tenant_share,
    }
  }
  const { above, below } = condition
  if ((above === undefined) === (below === undefined)) {
    const message = above === undefined ? 'has neither above nor below' : 'has both above and below'
    report(['condition'], message, 'write exactly one of them; use two rules for two bounds')
  }
  const side = above === undefined ? 'below' : 'above'
  const bound = above ?? below ?? 0
  const recover = condition.recover ?? Number(((side === 'above' ? 0.8 : 1.25) * bound).toPrecision(12))
  if (side === 'above' ? recover > bound : recover < bound) {
    report(['condition', 'recover'], `lies on the wrong side of ${side}: ${bound}`, fixes['recover'] ?? '')
  }
  if (condition.measure === 'ratio' && bound > 1) {
    report(['condition', side], 'a ratio is never above 1', 'write 0.05 for 5 %')
  }
  if (condition.measure === 'distinct(tenant)' && input.group_by.includes('tenant')) {
    report(['group_by'], 'counts tenants in groups of one tenant', 'take tenant out of group_by')
  }
  const byCause = input.group_by.includes('cause') || input.group_by.includes('family')
  if (condition.over === 'refusals' && (byCause || condition.measure !== 'ratio')) {
    const fix = 'use over: refusals with measure: ratio, matchers on cause, and group_by without cause and family'
    report(['condition', 'over'], 'does not go with this measure and group_by', fix)
  }
  return {
    type: 'threshold',
    measure: condition.measure,
    side,
    bound,
    recover,
    over: condition.over,
    minTotal: condition.min_total,
    minCount: condition.min_count,
    minShare: condition.min_share,
    confidence: condition.confidence,
  }
}

function knownLabels(groupBy: readonly SeriesLabel[], labels: Readonly<Record<string, string>>): string[] {
  const family = groupBy.includes('cause') && !groupBy.includes('family') ? ['family'] : []
  return [...groupBy, ...family, ...Object.keys(labels), 'rule', 'severity']
}

function readAnnotations(
  texts: Readonly<Record<string, string>>,
  known: readonly string[],
  report: Report,
): Record<string, Template> {
  const annotations: Record<string, Template> = {}
  for (const [name, text] of Object.entries(texts)) {
    const parsed = parseTemplate(text, known)
    if (parsed.ok) annotations[name] = parsed.template
    else report(['annotations', name], parsed.message, parsed.fix)
  }
  return annotations
}

function addIssues(problems: FileProblem[], yaml: YamlFile, path: Path, error: z.ZodError): void {
  for (const issue of error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const at = [...path, ...issue.path, key]
        problems.push(yaml.problem(at, `the key ${key} is not known`, 'correct its spelling or take it out'))
      }
      continue
    }
    const field = [...path, ...issue.path].filter((key) => typeof key === 'string').at(-1)
    const fix = fixes[String(field)] ?? 'see alerts/starter.rules.yaml for examples'
    const absent = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
    const message = absent ? 'is missing' : issue.message.replace(/^Invalid input: /, 'is wrong: ')
    problems.push(yaml.problem([...path, ...issue.path], message, fix))
  }
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const list = isRecord(value) ? value[key] : undefined
  return Array.isArray(list) ? list : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
