import { describe, expect, it } from 'vitest'
import type { RuleEngine } from '../../src/alert/engine.ts'
import type { SliceRow } from '../../src/alert/scripted-view.ts'
import { Chance, engineOf, rulesOf, run, ScriptedView, startMs } from './simulation.ts'

const rules = rulesOf(`
- rule: Spike
  group_by: [tenant, api, cause]
  condition: {type: spike}
`)
const hour = 360

function traffic(chance: Chance, tenants: readonly string[]): SliceRow[] {
  return tenants.map((tenant) => {
    const requests = chance.poisson(100)
    return { tenant, api: 'chat', requests, causes: { payment_failed: chance.poisson(requests * 0.05) } }
  })
}

function seriesOf(engine: RuleEngine): number {
  return engine.stats()[0]?.series ?? 0
}

describe('A series that comes back', () => {
  const chance = new Chance(5)
  const before = engineOf(rules)
  run(before, new ScriptedView(startMs), 3 * hour, () => traffic(chance, ['acme', 'globex']))
  const saved = JSON.stringify(before.snapshot())

  it('goes on with the baseline it had before a restart, though the windows have forgotten it', () => {
    const engine = engineOf(rules)
    expect(engine.restore(JSON.parse(saved))).toBe(true)
    // An hour in which only the other one sends anything: nothing of it is in the windows any more.
    const found = run(engine, new ScriptedView(startMs + 3 * hour * 10_000), 2 * hour, (slice) =>
      traffic(chance, slice < hour + 30 ? ['globex'] : ['globex', 'acme']),
    )
    expect(found).toEqual([])
    expect(seriesOf(engine)).toBe(2)
  })

  it('is judged by that baseline: what was normal before is no news', () => {
    const engine = engineOf(rules)
    engine.restore(JSON.parse(saved))
    const acme = (share: number): SliceRow[] => [
      { tenant: 'acme', api: 'chat', requests: 100, causes: { payment_failed: 100 * share } },
    ]
    const found = run(engine, new ScriptedView(startMs + 3 * hour * 10_000), 2 * hour, (slice) => [
      ...traffic(chance, ['globex']),
      ...(slice < hour + 30 ? [] : acme(slice < hour + 60 ? 0.05 : 0.5)),
    ])
    const [first] = found
    expect(first?.transition.alert).toMatchObject({ state: 'firing', labels: { tenant: 'acme' } })
    // Five in a hundred, known from three hours; a series that has just been met would not be sure of it.
    const sentences = engine.explain(first?.transition.alert.fingerprint ?? '')?.sentences ?? []
    expect(sentences.find((one) => one.startsWith('normal is'))).toMatch(/^normal is [45]\.\d+ .* as sure as \d{4}\.\d/)
    expect(sentences.join('\n')).not.toContain('still learning')
    expect(seriesOf(engine)).toBe(2)
  })
})
