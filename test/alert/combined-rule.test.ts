import { describe, expect, it } from 'vitest'
import { Chance, engineOf, moves, rulesOf, run, ScriptedView, startMs } from './simulation.ts'

const rule = (kind: string) => `
- rule: Both
  group_by: [tenant]
  window: 1m
  condition:
    ${kind}:
      - {type: threshold, measure: ratio, above: 0.5, recover: 0.3, min_total: 10, min_count: 1, confidence: 0.5}
      - {type: threshold, measure: count, above: 100, recover: 60, min_count: 1}
`

function rows(requests: number, refused: number) {
  return [{ tenant: 'acme', api: 'x', requests, causes: { quota_exceeded: refused } }]
}

describe('all', () => {
  it('holds while every condition does, and ends once one is calm', () => {
    const engine = engineOf(rulesOf(rule('all')))
    const view = new ScriptedView(startMs)
    // Sixty of a hundred a minute: the ratio alone.
    expect(run(engine, view, 12, () => rows(17, 10))).toEqual([])
    const found = run(engine, view, 12, () => rows(50, 40))
    expect(found.map(({ transition: { alert } }) => alert.state)).toEqual(['firing'])
    expect(found[0]?.transition.alert.annotations['summary']).toMatch(/^acme is refused, .*\(limit 50 %\)\.$/)
    // As many refusals in far more requests.
    expect(run(engine, view, 12, () => rows(1000, 40)).map(({ transition: { alert } }) => alert.state)).toEqual([
      'resolved',
    ])
  })
})

describe('any', () => {
  it('holds while one condition does, and speaks of that one', () => {
    const engine = engineOf(rulesOf(rule('any')))
    const view = new ScriptedView(startMs)
    const found = run(engine, view, 12, () => rows(1000, 40))
    expect(moves(found)).toEqual(['30 inactive>firing'])
    expect(found[0]?.transition.alert.annotations['summary']).toMatch(/\(limit 100\)\.$/)
    // The count is calm, but the ratio is not.
    expect(run(engine, view, 12, () => rows(10, 9))).toEqual([])
    expect(engine.alerts()[0]?.annotations['summary']).toMatch(/\(limit 50 %\)\.$/)
    expect(run(engine, view, 12, () => rows(10, 1)).map(({ transition: { alert } }) => alert.state)).toEqual([
      'resolved',
    ])
  })

  it('explains every condition', () => {
    const engine = engineOf(rulesOf(rule('any')))
    run(engine, new ScriptedView(startMs), 12, () => rows(1000, 90))
    const [alert] = engine.alerts()
    const text = engine.explain(alert?.fingerprint ?? '')?.sentences.join('\n')
    expect(text).toMatch(
      /one of these must hold\nthreshold: fires when ratio is above 0.5.*\n.*\nthreshold: fires when count/,
    )
  })
})

describe('a spike among several', () => {
  it('keeps its baseline and its memory of how it began', () => {
    const rules = rulesOf(`
- rule: Spike
  group_by: [tenant]
  condition: {all: [{type: spike}, {type: threshold, measure: count, above: 50, recover: 20}]}
  keep_firing_for: 2m
`)
    const engine = engineOf(rules)
    const view = new ScriptedView(startMs)
    const chance = new Chance(3)
    const from = 2 * 360
    const found = run(engine, view, from + 240, (slice) =>
      rows(100, chance.poisson(slice >= from && slice < from + 60 ? 12 : 1)),
    )
    expect(found.map(({ transition: { alert } }) => alert.state)).toEqual(['firing', 'resolved'])
    const [alert] = found.map(({ transition }) => transition.alert)
    expect(alert?.annotations['summary']).toMatch(/× normal/)
    expect(alert?.numbers.pValue).toBeLessThan(1e-5)
    expect(engine.snapshot().rules['Spike']?.memories).toHaveLength(1)
  })
})
