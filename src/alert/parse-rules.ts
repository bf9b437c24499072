import type { z } from 'zod'
import { causes, familyOf } from '../classify/cause.ts'
import { type FileProblem, parseYamlFile, type YamlFile } from '../file/yaml-file.ts'
import { dayMs } from '../time/duration.ts'
import { ownLabelOf, usualGroupBy, usualKeepMs, usualWindowMs } from './condition-defaults.ts'
import { type ConditionInput, conditionSchema } from './condition-schema.ts'
import { type Matcher, parseMatcher } from './matcher.ts'
import { buildCondition, checkCombined, type Path, type Report, type RuleFrame } from './read-condition.ts'
import { type Condition, type OwnLabel, ownLabels, type Rule, type SeriesLabel, seriesLabels } from './rule.ts'
import { fileSchema, fixes, groupSchema, ruleSchema } from './rule-schema.ts'
import { warnAbout } from './rule-warnings.ts'
import { parseTemplate, type Template } from './template.ts'

export type ParsedRules =
  | {
      readonly ok: true
      readonly rules: readonly Rule[]
      /** What is allowed and hardly meant, in reading order. */
      readonly warnings: readonly FileProblem[]
    }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

/** Checks rule files and fills in defaults. All problems of all files come back at once, in reading order. */
export function parseRules(texts: readonly { readonly file: string; readonly text: string }[]): ParsedRules {
  const problems: FileProblem[] = []
  const warnings: FileProblem[] = []
  const rules: Rule[] = []
  const owners = new Map<string, Rule>()
  for (const { file, text } of texts) {
    const parsed = parseYamlFile(text, file)
    if (!parsed.ok) {
      problems.push(...parsed.problems)
      continue
    }
    for (const { rule, path } of readFile(parsed.yaml, { problems, warnings })) {
      const owner = owners.get(rule.name)
      if (owner !== undefined) {
        const message = `the name ${rule.name} is taken by ${owner.file}:${owner.line}`
        problems.push(parsed.yaml.problem(path, message, 'give every rule a name of its own'))
      }
      owners.set(rule.name, rule)
      rules.push(rule)
    }
  }
  const order = texts.map(({ file }) => file)
  if (problems.length === 0) return { ok: true, rules, warnings: inReadingOrder(warnings, order) }
  return { ok: false, problems: inReadingOrder(problems, order) }
}

function inReadingOrder(problems: readonly FileProblem[], files: readonly string[]): FileProblem[] {
  const order = new Map(files.map((file, at) => [file, at]))
  const placed = problems.map((problem) => ({ problem, file: order.get(problem.file) ?? 0, line: problem.line ?? 0 }))
  placed.sort((a, b) => a.file - b.file || a.line - b.line)
  return placed.map(({ problem }) => problem)
}

/** Where problems are gathered. */
interface Findings {
  readonly problems: FileProblem[]
  readonly warnings: FileProblem[]
}

function readFile(yaml: YamlFile, findings: Findings): { rule: Rule; path: Path }[] {
  const { problems } = findings
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
      const rule = readRule(yaml, path, raw, group.success ? group.data : null, findings)
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
  { problems, warnings }: Findings,
): Rule | null {
  const before = problems.length
  const report: Report = (at, message, fix) => {
    problems.push(yaml.problem([...path, ...at], message, fix))
  }
  const rawCondition = isRecord(raw) ? raw['condition'] : undefined
  const parsed = ruleSchema.safeParse(raw)
  if (!parsed.success) addIssues(problems, yaml, path, parsed.error)
  const read = readConditions(rawCondition, report, (at, error) => addIssues(problems, yaml, [...path, ...at], error))
  if (!parsed.success || read === null) return null
  const input = parsed.data
  if ((input.rule === undefined) === (input.alert === undefined)) {
    report([], input.rule === undefined ? 'has no name' : 'has both rule and alert', fixes['rule'] ?? '')
  }
  const name = input.rule ?? input.alert ?? ''
  const allLabels = [...new Set(input.group_by ?? usualGroupBy(read.inputs))]
  const groupBy = allLabels.filter((label): label is SeriesLabel => label !== 'quota' && label !== 'topic')
  const frame = {
    groupBy: allLabels,
    windowMs: input.window ?? usualWindowMs,
    forMs: input.for,
    severity: input.severity ?? 'ticket',
  }
  const condition = buildAll(read, frame, report)
  const ownLabel = ownLabelOf(condition.type)
  const matchers = readMatchers(input.matchers, { groupBy, ownLabel }, report)
  const labels = { ...group?.labels, ...input.labels }
  for (const label of [...seriesLabels, ...ownLabels, 'rule', 'severity', 'overflow', 'no_data']) {
    if (label in labels) report(['labels'], `sets ${label}, which Tollwatch sets itself`, 'choose another label name')
  }
  const annotations = readAnnotations(input.annotations, knownLabels(allLabels, labels), report)
  if (problems.length > before) return null
  const rule: Rule = {
    name,
    group: group?.name ?? '',
    file: yaml.file,
    line: yaml.lineOf(path),
    intervalMs: group?.interval ?? 60_000,
    limit: group?.limit ?? 200,
    groupBy,
    ownLabel,
    matchers,
    windowMs: frame.windowMs,
    condition,
    forMs: input.for,
    keepFiringForMs: input.keep_firing_for ?? Math.max(...read.inputs.map(({ type }) => usualKeepMs(type))),
    severity: frame.severity,
    labels,
    annotations,
    mode: input.mode,
    noData: input.no_data,
  }
  warnAbout(rule, input, (at, message, fix) => warnings.push(yaml.problem([...path, ...at], message, fix)))
  return rule
}

