/**
 * Writes `alerts/prometheus/*.rules.yaml` from the rules that Tollwatch runs out of the box, for those who alert in
 * Prometheus: `npm run prometheus-rules`. Change the code or the starter rules, never the files; a test compares them.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { shippedRules } from '../src/alert/options.ts'
import type { Rule } from '../src/alert/rule.ts'
import { loadRules, shippedFolder } from '../src/alert/rule-files.ts'
import { formatDuration } from '../src/time/duration.ts'
import { inPromql } from './prometheus-rules/conditions.ts'
import { aboutItself } from './prometheus-rules/itself.ts'
import { countsEverySeconds, grown, type PromRule, refusedIn, requestsIn } from './prometheus-rules/promql.ts'
import { annotationsOf, labelsOfAlert } from './prometheus-rules/words.ts'

interface Noted {
  readonly rule: PromRule
  /** Stands above it. */
  readonly note?: string
}

interface Group {
  readonly name: string
  readonly interval: string
  readonly rules: readonly Noted[]
}

const refused = 'tollwatch_payment_required_total'
const requests = 'tollwatch_gateway_requests_total'
const every = `${countsEverySeconds}s`

/** The text of every rules file by its name. */
export function prometheusRuleFiles(): ReadonlyMap<string, string> {
  const loaded = loadRules([shippedRules], shippedFolder)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const about = (rule: Rule) => (rule.condition.type === 'stalled_input' ? 'itself' : 'refusals')
  const refusals = loaded.rules.filter((rule) => about(rule) === 'refusals')
  const input = loaded.rules.filter((rule) => about(rule) === 'itself')
  return new Map([
    ['refusals.rules.yaml', fileText(headOf(refusals), [...counts(), ...groupsOf(refusals)])],
    [
      'tollwatch.rules.yaml',
      fileText(itselfHead, [
        ...groupsOf(input),
        { name: 'tollwatch-itself', interval: every, rules: aboutItself.map((rule) => ({ rule })) },
      ]),
    ],
  ])
}

/** What all alerts are made of: refusals and requests in a few windows, and whether they can be judged. */
function counts(): readonly Group[] {
  const inWindow = (window: string): PromRule[] => [
    { record: refusedIn(window), expr: grown(['tenant', 'api', 'cause'], refused, window) },
    { record: requestsIn(window), expr: grown(['tenant', 'api'], requests, window) },
  ]
  const past = '[1d] offset 10m'
  return [
    {
      name: 'tollwatch-counts',
      interval: every,
      rules: [
        { record: 'tollwatch:caught_up', expr: 'max(max_over_time(tollwatch_watermark_delay_seconds[10m])) < 300' },
        {
          record: 'tollwatch:learnt',
          // Without the past of a day everything would look new.
          expr: `count(tollwatch_series offset 1h) > 0 and on () count(${requestsIn('1d')}) > 0`,
        },
        ...inWindow('5m'),
        ...inWindow('1h'),
      ].map((rule) => ({ rule })),
    },
    {
      name: 'tollwatch-past',
      // A day is much to read and changes slowly. Above five minutes Prometheus would forget it in between.
      interval: '2m',
      rules: [
        { record: refusedIn('1d'), expr: `sum by (tenant, api, cause) (increase(${refused}${past}))` },
        { record: requestsIn('1d'), expr: `sum by (tenant, api) (increase(${requests}${past}))` },
      ].map((rule) => ({ rule })),
    },
  ]
}

function groupsOf(rules: readonly Rule[]): readonly Group[] {
  return [...new Set(rules.map(({ group }) => group))].flatMap((name) => {
    const own = rules.filter(({ group }) => group === name)
    const said = own.flatMap(promRulesOf)
    // Nothing is recorded more often than the counts, so nothing needs to be judged more often.
    const interval = Math.max(countsEverySeconds * 1_000, own[0]?.intervalMs ?? 0)
    return said.length === 0 ? [] : [{ name: `tollwatch-${name}`, interval: formatDuration(interval), rules: said }]
  })
}

function promRulesOf(rule: Rule): readonly Noted[] {
  const said = inPromql(rule)
  if ('unsaid' in said) return []
  const alerts = said.alerts.map(({ severity, expr }) => ({
    alert: rule.name,
    expr,
    ...(rule.forMs === 0 ? {} : { for: formatDuration(rule.forMs) }),
    ...(rule.keepFiringForMs === 0 ? {} : { keep_firing_for: formatDuration(rule.keepFiringForMs) }),
    labels: { severity, ...labelsOfAlert(rule) },
    annotations: annotationsOf(rule),
  }))
  const [first, ...others]: Noted[] = [...said.recorded, ...alerts].map((one) => ({ rule: one }))
  const note = said.loses === '' ? rule.name : `${rule.name}. Less than Tollwatch's own: ${said.loses}.`
  return first === undefined ? [] : [{ ...first, note }, ...others]
}

function headOf(rules: readonly Rule[]): string {
  const unsaid = rules.flatMap((rule) => {
    const said = inPromql(rule)
    return 'unsaid' in said ? [`- ${rule.name}: ${said.unsaid}`] : []
  })
  return [
    'The rules of alerts/starter.rules.yaml for those who alert in Prometheus. Made by `npm run prometheus-rules`.',
    'Use these or those of Tollwatch, not both: each alert would come twice.',
    '',
    'Needs Prometheus 2.42 or later, which keeps a week and more. They are less than what Tollwatch does itself:',
    '- they judge by the time a record was read, not by when it happened, and wait while a backlog is read;',
    '- an incident of many tenants is also told for each of them: use inhibition in Alertmanager;',
    '- only the pairs of tenant and API that have metrics of their own, see telemetry.top_series;',
    '- `limit` of a group is left out: in Prometheus a group above it tells nothing at all.',
    '',
    'Cannot be said in PromQL:',
    ...unsaid,
  ].join('\n')
}

const itselfHead = [
  'Alerts about Tollwatch itself, for every Prometheus that scrapes it. Also where Tollwatch sends its alerts,',
  'somebody else must tell when it cannot. Made by `npm run prometheus-rules`.',
].join('\n')

function fileText(head: string, groups: readonly Group[]): string {
  const comment = (text: string, indent: string) =>
    text
      .split('\n')
      .flatMap((line) => line.match(/.{1,110}(?= |$)|^$/g) ?? [])
      .map((line) => line.trim())
      .map((line) => `${indent}#${line === '' ? '' : ` ${line}`}\n`)
      .join('')
  const ruleText = ({ rule, note }: Noted) => {
    const [first = '', ...others] = stringify(rule, { lineWidth: 0 }).trimEnd().split('\n')
    const item = [`      - ${first}`, ...others.map((line) => (line === '' ? '' : `        ${line}`))].join('\n')
    return `${note === undefined ? '' : `\n${comment(note, '      ')}`}${item}\n`
  }
  const groupText = ({ name, interval, rules }: Group) =>
    `\n  - name: ${name}\n    interval: ${interval}\n    rules:\n${rules.map(ruleText).join('').replace(/^\n/, '')}`
  return `${comment(head, '')}groups:${groups.map(groupText).join('')}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = fileURLToPath(new URL('../alerts/prometheus/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of prometheusRuleFiles()) {
    writeFileSync(join(folder, file), text)
    console.log(`alerts/prometheus/${file}`)
  }
}
