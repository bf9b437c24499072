import { describe, expect, it } from 'vitest'
import { RuleEngine } from '../../src/alert/engine.ts'
import type { SliceRow } from '../../src/alert/scripted-view.ts'
import { Chance, engineOf, moves, rulesOf, run, ScriptedView, startMs } from './simulation.ts'

const high = `
- rule: High
  group_by: [tenant, api]
  window: 1m
  condition: {type: threshold, measure: ratio, above: 0.5, recover: 0.2, min_total: 10, min_count: 1, confidence: 0.5}
`

function acme(requests: number, refused: number, tenant = 'acme'): SliceRow {
  return { tenant, api: 'chat', requests, causes: { quota_exceeded: refused } }
}

describe('RuleEngine', () => {
  it('waits for, fires, keeps firing, resolves, and forgets a quarter of an hour later', () => {
    const engine = engineOf(rulesOf(`${high}  for: 30s\n  keep_firing_for: 40s\n`))
    const view = new ScriptedView(startMs)
    const found = run(engine, view, 12, () => [acme(100, 80)])
    expect(moves(found)).toEqual(['10 inactive>pending', '40 pending>firing'])
    expect(moves(run(engine, view, 12, () => [acme(100, 0)]))).toEqual(['210 firing>resolved'])
    expect(engine.alerts()).toMatchObject([{ state: 'resolved', resolvedAtMs: startMs + 210_000 }])
    run(engine, view, 86, () => [acme(100, 0)])
    expect(engine.alerts()).toHaveLength(1)
    run(engine, view, 1, () => [acme(100, 0)])
    expect(engine.alerts()).toEqual([])
  })

  it('says nothing of a pending alert that comes to nothing', () => {
    const engine = engineOf(rulesOf(`${high}  for: 5m\n`))
    const view = new ScriptedView(startMs)
    run(engine, view, 6, () => [acme(100, 80)])
    expect(moves(run(engine, view, 12, () => [acme(100, 0)]))).toEqual([])
    expect(engine.alerts()).toEqual([])
  })

  it('evaluates on multiples of the interval in event time', () => {
    const engine = engineOf(rulesOf(high, 'interval: 1m'))
    const view = new ScriptedView(startMs + 20_000)
    const found = run(engine, view, 12, () => [acme(100, 80)])
    expect(moves(found)).toEqual(['60 inactive>firing'])
  })

  it('stops its clocks over a jump in event time, for nobody watched', () => {
    const engine = engineOf(rulesOf(`${high}  for: 5m\n`, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    run(engine, view, 12, () => [acme(100, 80)])
    // An hour passes in the windows without a step.
    for (let k = 0; k < 360; k++) view.push([acme(100, 80)])
    expect(moves(run(engine, view, 6, () => [acme(100, 80)]))).toEqual([])
    expect(engine.alerts()).toMatchObject([{ state: 'pending' }])
  })

  it('takes no step twice', () => {
    const engine = engineOf(rulesOf(high))
    const view = new ScriptedView(startMs)
    expect(run(engine, view, 1, () => [acme(100, 80)])).toHaveLength(1)
    expect(engine.step(view.endMs, view)).toEqual([])
    expect(engine.lastStepMs).toBe(startMs + 10_000)
  })

  it('insists on slice boundaries and on the right windows', () => {
    const engine = engineOf(rulesOf(high))
    const view = new ScriptedView(startMs)
    expect(() => engine.step(startMs + 1, view)).toThrow(/slice boundary/)
    expect(() => engine.step(startMs + 10_000, view)).toThrow(/windows end/)
  })

  it('tells what, who, how much and since when', () => {
    const engine = engineOf(rulesOf(`${high}  severity: page\n`, 'labels: {team: billing}'))
    const view = new ScriptedView(startMs)
    run(engine, view, 30, () => [acme(100, 80), { tenant: 'acme', api: 'pay', requests: 100, causes: {} }])
    expect(engine.alerts()).toMatchObject([
      {
        rule: 'High',
        severity: 'page',
        state: 'firing',
        labels: { tenant: 'acme', api: 'chat', rule: 'High', severity: 'page', team: 'billing' },
        annotations: {
          summary: 'acme is refused on chat, mostly quota exceeded. 480 of 600 (80.0 %) in 1 min (limit 50 %).',
          runbook: 'runbooks/quota_exceeded.md',
        },
        activeAtMs: startMs + 60_000,
        numbers: {
          observed: 480,
          requests: 600,
          expected: 300,
          soFar: 2400,
          peak: 480,
          tenants: 1,
          top: [{ tenant: 'acme', api: 'chat', cause: 'quota_exceeded', count: 480 }],
        },
      },
    ])
  })

  it('says while it keeps an alert that it is calm again, and for how long it is kept', () => {
    const engine = engineOf(rulesOf(`${high}  keep_firing_for: 10m\n`))
    const view = new ScriptedView(startMs)
    const summary = () => engine.alerts()[0]?.annotations['summary']
    run(engine, view, 6, () => [acme(100, 80)])
    expect(summary()).toMatch(/^acme is refused on chat/)
    run(engine, view, 18, () => [acme(100, 0)])
    expect(summary()).toBe(
      'acme on chat is calm again: 0 of 600 in 1 min (limit 50 %). Resolves in about 8 min unless it comes back.',
    )
    run(engine, view, 5, () => [acme(100, 80)])
    expect(summary()).toMatch(/^acme is refused on chat/)
  })

  it('folds what is beyond the limit into one alert, keeping the largest', () => {
    const engine = engineOf(rulesOf(high, 'interval: 10s\n    limit: 3'))
    const view = new ScriptedView(startMs)
    const tenants = Array.from({ length: 10 }, (_, at) => acme(100, 60 + at, `t${at}`))
    const found = run(engine, view, 1, () => tenants)
    expect(found.map(({ transition: { alert } }) => alert.labels['tenant'] ?? alert.labels['overflow'])).toEqual([
      't7',
      't8',
      't9',
      'true',
    ])
    const overflow = engine.alerts().find(({ labels }) => labels['overflow'] === 'true')
    expect(overflow).toMatchObject({
      value: 7,
      numbers: { tenants: 7, observed: 60 + 61 + 62 + 63 + 64 + 65 + 66 },
      annotations: { summary: '7 more alerts of High, beyond its limit of 3; the largest ones are shown.' },
    })
    const ended = run(engine, view, 10, () => tenants.map((row) => acme(100, 0, row.tenant)))
    expect(ended.filter(({ transition: { alert } }) => alert.state === 'resolved')).toHaveLength(4)
  })

  it('gives alerts with other labels other fingerprints, and the same ones the same over episodes', () => {
    const engine = engineOf(rulesOf(high))
    const view = new ScriptedView(startMs)
    const rows = (slice: number) => [acme(100, slice % 20 < 10 ? 80 : 0), acme(100, slice < 10 ? 80 : 0, 'globex')]
    const found = run(engine, view, 40, rows).filter(({ transition }) => transition.alert.state === 'firing')
    const [first, other, again] = found.map(({ transition }) => transition.alert)
    expect(first?.fingerprint).toMatch(/^[0-9a-f]{16}$/)
    expect(other?.fingerprint).not.toBe(first?.fingerprint)
    expect(again?.fingerprint).toBe(first?.fingerprint)
    expect(again?.episode).not.toBe(first?.episode)
  })

  it('counts affected tenants', () => {
    const rules = rulesOf(`
- rule: Many
  group_by: [api]
  window: 1m
  condition: {type: threshold, measure: distinct(tenant), above: 2, recover: 1, min_count: 5, min_share: 0.1}
`)
    const engine = engineOf(rules)
    const view = new ScriptedView(startMs)
    const two = [acme(100, 20), acme(100, 20, 'b'), acme(100, 4, 'c'), acme(10_000, 20, 'd')]
    expect(run(engine, view, 6, () => two)).toEqual([])
    expect(run(engine, view, 1, () => [...two, acme(100, 50, 'e')])).toMatchObject([
      // The others have refusals too, but too few to count.
      { transition: { alert: { value: 3, labels: { api: 'chat' }, numbers: { tenants: 3 } } } },
    ])
  })

  it('takes a share of refusals where that is asked for', () => {
    const rules = rulesOf(`
- rule: Unclassified
  group_by: []
  matchers: ['cause="unknown"']
  window: 1m
  condition: {type: threshold, measure: ratio, over: refusals, above: 0.1, min_total: 50, min_count: 1}
`)
    const engine = engineOf(rules)
    const view = new ScriptedView(startMs)
    const rows = (unknown: number) => [
      { tenant: 'a', api: 'x', requests: 100_000, causes: { unknown, quota_exceeded: 80 } },
    ]
    expect(run(engine, view, 6, () => rows(5))).toEqual([])
    const [fired] = run(engine, view, 6, () => rows(40))
    expect(fired?.transition.alert.annotations['summary']).toMatch(/of all refusals/)
  })

  it('fires when something is too low, only for those who were there in the last hour', () => {
    const rules = rulesOf(`
- rule: Low
  group_by: [tenant]
  window: 5m
  condition: {type: threshold, measure: count, below: 10}
`)
    const engine = engineOf(rules)
    const view = new ScriptedView(startMs)
    run(engine, view, 60, () => [acme(10, 5)])
    const found = run(engine, view, 400, () => [])
    expect(moves(found)).toEqual(['890 inactive>firing'])
  })

  it('looks only at the causes it matches, but at all requests', () => {
    const engine = engineOf(rulesOf(`${high}  matchers: ['family="payment"']\n`))
    const view = new ScriptedView(startMs)
    const row = (quota: number, card: number): SliceRow => {
      return { tenant: 'a', api: 'x', requests: 100, causes: { quota_exceeded: quota, payment_failed: card } }
    }
    expect(run(engine, view, 6, () => [row(90, 10)])).toEqual([])
    const [fired] = run(engine, view, 6, () => [row(0, 90)])
    expect(fired?.transition.alert.annotations['runbook']).toBe('runbooks/payment_failed.md')
  })
})

const spike = `
- rule: Spike
  group_by: [tenant, api, cause]
  condition: {type: spike}
  keep_firing_for: 5m
`

/** Poisson traffic of one series with a factor on its refusals in some slices. */
function traffic(chance: Chance, perSlice: number, share: number, factor: (slice: number) => number) {
  return (slice: number): SliceRow[] => {
    const requests = chance.poisson(perSlice)
    return [acme(requests, Math.min(requests, chance.poisson(perSlice * share * factor(slice))))]
  }
}

describe('spike rules', () => {
  it.each([
    // Refusals a minute, factor, and the most minutes until it fires: from the design's table of detection delays.
    [0.5, 10, 8],
    [2, 5, 8],
    [2, 10, 4],
    [10, 3, 8],
    [10, 10, 2],
    [50, 3, 6],
  ])('finds %f refusals a minute times %d within %d minutes', (perMinute, factor, minutes) => {
    const engine = engineOf(rulesOf(spike))
    const view = new ScriptedView(startMs)
    const learnt = 6 * 360
    const share = 0.01
    const perSlice = perMinute / 6 / share
    const rows = traffic(new Chance(perMinute * 100 + factor), perSlice, share, (k) => (k < learnt ? 1 : factor))
    const found = run(engine, view, learnt + 6 * minutes, rows)
    expect(found.map(({ transition: { alert } }) => alert.state)).toEqual(['firing'])
    expect(found[0]?.second).toBeGreaterThan(learnt * 10)
    expect(found[0]?.transition.alert.numbers.pValue).toBeLessThan(1e-5)
  })

  it('follows the traffic: ten times the requests with the same share is no spike', () => {
    const engine = engineOf(rulesOf(spike))
    const view = new ScriptedView(startMs)
    const chance = new Chance(5)
    const found = run(engine, view, 4 * 360, (slice) => {
      const perSlice = slice < 3 * 360 ? 50 : 500
      return [acme(chance.poisson(perSlice), chance.poisson(perSlice * 0.01))]
    })
    expect(found).toEqual([])
  })

  it('resolves soon after the end although the long horizon still remembers, and does not fire again', () => {
    const engine = engineOf(rulesOf(spike))
    const view = new ScriptedView(startMs)
    const from = 3 * 360
    const rows = traffic(new Chance(9), 100, 0.01, (k) => (k >= from && k < from + 90 ? 20 : 1))
    const found = run(engine, view, from + 3 * 360, rows)
    expect(found.map(({ transition: { alert } }) => alert.state)).toEqual(['firing', 'resolved'])
    const ended = (found[1]?.second ?? 0) - (from + 90) * 10
    // Five minutes until the window is clean, five more by keep_firing_for.
    expect(ended).toBeGreaterThan(300)
    expect(ended).toBeLessThan(660)
  })

  it('does not learn from the incident it fires for', () => {
    const engine = engineOf(rulesOf(spike))
    const view = new ScriptedView(startMs)
    const from = 3 * 360
    run(
      engine,
      view,
      from + 3 * 360,
      traffic(new Chance(3), 100, 0.01, (k) => (k < from ? 1 : 20)),
    )
    const [alert] = engine.alerts()
    expect(alert).toMatchObject({ state: 'firing' })
    // 3,000 requests in the window at the old one in a hundred.
    expect(alert?.numbers.expected).toBeGreaterThan(24)
    expect(alert?.numbers.expected).toBeLessThan(36)
    expect(engine.explain(alert?.fingerprint ?? '')?.sentences.join('\n')).toMatch(/normal is frozen/)
  })

  it('takes a level that lasts for a day as the new normal, and says so', () => {
    const engine = engineOf(rulesOf(spike, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const from = 2 * 360
    const found = run(
      engine,
      view,
      from + 28 * 360,
      traffic(new Chance(4), 30, 0.01, (k) => (k < from ? 1 : 30)),
    )
    expect(found.map(({ transition: { alert } }) => alert.state)).toEqual(['firing', 'resolved'])
    const hours = ((found[1]?.second ?? 0) - (found[0]?.second ?? 0)) / 3600
    expect(hours).toBeCloseTo(24, 1)
    expect(found[1]?.transition.alert.annotations['summary']).toMatch(/for 1 d and is taken as the new normal/)
  })

  it('says it is learning in the first hour, and explains itself', () => {
    const engine = engineOf(rulesOf(spike))
    const view = new ScriptedView(startMs)
    run(engine, view, 12, (slice) => [acme(50, slice < 7 ? 0 : 30)])
    const [alert] = engine.alerts()
    expect(alert?.annotations['summary']).toMatch(
      /^acme is refused on chat: quota exceeded\. .*× normal, \d+ of \d+ \(\d+\.\d %\) in 5 min, usually .* Still learning/,
    )
    const sentences = engine.explain(alert?.fingerprint ?? '')?.sentences.join('\n')
    expect(sentences).toMatch(/1 false alerts a week, shared by 1 series/)
    expect(sentences).toMatch(/still learning/)
  })

  it('takes what a tenant does in its first minute for normal, however bad', () => {
    const engine = engineOf(rulesOf(spike))
    const view = new ScriptedView(startMs)
    const chance = new Chance(21)
    const shares = [0.9, 0.5, 0.2, 0.05]
    const found = run(engine, view, 3 * 360, () =>
      shares.flatMap((share) =>
        [10, 1, 0.2].map((perSlice): SliceRow => {
          const requests = chance.poisson(perSlice * 5)
          let refused = 0
          for (let k = 0; k < requests; k++) if (chance.uniform() < share) refused++
          return acme(requests, refused, `t${share}-${perSlice}`)
        }),
      ),
    )
    expect(found).toEqual([])
  })

  it('finds a series that goes quiet when it looks down', () => {
    const rules = rulesOf(`
- rule: Quiet
  group_by: [tenant]
  condition: {type: spike, direction: down, exposure: time}
`)
    const engine = engineOf(rules)
    const view = new ScriptedView(startMs)
    const rows = traffic(new Chance(8), 100, 0.03, (k) => (k < 4 * 360 ? 1 : 0))
    const found = run(engine, view, 4 * 360 + 60, rows)
    expect(found.map(({ transition: { alert } }) => alert.state)).toEqual(['firing'])
    expect(found[0]?.transition.alert.annotations['summary']).toMatch(
      /^Refusals of acme have dropped\. Only \d+ in 5 min/,
    )
  })

  it('works by time where only refusals are logged', () => {
    const rules = rulesOf('- {rule: T, group_by: [tenant], condition: {type: spike, exposure: time}}')
    const engine = engineOf(rules)
    const view = new ScriptedView(startMs)
    const chance = new Chance(2)
    const from = 4 * 360
    const found = run(engine, view, from + 30, (k) => [acme(0, chance.poisson(k < from ? 0.5 : 8))])
    expect(found.map(({ transition: { alert } }) => alert.state)).toEqual(['firing'])
    expect(found[0]?.second).toBeGreaterThan(from * 10)
  })

  it('leaves a rise that one tenant makes up to the rules about tenants', () => {
    const rules = rulesOf('- {rule: Fleet, group_by: [cause], condition: {type: spike, max_tenant_share: 0.5}}')
    const fires = [1, 4].map((hit) => {
      const engine = engineOf(rules)
      const view = new ScriptedView(startMs)
      return run(engine, view, 2 * 360 + 60, (slice) =>
        Array.from({ length: 10 }, (_, at) =>
          acme(50, slice < 720 ? (slice % 6 === 0 ? 1 : 0) : at < hit ? 40 : 0, `t${at}`),
        ),
      ).length
    })
    expect(fires).toEqual([0, 1])
  })

  it('bounds its series and says how many it turned away', () => {
    const engine = new RuleEngine(rulesOf(spike), { baselineSeriesLimit: 100 })
    const view = new ScriptedView(startMs)
    run(engine, view, 3, () => Array.from({ length: 130 }, (_, at) => acme(100, 1, `t${at}`)))
    expect(engine.stats()).toMatchObject([{ series: 100, turnedAway: 30 }])
  })
})

describe('a rule on trial', () => {
  it('is evaluated and kept as any other, and its alerts and transitions say so', () => {
    const engine = engineOf(rulesOf(`${high}  mode: shadow\n${high.replace('High', 'Live')}`))
    const found = run(engine, new ScriptedView(startMs), 3, () => [acme(100, 80)])
    expect(found.map(({ transition: { alert } }) => `${alert.rule} ${alert.state} ${alert.shadow}`)).toEqual([
      'High firing true',
      'Live firing false',
    ])
    expect(engine.alerts().map(({ shadow }) => shadow)).toEqual([true, false])
  })
})

describe('the scope of an alert', () => {
  it('is said with its share, and stays when all is quiet again', () => {
    const rules = rulesOf(`
- rule: Fleet
  group_by: [cause]
  window: 1m
  condition: {type: threshold, measure: count, above: 100, min_count: 1}
`)
    const engine = engineOf(rules)
    const view = new ScriptedView(startMs)
    run(engine, view, 6, () => [
      { tenant: 'acme', api: 'chat', requests: 100, causes: { payment_failed: 90 } },
      { tenant: 'globex', api: 'maps', requests: 100, causes: { payment_failed: 10 } },
    ])
    const [alert] = engine.alerts()
    expect(alert?.numbers.scope).toEqual({ labels: { tenant: 'acme', api: 'chat' }, share: 0.9 })
    expect(alert?.annotations['summary']).toBe(
      '2 tenants are refused: payment failed, mostly acme on chat (90 %). 600 of 1,200 (50.0 %) in 1 min (limit 100).',
    )
    run(engine, view, 8, () => [acme(100, 0)])
    expect(engine.alerts()[0]).toMatchObject({ state: 'resolved', numbers: { scope: { share: 0.9 } } })
  })
})
