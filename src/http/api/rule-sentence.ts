import { formatMatcher } from '../../alert/matcher.ts'
import { isCombined, type Rule, type SimpleCondition, type ThresholdCondition } from '../../alert/rule.ts'
import { spanText } from '../../alert/span.ts'

/** When a rule fires, as one sentence. */
export function ruleSentence(rule: Rule): string {
  const { condition, groupBy, ownLabel, matchers, forMs } = rule
  const by = [...groupBy, ...(ownLabel === null ? [] : [ownLabel])]
  const each = by.length === 0 ? 'Over everything together' : `For each ${listed(by, 'and')}`
  const only = matchers.length === 0 ? '' : ` with ${matchers.map(formatMatcher).join(' and ')}`
  const conditions = isCombined(condition) ? condition.conditions : [condition]
  const texts = conditions.map((one) => conditionText(one, rule))
  const held = forMs > 0 ? `, for ${spanText(forMs)}` : ''
  return `${each}${only}: ${listed(texts, condition.type === 'any' ? 'or' : 'and')}${held}.`
}

function conditionText(condition: SimpleCondition, { windowMs }: Rule): string {
  switch (condition.type) {
    case 'threshold':
      return thresholdText(condition, windowMs)
    case 'spike': {
      const { direction, minCount, minRatio, falseAlertsPerWeek, alsoWindowMs } = condition
      const side = { up: 'far above', down: 'far below', both: 'far from' }[direction]
      return (
        `refusals in ${spanText(windowMs)} or ${spanText(alsoWindowMs)} ${side} what is normal there, ` +
        `at least ${minCount} and ${minRatio} times as many (${falseAlertsPerWeek} false alerts a week, over all series)`
      )
    }
    case 'quota_forecast': {
      const { levels, forecast } = condition
      const used = levels.map(({ severity, bound }) => `${percent(bound)} (${severity})`)
      const parts = used.length === 0 ? [] : [`a quota used to ${listed(used, 'or')}`]
      if (forecast !== null) {
        const { probability, withinMs } = forecast
        parts.push(`a chance of ${percent(probability)} that it runs out within ${spanText(withinMs)}`)
      }
      return listed(parts, 'or')
    }
    case 'burn_rate': {
      const { objective, periodMs, windows } = condition
      const rates = windows.map(({ factor, longMs, shortMs }) => {
        return `${factor} times too fast over ${spanText(longMs)} and ${spanText(shortMs)}`
      })
      const budget = `${percent(1 - objective)} of the requests of ${spanText(periodMs)}`
      return `the error budget of ${budget} spent ${listed(rates, 'or')}`
    }
    case 'absence': {
      const { longerThanMs, atLeastMs } = condition
      const length =
        longerThanMs === null
          ? `longer than it ever is, and ${spanText(atLeastMs)} at least`
          : `longer than ${spanText(longerThanMs)}`
      return `a busy series sends nothing for ${length}`
    }
    case 'stalled_input': {
      const { watermarkAgeMs, lagSeconds } = condition
      const parts = [
        ...(watermarkAgeMs === null ? [] : [`is older than ${spanText(watermarkAgeMs)}`]),
        ...(lagSeconds === null ? [] : [`is ${spanText(lagSeconds * 1000)} behind`]),
      ]
      return `the log input ${listed(parts, 'or')}`
    }
    case 'new_value':
      return `${condition.minCount} refusals of a ${condition.of} that was not seen for ${spanText(condition.memoryMs)}`
    case 'expiry': {
      const ahead = condition.levels.map(({ severity, bound }) => `${spanText(bound)} (${severity})`)
      return `a subscription that ends within ${listed(ahead, 'or')}`
    }
    default:
      return condition satisfies never
  }
}

function thresholdText(condition: ThresholdCondition, windowMs: number): string {
  const { measure, side, bound, minCount, minTotal, over } = condition
  const span = spanText(windowMs)
  switch (measure) {
    case 'ratio':
      return `at least ${minCount} refusals in ${span}, ${side} ${percent(bound)} of at least ${minTotal} ${over}`
    case 'rate':
      return `refusals ${side} ${bound} a second over ${span}`
    case 'count':
      return `refusals ${side} ${bound} in ${span}`
    case 'distinct(tenant)':
      return `tenants refused ${side} ${bound} in ${span}, each with ${minCount} refusals or more`
    default:
      return measure satisfies never
  }
}

/** `a`, `a and b`, `a, b and c`. */
function listed(texts: readonly string[], word: 'and' | 'or'): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} ${word} ${texts.at(-1) ?? ''}`
}

/** `20 %`, `0.1 %`, `99.95 %`. */
function percent(share: number): string {
  return `${Number((share * 100).toPrecision(6))} %`
}
