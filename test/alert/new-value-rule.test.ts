import { describe, expect, it } from 'vitest'
import type { SliceRow } from '../../src/alert/scripted-view.ts'
import type { Cause } from '../../src/classify/cause.ts'
import { dayMinutes, hourMinutes, minuteMoves, runMinutes } from './minutes.ts'
import { engineOf, rulesOf, ScriptedView, startMs } from './simulation.ts'

const newCause = '- {rule: New, severity: info, condition: {type: new_value, of: cause, memory: 5d, min_count: 3}}'

function refused(...causes: Cause[]): SliceRow[] {
  const counts: Partial<Record<Cause, number>> = {}
  for (const cause of causes) counts[cause] = (counts[cause] ?? 0) + 1
  return [{ tenant: 'acme', api: 'x', requests: 10, causes: counts }]
}

describe('a new value rule', () => {
  it('tells of a cause that nobody has had, for an hour, and knows it from then on', () => {
    const engine = engineOf(rulesOf(newCause, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const from = 2 * dayMinutes
    const found = runMinutes(engine, view, from + 300, (minute) =>
      minute >= from && minute % 10 === 0 ? refused('payment_failed', 'misconfiguration') : refused('payment_failed'),
    )
    // Every ten minutes one: the third comes twenty minutes later.
    expect(minuteMoves(found)).toEqual([`${from + 21} inactive>firing info`, `${from + 81} firing>resolved info`])
    expect(found[0]?.transition.alert).toMatchObject({
      labels: { cause: 'misconfiguration', family: 'access' },
      value: 3,
      annotations: {
        summary: 'The cause misconfiguration is new: 3 refusals, none in the 2 d watched so far, of 5 d.',
        runbook: 'runbooks/misconfiguration.md',
      },
      numbers: {
        facts: [
          { label: 'First seen', text: '09:00 UTC, 3 refusals since' },
          { label: 'Not seen', text: 'in the 2 d watched so far, of 5 d' },
        ],
      },
    })
    expect(found[1]?.transition.alert.annotations['summary']).toBe(
      'The cause misconfiguration is no longer new after 1 h.',
    )
  })

  it('takes what comes in the first day for known, and says that it does', () => {
    const engine = engineOf(rulesOf(newCause, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    expect(
      runMinutes(engine, view, dayMinutes - 1, (minute) => refused(minute < 600 ? 'unknown' : 'payment_failed')),
    ).toEqual([])
    expect(engine.status('New')).toEqual([
      '2 values are known, from 23 h 59 min of watching',
      'it is silent until 1 d were watched',
    ])
  })

  it('takes a cause for new again once it was not seen for as long as it remembers', () => {
    const engine = engineOf(rulesOf(newCause, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const rows = (minute: number) => {
      const day = Math.floor(minute / dayMinutes)
      if (day === 0 || day === 4) return refused('unknown', 'payment_failed')
      // Four days of silence are remembered, six are not.
      return minute >= 11 * dayMinutes ? refused('unknown', 'payment_failed') : refused('payment_failed')
    }
    const found = runMinutes(engine, view, 11 * dayMinutes + 10, rows)
    expect(minuteMoves(found)).toEqual([`${11 * dayMinutes + 3} inactive>firing info`])
    expect(found[0]?.transition.alert.annotations['summary']).toBe(
      'The cause unknown is new: 3 refusals, none in the 5 d before.',
    )
  })

  it('does not tell of one that comes fewer than min_count times', () => {
    const engine = engineOf(rulesOf(newCause, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const found = runMinutes(engine, view, 3 * dayMinutes, (minute) =>
      minute === 2 * dayMinutes || minute === 2 * dayMinutes + 30 ? refused('unknown') : refused('payment_failed'),
    )
    expect(found).toEqual([])
  })

  it('counts requests of tenants, and names the series beside what is new in it', () => {
    const rules = rulesOf(
      `
- {rule: Tenant, condition: {type: new_value, of: tenant, memory: 5d}}
- {rule: Pair, group_by: [tenant, cause], condition: {type: new_value, of: cause, memory: 5d}}
`,
      'interval: 1m',
    )
    const engine = engineOf(rules)
    const view = new ScriptedView(startMs)
    const from = dayMinutes + hourMinutes
    const found = runMinutes(engine, view, from + 10, (minute) => [
      ...refused('unknown'),
      ...(minute < from ? [] : [{ tenant: 'globex', api: 'x', requests: 2, causes: { unknown: 1 } }]),
    ])
    expect(
      found.map(({ minute, transition }) => `${minute - from} ${transition.alert.annotations['summary']}`),
    ).toEqual([
      '2 The tenant globex is new: 4 requests, none in the 1 d 1 h watched so far, of 5 d.',
      '3 The cause unknown of tenant globex is new: 3 refusals, none in the 1 d 1 h watched so far, of 5 d.',
    ])
  })
})
