/** The conditions of Tollwatch's rules in PromQL, as far as they can be said there. */

import type { Severity } from '../../src/alert/alert.ts'
import type {
  AbsenceCondition,
  BurnCondition,
  NewValueCondition,
  Rule,
  SpikeCondition,
  StalledCondition,
  ThresholdCondition,
} from '../../src/alert/rule.ts'
import { normalQuantile } from '../../src/alert/threshold.ts'
import {
  caughtUp,
  countsEverySeconds,
  joined,
  labelsOf,
  learnt,
  refusedIn,
  requestsIn,
  selector,
  sumBy,
  windowName,
} from './promql.ts'

/** A condition in PromQL: what must be recorded for it, and one expression for each severity. */
export interface Said {
  readonly recorded: readonly { readonly record: string; readonly expr: string }[]
  readonly alerts: readonly { readonly severity: Severity; readonly expr: string }[]
  /** What of the rule is not said, for the comment above it. */
  readonly loses: string
}

/** Why a rule cannot be said in PromQL. */
export interface Unsaid {
  readonly unsaid: string
}

export function inPromql(rule: Rule): Said | Unsaid {
  const { condition } = rule
  switch (condition.type) {
    case 'spike':
      return spike(rule, condition)
    case 'threshold':
      return threshold(rule, condition)
    case 'burn_rate':
      return burn(rule, condition)
    case 'absence':
      return absence(rule, condition)
    case 'stalled_input':
      return stalled(rule, condition)
    case 'new_value':
      return newValue(rule, condition)
    case 'quota_forecast':
      return { unsaid: 'limits, usage and resets of quotas are no metrics, and a forecast needs them' }
    case 'expiry':
      return { unsaid: 'the end of a subscription stands in tenants.yaml and is no metric' }
    case 'all':
    case 'any':
      return { unsaid: 'combined conditions are not translated; write the parts as rules of their own' }
    default:
      return condition satisfies never
  }
}

/**
 * Anscombe's transform makes counts of any size vary alike, so that one bound serves them all: a Poisson count is so far
 * above its mean once in a billion looks. Refusals come in bursts, which is what the large bound leaves room for; it is
 * not calibrated to a number of false alerts, as Tollwatch's own detector is.
 */
const farAbove = 6

function spike(rule: Rule, condition: SpikeCondition): Said | Unsaid {
  if (condition.direction !== 'up' || condition.exposure !== 'requests') {
    return { unsaid: 'only rises against requests are translated' }
  }
  const { own, base } = labelsOf(rule)
  const refusals = selector(rule, 'refusals')
  const requests = selector(rule, 'requests')
  const windows = [rule.windowMs, condition.alsoWindowMs].map(windowName)
  const observed = (window: string) => `tollwatch:${rule.name}:observed${window}`
  const expected = (window: string) => `tollwatch:${rule.name}:expected${window}`
  const share = `tollwatch:${rule.name}:share1d`
  const recorded = [
    {
      record: share,
      // A day without a request has no share; nothing is expected then.
      expr: `${sumBy(own, refusedIn('1d') + refusals)} / ${joined(base)} (${sumBy(base, requestsIn('1d') + requests)} > 0)`,
    },
    ...windows.flatMap((window) => [
      { record: observed(window), expr: sumBy(own, refusedIn(window) + refusals) },
      {
        record: expected(window),
        // What was never refused before is expected not to be.
        expr: `${share} * ${joined(base)} ${sumBy(base, requestsIn(window) + requests)} or ${observed(window)} * 0`,
      },
    ]),
  ]
  const beyond = windows.map((window) => {
    const [seen, usual] = [observed(window), expected(window)]
    const oneTenant =
      condition.maxTenantShare < 1
        ? `\n  and max by (${own.join(', ')}) (${sumBy(['tenant', ...own], refusedIn(window) + refusals)}) <= ${condition.maxTenantShare} * ${seen}`
        : ''
    return `(
  ${seen} >= ${condition.minCount}
  and ${seen} > ${condition.minRatio} * ${usual}
  and 2 * (sqrt(${seen} + 0.375) - sqrt(${usual} + 0.375)) > ${farAbove}${oneTenant}
)`
  })
  return {
    recorded,
    alerts: [{ severity: rule.severity, expr: `(${beyond.join('\nor ')})\n${caughtUp}\n${learnt}` }],
    loses:
      'normal is the share of the day before, without the hours of the day; a long incident becomes normal; the bound is not calibrated',
  }
}

