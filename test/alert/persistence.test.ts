import { describe, expect, it } from 'vitest'
import { AlertPersistence } from '../../src/alert/persistence.ts'
import { MemoryState } from '../../src/history/state.ts'
import { engineOf, rulesOf, run, ScriptedView, startMs } from './simulation.ts'

const spike = '- {rule: Spike, condition: {type: spike}, keep_firing_for: 2m}\n'
const threshold = `
- rule: High
  group_by: [tenant]
  window: 1m
  condition: {type: threshold, measure: ratio, above: 0.2, min_total: 1, min_count: 1, confidence: 0.5}
  for: 1m
`
const normal = [{ tenant: 'a', api: 'x', requests: 100, causes: { quota_exceeded: 1 } }]
const incident = [{ tenant: 'a', api: 'x', requests: 100, causes: { quota_exceeded: 60 } }]

describe('AlertPersistence', () => {
  it('writes an alert with its transition, and nothing while nothing changes', () => {
    const engine = engineOf(rulesOf(spike))
    const keeper = new AlertPersistence(engine)
    const view = new ScriptedView(startMs)
    run(engine, view, 20, () => normal)
    expect(keeper.changes().entries).toEqual([])
    run(engine, view, 3, () => incident)
    const change = keeper.changes()
    const [alert] = engine.alerts()
    expect(change.entries.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      `alert ${alert?.fingerprint}`,
      'baseline Spike/0',
      'baseline Spike/head',
      'alert engine',
    ])
    change.saved()
    expect(keeper.changes().entries).toEqual([])
  })

  it('offers again what was not stored', () => {
    const engine = engineOf(rulesOf(spike))
    const keeper = new AlertPersistence(engine)
    const view = new ScriptedView(startMs)
    run(engine, view, 20, () => normal)
    run(engine, view, 3, () => incident)
    expect(keeper.changes().entries).toEqual(keeper.changes().entries)
    const early = keeper.changes()
    run(engine, view, 60, () => normal)
    early.saved()
    // The end came after what was stored.
    const [entry] = keeper.changes().entries
    expect(JSON.parse(entry?.value ?? '')).toMatchObject({ instance: { clocks: { state: 'resolved' } } })
  })

  it('deletes an alert that is forgotten', async () => {
    const engine = engineOf(rulesOf(spike))
    const keeper = new AlertPersistence(engine)
    const store = new MemoryState()
    const view = new ScriptedView(startMs)
    const step = async (rows: typeof normal) => {
      run(engine, view, 1, () => rows)
      const { entries, saved } = keeper.changes()
      await store.put(entries)
      saved()
    }
    for (let k = 0; k < 20; k++) await step(normal)
    for (let k = 0; k < 6; k++) await step(incident)
    expect([...(await store.load('alert')).keys()]).toHaveLength(2)
    for (let k = 0; k < 200; k++) await step(normal)
    expect([...(await store.load('alert')).keys()]).toEqual(['engine'])
  })

  it('brings a pending alert back with its clock after a crash', async () => {
    const store = new MemoryState()
    const view = new ScriptedView(startMs)
    const before = engineOf(rulesOf(threshold + spike))
    const keeper = new AlertPersistence(before)
    run(before, view, 3, () => incident)
    await store.put(keeper.changes().entries)
    run(before, view, 2, () => incident)
    // Killed here: steps 4 and 5 are taken again from the stored state.
    const after = engineOf(rulesOf(threshold + spike))
    await new AlertPersistence(after).load(store)
    expect(after.lastStepMs).toBe(startMs + 30_000)
    const again = new ScriptedView(startMs)
    for (let k = 0; k < 3; k++) again.push(incident)
    const found = run(after, again, 6, () => incident)
    expect(
      found.map(({ second, transition }) => `${second} ${transition.alert.rule} ${transition.alert.state}`),
    ).toEqual(['70 High firing'])
  })

  it('keeps an alert on over a crash, with the normal it was frozen at', async () => {
    const store = new MemoryState()
    const view = new ScriptedView(startMs)
    const before = engineOf(rulesOf(spike))
    const keeper = new AlertPersistence(before)
    run(before, view, 20, () => normal)
    run(before, view, 6, () => incident)
    await store.put(keeper.changes().entries)
    const after = engineOf(rulesOf(spike))
    await new AlertPersistence(after).load(store)
    expect(run(after, view, 120, () => incident)).toEqual([])
    expect(after.alerts()).toMatchObject([{ state: 'firing' }])
    expect(after.alerts()[0]?.numbers.expected).toBeLessThan(60)
  })

  it('goes round all chunks in time, a few at each save', () => {
    const engine = engineOf(rulesOf(spike))
    const keeper = new AlertPersistence(engine)
    const view = new ScriptedView(startMs)
    const rows = Array.from({ length: 1200 }, (_, at) => ({
      tenant: `t${at}`,
      api: 'x',
      requests: 100,
      causes: { quota_exceeded: 1 },
    }))
    const keys: string[] = []
    let most = 0
    for (let step = 0; step < 32; step++) {
      run(engine, view, 1, () => rows)
      const { entries, saved } = keeper.changes()
      const chunks = entries.map(({ key }) => key).filter((key) => /\/\d+$/.test(key))
      keys.push(...chunks)
      most = Math.max(most, chunks.length)
      saved()
    }
    expect(new Set(keys)).toEqual(new Set(['Spike/0', 'Spike/1', 'Spike/2']))
    expect(most).toBe(1)
  })

  it('resolves alerts of a rule that is gone, and clears the store of it', async () => {
    const store = new MemoryState()
    const view = new ScriptedView(startMs)
    const before = engineOf(rulesOf(spike))
    run(before, view, 20, () => normal)
    run(before, view, 6, () => incident)
    await store.put(new AlertPersistence(before).changes('all').entries)
    const after = engineOf(rulesOf(threshold))
    const keeper = new AlertPersistence(after)
    await keeper.load(store)
    const found = run(after, view, 1, () => normal)
    expect(found[0]?.transition).toMatchObject({
      from: 'firing',
      alert: { rule: 'Spike', state: 'resolved', resolvedAtMs: view.endMs },
    })
    await store.put(keeper.changes('all').entries)
    expect([...(await store.load('baseline')).keys()]).toEqual([])
    for (const [key, value] of await store.load('alert')) expect(`${key} ${value}`).not.toContain('"Spike"')
  })

  it('starts to learn anew when a rule looks at something else', async () => {
    const store = new MemoryState()
    const view = new ScriptedView(startMs)
    const before = engineOf(rulesOf(spike))
    run(before, view, 20, () => normal)
    await store.put(new AlertPersistence(before).changes('all').entries)
    const after = engineOf(rulesOf('- {rule: Spike, window: 1m, condition: {type: spike}}'))
    await new AlertPersistence(after).load(store)
    expect(after.stats()).toMatchObject([{ series: 0 }])
  })

  it('raises a higher severity at once', async () => {
    const store = new MemoryState()
    const view = new ScriptedView(startMs)
    const before = engineOf(rulesOf(spike))
    run(before, view, 20, () => normal)
    run(before, view, 6, () => incident)
    await store.put(new AlertPersistence(before).changes('all').entries)
    const after = engineOf(rulesOf(spike.replace('keep', 'severity: page, keep')))
    await new AlertPersistence(after).load(store)
    expect(
      run(after, view, 2, () => incident).map(({ transition: { from, alert } }) => [from, alert.severity]),
    ).toEqual([['firing', 'page']])
  })

  it('finds nothing in an empty store', async () => {
    expect(await new AlertPersistence(engineOf(rulesOf(spike))).load(new MemoryState())).toBe(false)
  })
})
