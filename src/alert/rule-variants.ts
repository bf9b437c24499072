import { readFileSync } from 'node:fs'
import { type FileProblem, parseYamlFile, withYamlValue } from '../file/yaml-file.ts'
import { parseRules } from './parse-rules.ts'
import type { Rule } from './rule.ts'

/** One rule with one of its values changed. */
export interface Variant {
  /** As in `PaymentRefusalSpike.condition.min_ratio=3`. */
  readonly name: string
  readonly rule: Rule
}

export type Variants =
  | { readonly ok: true; readonly variants: readonly Variant[] }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

/**
 * Makes the variants of a sweep.
 *
 * @param sweep `RULE.FIELD=VALUE,VALUE`, where the field is a dotted path of the rule's own: `condition.min_ratio`
 * @param files the rule files to look in
 */
export function variantsOf(sweep: string, files: readonly string[]): Variants {
  const match = /^([^.=]+)\.([A-Za-z_][\w.]*)=(.+)$/.exec(sweep)
  const [, name = '', field = '', values = ''] = match ?? []
  if (match === null) {
    return problem(
      sweep,
      'is no sweep',
      'write RULE.FIELD=VALUE,VALUE, such as PaymentRefusalSpike.condition.min_ratio=2,3,5',
    )
  }
  for (const file of files) {
    const text = readFileSync(file, 'utf8')
    const place = placeOf(name, text, file)
    if (place === null) continue
    const variants: Variant[] = []
    const problems: FileProblem[] = []
    for (const value of values.split(',')) {
      const parsed = parseRules([{ file, text: withYamlValue(text, [...place, ...field.split('.')], value) }])
      const rule = parsed.ok ? parsed.rules.find((one) => one.name === name) : undefined
      if (parsed.ok && rule !== undefined) variants.push({ name: `${name}.${field}=${value}`, rule })
      else if (!parsed.ok) problems.push(...parsed.problems)
    }
    return problems.length > 0 ? { ok: false, problems } : { ok: true, variants }
  }
  return problem(sweep, `there is no rule ${name} in ${files.join(', ')}`, 'name a rule of these files')
}

/** Where a rule stands in its file: `groups`, number, `rules`, number. */
function placeOf(name: string, text: string, file: string): readonly PropertyKey[] | null {
  const parsed = parseYamlFile(text, file)
  const groups = parsed.ok ? (parsed.yaml.value as { groups?: unknown }).groups : undefined
  if (!Array.isArray(groups)) return null
  for (const [g, group] of groups.entries()) {
    const rules: unknown = (group as { rules?: unknown } | null)?.rules
    if (!Array.isArray(rules)) continue
    for (const [r, rule] of rules.entries()) {
      const named = rule as { rule?: unknown; alert?: unknown } | null
      if (named?.rule === name || named?.alert === name) return ['groups', g, 'rules', r]
    }
  }
  return null
}

function problem(sweep: string, message: string, fix: string): Variants {
  return { ok: false, problems: [{ file: `--sweep ${sweep}`, line: null, path: '', message, fix }] }
}