function threshold(rule: Rule, condition: ThresholdCondition): Said | Unsaid {
  if (condition.side !== 'above' || condition.levels.length > 0) {
    return { unsaid: 'only one bound from above is translated' }
  }
  const { own, base } = labelsOf(rule)
  const window = windowName(rule.windowMs)
  const refusals = refusedIn(window) + selector(rule, 'refusals')
  const requests = requestsIn(window) + selector(rule, 'requests')
  const only = (expr: string, recorded: Said['recorded'], loses: string): Said => ({
    recorded,
    alerts: [{ severity: rule.severity, expr: `${expr}\n${caughtUp}` }],
    loses,
  })
  const recover = 'an alert ends at the bound and not at `recover`'
  switch (condition.measure) {
    case 'ratio': {
      const name = (what: string) => `tollwatch:${rule.name}:${what}${window}`
      const whole = condition.over === 'requests' ? sumBy(base, requests) : sumBy(base, refusedIn(window))
      const recorded = [
        { record: name('refused'), expr: sumBy(own, refusals) },
        // In the shape of the refusals, so that the two can be compared one to one.
        { record: name('of'), expr: `${name('refused')} * 0 + ${joined(base)} ${whole}` },
        // Counts are extrapolated one by one, so that a share of all can come out a little above 1.
        { record: name('share'), expr: `clamp_max(${name('refused')} / ${name('of')}, 1)` },
      ]
      const bound = wilson(name('share'), name('of'), condition.confidence)
      const enough = `${name('refused')} >= ${condition.minCount} and ${name('of')} >= ${condition.minTotal}`
      return only(`${bound} > ${condition.bound}\nand ${enough}`, recorded, recover)
    }
    case 'distinct(tenant)': {
      const each = [...new Set([...own, 'tenant'])]
      const affected = `${sumBy(each, refusals)} >= ${condition.minCount}
  and ${sumBy(each, refusals)} / ${joined(['tenant'])} ${sumBy(['tenant'], requests)} >= ${condition.minShare}`
      return only(`count by (${own.join(', ')}) (\n  ${affected}\n) > ${condition.bound}`, [], recover)
    }
    case 'count':
      return only(`${sumBy(own, refusals)} > ${condition.bound}`, [], recover)
    case 'rate':
      return only(`${sumBy(own, refusals)} / ${rule.windowMs / 1_000} > ${condition.bound}`, [], recover)
    default:
      return condition.measure satisfies never
  }
}

/** The lower Wilson bound, as `wilsonBound` of `src/alert/threshold.ts` has it. */
function wilson(share: string, total: string, confidence: number): string {
  const z = Number(normalQuantile(confidence).toFixed(4))
  const square = Number((z * z).toFixed(4))
  return `(
  ${share} + ${square} / (2 * ${total})
  - ${z} * sqrt(${share} * (1 - ${share}) / ${total} + ${square} / (4 * ${total} * ${total}))
) / (1 + ${square} / ${total})`
}

