/**
 * Texts with `{{ … }}` holes. Values are data, never code: what a label holds is put in as it is and not looked at
 * again. Everything a hole may name is known when the rule is loaded, so a typing error shows then and not at night.
 */
export interface Template {
  readonly text: string
  readonly parts: readonly Part[]
}

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'number'; readonly name: TemplateNumber; readonly format: NumberFormat }

const templateNumbers = ['value', 'observed', 'requests', 'expected', 'factor'] as const
type TemplateNumber = (typeof templateNumbers)[number]

const numberFormats = ['plain', 'percent', 'round'] as const
type NumberFormat = (typeof numberFormats)[number]

/** What the holes are filled with; null numbers print as `n/a`. */
export interface TemplateValues {
  readonly labels: Readonly<Record<string, string>>
  readonly numbers: Readonly<Record<TemplateNumber, number | null>>
}

export type ParsedTemplate =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly message: string; readonly fix: string }

/**
 * Reads `{{ labels.x }}`, `{{ $labels.x }}`, `{{ value }}`, `{{ $value }}`, the other numbers, and after a number
 * `| percent` or `| round`.
 *
 * @param known the labels an alert of the rule is sure to have
 */
export function parseTemplate(text: string, known: readonly string[]): ParsedTemplate {
  const parts: Part[] = []
  let rest = text
  for (;;) {
    const open = rest.indexOf('{{')
    if (open < 0) break
    const close = rest.indexOf('}}', open)
    if (close < 0) return { ok: false, message: 'a {{ is never closed', fix: 'close it with }}' }
    if (open > 0) parts.push({ kind: 'text', text: rest.slice(0, open) })
    const hole = parseHole(rest.slice(open + 2, close).trim(), known)
    if ('message' in hole) return { ok: false, ...hole }
    parts.push(hole)
    rest = rest.slice(close + 2)
  }
  if (rest !== '') parts.push({ kind: 'text', text: rest })
  return { ok: true, template: { text, parts } }
}

function parseHole(hole: string, known: readonly string[]): Part | { message: string; fix: string } {
  const [subject = '', ...filters] = hole.split('|').map((piece) => piece.trim())
  const name = subject.replace(/^[$.]/, '')
  const label = /^labels\.([a-zA-Z_][a-zA-Z0-9_]*)$/.exec(name)?.[1]
  if (label !== undefined) {
    if (filters.length > 0) {
      return { message: `{{ ${hole} }} has a filter on a label`, fix: `write {{ labels.${label} }}` }
    }
    if (!known.includes(label)) {
      const choice = `this rule's alerts have: ${known.join(', ')}`
      return { message: `{{ ${hole} }} names a label that alerts of this rule do not have`, fix: choice }
    }
    return { kind: 'label', label }
  }
  const number = templateNumbers.find((candidate) => candidate === name)
  if (number === undefined) {
    const fix = `use labels.NAME or one of ${templateNumbers.join(', ')}`
    return { message: `{{ ${hole} }} is not known`, fix }
  }
  const format = numberFormats.find((candidate) => candidate === (filters[0] ?? 'plain'))
  if (format === undefined || filters.length > 1) {
    return { message: `{{ ${hole} }} has a filter that is not known`, fix: 'use | percent or | round, or none' }
  }
  return { kind: 'number', name: number, format }
}

export function renderTemplate(template: Template, values: TemplateValues): string {
  let text = ''
  for (const part of template.parts) {
    if (part.kind === 'text') text += part.text
    else if (part.kind === 'label') text += values.labels[part.label] ?? ''
    else text += renderNumber(values.numbers[part.name], part.format)
  }
  return text
}

function renderNumber(value: number | null, format: NumberFormat): string {
  if (value === null || !Number.isFinite(value)) return 'n/a'
  if (format === 'percent') return `${(value * 100).toFixed(1)} %`
  if (format === 'round') return String(Math.round(value))
  return String(Number(value.toPrecision(4)))
}
