/** Labels and texts of the alerts: what Tollwatch's own say, as far as Prometheus knows it. */
import type { Rule } from '../../src/alert/rule.ts'
import { renderTemplate } from '../../src/alert/template.ts'
import { familyOf } from '../../src/classify/cause.ts'
import { causesOf, labelsOf, refusedIn, selector, windowName } from './promql.ts'

const count = '{{ printf "%.0f" $value }}'

export function labelsOfAlert(rule: Rule): Readonly<Record<string, string>> {
  const families = [...new Set(causesOf(rule).map((cause) => familyOf[cause]))]
  const family = families.length === 1 && rule.groupBy.includes('cause') ? { family: families[0] ?? '' } : {}
  return { ...family, ...rule.labels }
}

export function annotationsOf(rule: Rule): Readonly<Record<string, string>> {
  const own = Object.entries(rule.annotations).map(([name, template]) => {
    return [name, renderTemplate(template, { labels: {}, numbers: noNumbers })] as const
  })
  const runbook = runbookOf(rule)
  return { summary: summaryOf(rule), ...(runbook === '' ? {} : { runbook }), ...Object.fromEntries(own) }
}

const noNumbers = { value: null, observed: null, requests: null, expected: null, factor: null }

/** `acme is refused on chat: quota exceeded`, with the labels the rule has. */
function subject(rule: Rule): string {
  const { own } = labelsOf(rule)
  const who = own.includes('tenant') ? '{{ $labels.tenant }} is refused' : 'Tenants are refused'
  const where = own.includes('api') ? ' on {{ $labels.api }}' : ''
  const why = own.includes('cause') ? ': {{ reReplaceAll "_" " " $labels.cause }}' : ''
  return `${who}${where}${why}`
}

function summaryOf(rule: Rule): string {
  const { condition } = rule
  const window = windowName(rule.windowMs)
  switch (condition.type) {
    case 'spike':
      return `${subject(rule)}. ${count} refusals in the last ${window} or ${windowName(condition.alsoWindowMs)}, far above normal.`
    case 'threshold':
      switch (condition.measure) {
        case 'ratio':
          // The value is what the share is surely above, not the share itself.
          return condition.over === 'refusals'
            ? `More than {{ $value | humanizePercentage }} of all refusals have no cause that the logs tell.`
            : `${subject(rule)}. More than {{ $value | humanizePercentage }} of its requests in the last ${window}.`
        case 'distinct(tenant)':
          return `${count} tenants are refused at the same time${labelsOf(rule).own.includes('cause') ? ': {{ reReplaceAll "_" " " $labels.cause }}' : ''}.`
        default:
          return `${subject(rule)}. ${count} in the last ${window}.`
      }
    case 'burn_rate':
      return `${labelsOf(rule).own.includes('api') ? '{{ $labels.api }} spends' : 'Spends'} its budget of refusals too fast: {{ $value | humanizePercentage }} of requests are refused.`
    case 'absence':
      return `{{ $labels.tenant }} sends nothing, and had ${count} requests at this time yesterday.`
    case 'stalled_input':
      return 'Input is stalled: no rule sees what happens now.'
    case 'new_value':
      return `${condition.of} {{ $labels.${condition.of} }} is new: ${count} refusals in the last hour.`
    default:
      return `${rule.name} fires.`
  }
}

/** The runbook of the cause; without one, of the cause that most of it has now, as Tollwatch's own alerts do it. */
function runbookOf(rule: Rule): string {
  const { own } = labelsOf(rule)
  if (own.includes('cause')) return 'runbooks/{{ $labels.cause }}.md'
  const [only, ...others] = causesOf(rule)
  if (only !== undefined && others.length === 0) return `runbooks/${only}.md`
  if (rule.condition.type !== 'threshold' && rule.condition.type !== 'burn_rate') return ''
  const { own: labels } = labelsOf(rule)
  const parts = [
    ...labels.map((label) => `${label}=%q`),
    ...selector(rule, 'refusals').replace(/[{}]/g, '').split(', '),
  ]
  const query = `topk(1, sum by (cause) (${refusedIn('5m')}{${parts.filter(Boolean).join(', ')}}))`
  const values = labels.map((label) => ` $labels.${label}`).join('')
  return `{{ with printf ${JSON.stringify(query)}${values} | query }}runbooks/{{ . | first | label "cause" }}.md{{ end }}`
}
