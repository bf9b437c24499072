import { expect, test } from 'vitest'
import { bandOf, usualRefusals } from '../../src/alert/normal.ts'
import { quotaStates } from '../../src/alert/quota-state.ts'
import { hourMs, minuteMs } from '../../src/time/duration.ts'
import { runMinutes } from './minutes.ts'
import { engineOf, rulesOf, ScriptedView, startMs } from './simulation.ts'

const spike = `
- rule: Spike
  group_by: [tenant, api, cause]
  window: 5m
  condition: {type: spike, false_alerts_per_week: 1, min_count: 5, min_ratio: 2}
`
const ratio = `
- rule: High
  group_by: [tenant, api]
  window: 5m
  condition: {type: threshold, measure: ratio, above: 0.2, recover: 0.1, min_total: 1, min_count: 1, confidence: 0.5}
`
const quota = `
- rule: Quota
  condition: {type: quota_forecast, levels: {info: 0.9}, rearm_on: [period_reset]}
`

test('says what is usual from the baselines of spike rules, and nothing of what they do not know', () => {
  const engine = engineOf(rulesOf(spike, 'interval: 1m'))
  const view = new ScriptedView(startMs)
  runMinutes(engine, view, 300, () => [
    { tenant: 'acme', api: 'x', requests: 100, causes: { quota_exceeded: 2, unknown: 1 } },
  ])
  const usual = usualRefusals(engine, { tenant: 'acme', api: 'x' }, { requests: 500, spanMs: 5 * minuteMs })
  expect(usual).toBeGreaterThan(13)
  expect(usual).toBeLessThan(17)
  expect(usualRefusals(engine, { tenant: 'acme', api: 'y' }, { requests: 500, spanMs: 5 * minuteMs })).toBeNull()
})

test('draws the band of a spike: what is expected, and from where on it fires', () => {
  const engine = engineOf(rulesOf(spike, 'interval: 1m'))
  const view = new ScriptedView(startMs)
  const minute = (refused: number) => [{ tenant: 'acme', api: 'x', requests: 100, causes: { quota_exceeded: refused } }]
  runMinutes(engine, view, 300, () => minute(2))
  runMinutes(engine, view, 5, () => minute(60))
  const [alert] = engine.alerts()
  const band = bandOf(engine, alert?.fingerprint ?? '')
  const { expected, upper } = band?.({ requests: 500, spanMs: 5 * minuteMs }) ?? { expected: null, upper: null }
  expect(expected).toBeGreaterThan(8)
  expect(expected).toBeLessThan(12)
  expect(upper).toBeGreaterThan(2 * (expected ?? 0) - 1)
  expect(upper).toBeLessThan(300)
  expect(bandOf(engine, 'nobody')).toBeNull()
})

test('draws the bound of a threshold as a count', () => {
  const engine = engineOf(rulesOf(ratio, 'interval: 1m'))
  const view = new ScriptedView(startMs)
  runMinutes(engine, view, 5, () => [{ tenant: 'acme', api: 'x', requests: 100, causes: { quota_exceeded: 60 } }])
  const band = bandOf(engine, engine.alerts()[0]?.fingerprint ?? '')
  expect(band?.({ requests: 300, spanMs: minuteMs })).toEqual({ expected: null, upper: 60 })
})

test('tells the quotas of one tenant, from where they are known, and when they run out', () => {
  const engine = engineOf(rulesOf(quota, 'interval: 1m'))
  const view = new ScriptedView(startMs)
  const resetAtMs = startMs + 15 * hourMs
  runMinutes(engine, view, 120, (minute, atMs) => {
    const reading = { api: 'x', quota: 'day', limit: 1_000, resetAtMs, atMs: atMs + 30_000 }
    engine.observeQuota([
      { ...reading, tenant: 'acme', remaining: 1_000 - 5 * minute },
      { ...reading, tenant: 'acme-eu', remaining: 900 },
    ])
    return [{ tenant: 'acme', api: 'x', requests: 10, causes: {} }]
  })
  const [state, ...more] = quotaStates(engine, 'acme')
  expect(more).toEqual([])
  expect(state).toMatchObject({ quota: 'day', limit: 1_000, source: 'header', resetAtMs })
  expect(state?.used).toBeGreaterThan(580)
  // 5 a minute: some 80 minutes are left of two hours.
  const left = ((state?.runsOutAtMs ?? 0) - (startMs + 2 * hourMs)) / minuteMs
  expect(left).toBeGreaterThan(60)
  expect(left).toBeLessThan(110)
  expect(state?.chance).toBeGreaterThan(0.9)
  expect(quotaStates(engine, 'acme-eu')[0]?.runsOutAtMs).toBeNull()
  expect(quotaStates(engine, 'nobody')).toEqual([])
})