/** The conditions as they stand in the file. */
interface ReadConditions {
  /** Null for one condition by itself. */
  readonly kind: 'all' | 'any' | null
  readonly inputs: readonly [ConditionInput, ...ConditionInput[]]
}

function buildAll({ kind, inputs }: ReadConditions, frame: RuleFrame, report: Report): Condition {
  if (kind === null) return buildCondition(inputs[0], frame, report)
  checkCombined(inputs, kind, report)
  const conditions = inputs.map((one, number) =>
    // Problems of one among several stand where it stands.
    buildCondition(one, frame, ([first, ...rest], message, fix) => {
      report(first === 'condition' ? ['condition', kind, number, ...rest] : [first ?? '', ...rest], message, fix)
    }),
  )
  return { type: kind, conditions }
}

/** The conditions as they stand: one, or those under `all` or `any`. Null if they cannot be read. */
function readConditions(
  raw: unknown,
  report: Report,
  addIssuesAt: (at: Path, error: z.ZodError) => void,
): ReadConditions | null {
  if (raw === undefined) {
    report(['condition'], 'is missing', fixes['condition'] ?? '')
    return null
  }
  const kind = isRecord(raw) ? (['all', 'any'] as const).find((one) => one in raw) : undefined
  if (kind !== undefined && isRecord(raw)) {
    const others = Object.keys(raw).filter((key) => key !== kind)
    if (others.length > 0) {
      report(['condition', others[0] ?? ''], `stands beside ${kind}`, `write it into a condition of the list`)
    }
    const list = listAt(raw, kind)
    if (list.length === 0) report(['condition', kind], 'is no list of conditions', fixes[kind] ?? '')
    if (others.length > 0 || list.length === 0) return null
    const inputs: ConditionInput[] = []
    for (const [number, one] of list.entries()) {
      const at = ['condition', kind, number]
      if (isRecord(one) && ('all' in one || 'any' in one)) {
        report(at, 'is a combination inside a combination', 'write two rules, or emit metrics and use Prometheus')
        continue
      }
      const parsed = conditionSchema.safeParse(one)
      if (parsed.success) inputs.push(parsed.data)
      else addIssuesAt(at, parsed.error)
    }
    const [first, ...rest] = inputs
    return first !== undefined && inputs.length === list.length ? { kind, inputs: [first, ...rest] } : null
  }
  const parsed = conditionSchema.safeParse(raw)
  if (parsed.success) return { kind: null, inputs: [parsed.data] }
  addIssuesAt(['condition'], parsed.error)
  return null
}

function readMatchers(
  texts: readonly string[],
  { groupBy, ownLabel }: { groupBy: readonly SeriesLabel[]; ownLabel: OwnLabel | null },
  report: Report,
): Matcher[] {
  // What has a label of its own does not come from the windows and knows only what it is grouped by.
  const choice: readonly string[] = ownLabel === null ? seriesLabels : [...groupBy, ownLabel]
  const matchers: Matcher[] = []
  for (const [number, text] of texts.entries()) {
    const parsed = parseMatcher(text)
    if (!parsed.ok) {
      report(['matchers', number], parsed.message, parsed.fix)
      continue
    }
    const { matcher } = parsed
    if (!choice.includes(matcher.label)) {
      report(['matchers', number], `there is no label ${matcher.label} to match`, `match any of ${choice.join(', ')}`)
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

function knownLabels(groupBy: readonly (SeriesLabel | OwnLabel)[], labels: Readonly<Record<string, string>>): string[] {
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
  for (const issue of error.issues.flatMap(innermost)) {
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

/** Of the ways to read a value, that which came furthest says best what is wrong. */
function innermost(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const depth = (issues: readonly z.core.$ZodIssue[]) => Math.max(0, ...issues.map(({ path }) => path.length))
  const best = issue.errors.reduce((one, other) => (depth(other) > depth(one) ? other : one))
  if (depth(best) === 0) return [issue]
  return best.flatMap((inner) => innermost({ ...inner, path: [...issue.path, ...inner.path] }))
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const list = isRecord(value) ? value[key] : undefined
  return Array.isArray(list) ? list : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
