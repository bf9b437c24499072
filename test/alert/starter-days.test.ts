import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadRules, shippedFolder } from '../../src/alert/rule-files.ts'
import { runRuleTest } from '../../src/alert/rule-test.ts'
import { parseRuleTests } from '../../src/alert/rule-test-file.ts'
import type { SliceRow } from '../../src/alert/scripted-view.ts'
import type { Cause } from '../../src/classify/cause.ts'
import { dayMinutes, runMinutes } from './minutes.ts'
import { Chance, engineOf, ScriptedView, startMs } from './simulation.ts'

const loaded = loadRules(['shipped'], '/')
if (!loaded.ok) throw new Error('the shipped rules have problems')
const { rules } = loaded
const slow = ['NewCause', 'QuotaRunsOut', 'BudgetBurn', 'BigTenantWentQuiet', 'InputStalled']

describe('the unit tests of the starter rules that look back over days', () => {
  const file = `${shippedFolder}/tests/starter-days.test.yaml`
  const parsed = parseRuleTests(readFileSync(file, 'utf8'), file)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  it.each(parsed.tests.tests.map((test) => [test.name, test] as const))('pass: %s', { timeout: 60_000 }, (_, test) => {
    expect(runRuleTest(test, rules, parsed.tests.intervalMs)).toEqual([])
  })
})

const usual: readonly Cause[] = ['quota_exceeded', 'insufficient_funds', 'payment_failed', 'subscription_expired']

describe('the starter rules that look back over days', () => {
  it('say nothing in nine days of ordinary tenants with days, nights and weekends', { timeout: 120_000 }, () => {
    const chance = new Chance(99)
    const engine = engineOf(rules.filter(({ name }) => slow.includes(name)))
    const view = new ScriptedView(startMs)
    const tenants = Array.from({ length: 30 }, (_, at) => ({
      name: `t${at}`,
      rate: 0.1 * Math.exp(chance.uniform() * Math.log(200)),
      // A third of them keep office hours, a third have a daily wave, the rest never sleeps.
      kind: at % 3,
      shift: Math.floor(chance.uniform() * 1440),
    }))
    const found = runMinutes(engine, view, 9 * dayMinutes, (minute, atMs) => {
      const rows: SliceRow[] = []
      engine.health(atMs + 40_000, [{ topic: 'access', watermarkAgeMs: 40_000, lagSeconds: 1 }])
      for (const { name, rate, kind, shift } of tenants) {
        const time = (minute + shift) % 1440
        const weekend = Math.floor((minute + shift) / 1440) % 7 >= 5
        const factor =
          kind === 0
            ? time < 600 && !weekend
              ? 1
              : 0
            : kind === 1
              ? 1 + 0.8 * Math.sin((2 * Math.PI * time) / 1440)
              : 1
        const requests = chance.poisson(rate * factor)
        if (requests === 0) continue
        const refused = chance.poisson(requests * 0.003)
        const cause = usual[Math.floor(chance.uniform() * usual.length)] ?? 'payment_failed'
        rows.push({ tenant: name, api: `a${shift % 4}`, requests, causes: refused === 0 ? {} : { [cause]: refused } })
      }
      return rows
    })
    expect(found.map(({ minute, transition: { alert } }) => `${minute} ${alert.annotations['summary']}`)).toEqual([])
  })

  it('page when the input stalls, and not for a hiccup', () => {
    const engine = engineOf(rules)
    const moves: string[] = []
    const at = (second: number, ageMs: number) => {
      for (const { alert } of engine.health(startMs + second * 1000, [
        { topic: 'access', watermarkAgeMs: ageMs, lagSeconds: 0 },
      ])) {
        moves.push(`${second} ${alert.rule} ${alert.state} ${alert.severity} ${alert.annotations['runbook']}`)
      }
    }
    for (let second = 0; second < 290; second += 10) at(second, second * 1000)
    at(290, 5000)
    expect(moves).toEqual([])
    for (let second = 300; second < 800; second += 10) at(second, (second - 300) * 1000)
    expect(moves).toEqual([
      '610 InputStalled pending page runbooks/input_stalled.md',
      '670 InputStalled firing page runbooks/input_stalled.md',
    ])
  })
})