function burn(rule: Rule, condition: BurnCondition): Said | Unsaid {
  const { own } = labelsOf(rule)
  if (own.includes('cause')) return { unsaid: 'burn rates by cause are not translated' }
  const spent = `tollwatch:${rule.name}:refused5m`
  const all = `tollwatch:${rule.name}:requests5m`
  // As the group is evaluated, so densely is recorded.
  const everySeconds = Math.max(countsEverySeconds, rule.intervalMs / 1_000)
  const budget = Number((1 - condition.objective).toFixed(6))
  const window = (ms: number, factor: number) =>
    `sum_over_time(${spent}[${windowName(ms)}]) / sum_over_time(${all}[${windowName(ms)}]) > ${factor} * ${budget}`
  const burning = condition.windows.map(({ longMs, shortMs, factor, severity }) => {
    const samples = Math.floor((0.75 * longMs) / 1_000 / everySeconds)
    // Counts of five minutes are recorded more often than that, so a sum over them has each refusal several times.
    const times = 300 / everySeconds
    const expr = `(
  ${window(longMs, factor)}
  and ${window(shortMs, factor)}
  and sum_over_time(${spent}[${windowName(longMs)}]) / ${times} >= ${condition.minBad}
  and count_over_time(${all}[${windowName(longMs)}]) >= ${samples}
)`
    return { severity, expr }
  })
  const severities = [...new Set(burning.map(({ severity }) => severity))]
  return {
    recorded: [
      { record: spent, expr: sumBy(own, refusedIn('5m') + selector(rule, 'refusals')) },
      { record: all, expr: sumBy(own, requestsIn('5m') + selector(rule, 'requests')) },
    ],
    alerts: severities.map((severity) => {
      const parts = burning.filter((one) => one.severity === severity).map(({ expr }) => expr)
      return { severity, expr: `(${parts.join('\nor ')})\n${caughtUp}` }
    }),
    loses: '',
  }
}

/** So many requests in the window that none at all is no chance. */
const busy = 30

function absence(rule: Rule, condition: AbsenceCondition): Said | Unsaid {
  const { own } = labelsOf(rule)
  const window = windowName(condition.longerThanMs ?? condition.atLeastMs)
  const name = `tollwatch:${rule.name}:requests${window}`
  const known = condition.top === null ? `${name} offset 1d` : `topk(${condition.top}, ${name} offset 1d)`
  const counter = 'tollwatch_gateway_requests_total{tenant!="__other__"}'
  return {
    recorded: [{ record: name, expr: sumBy(own, `increase(${counter}[${window}])`) }],
    alerts: [
      {
        severity: rule.severity,
        expr: `${known} >= ${busy}
and ${name} offset 1w >= ${busy}
unless ${name} > 0
${caughtUp}`,
      },
    ],
    loses: `gaps are not learnt; it tells of tenants that send nothing for ${window} and sent ${busy} requests or more at this time a day and a week ago`,
  }
}

function stalled(rule: Rule, condition: StalledCondition): Said {
  const old =
    condition.watermarkAgeMs === null
      ? []
      : [`max by (job, instance) (tollwatch_watermark_delay_seconds) > ${condition.watermarkAgeMs / 1_000}`]
  // Records that wait, by how many are read in a second; reading nothing at all divides by zero and is stalled too.
  const far =
    condition.lagSeconds === null
      ? []
      : [
          `sum by (job, instance) (tollwatch_kafka_lag_records) / sum by (job, instance) (rate(tollwatch_records_total[5m])) > ${condition.lagSeconds}`,
        ]
  return {
    recorded: [],
    alerts: [{ severity: rule.severity, expr: [...old, ...far].join('\nor ') }],
    loses: 'the metrics tell event time of all inputs together, so the alert names the daemon and not the topic',
  }
}

function newValue(rule: Rule, condition: NewValueCondition): Said | Unsaid {
  if (condition.of === 'family') return { unsaid: 'the family of a cause is no label of the metrics' }
  const name = `tollwatch:${rule.name}:refused1h`
  return {
    recorded: [{ record: name, expr: sumBy([condition.of], refusedIn('1h') + selector(rule, 'refusals')) }],
    alerts: [
      {
        severity: rule.severity,
        expr: `${name} >= ${condition.minCount}
unless max_over_time(${name}[${windowName(condition.memoryMs)}] offset 1h) > 0
${caughtUp}
and on () count(tollwatch_series offset 1d) > 0`,
      },
    ],
    loses: 'Prometheus remembers as long as its retention, 15 days unless set',
  }
}
