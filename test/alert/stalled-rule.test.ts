import { describe, expect, it } from 'vitest'
import type { InputHealth } from '../../src/alert/input-health.ts'
import { staleForMs } from '../../src/alert/input-health.ts'
import { engineOf, rulesOf, run, ScriptedView, startMs } from './simulation.ts'

const stalled = `
- rule: Stalled
  condition: {type: stalled_input, watermark_age: 3m, or_lag_seconds: 120}
  for: 30s
  keep_firing_for: 20s
  severity: page
  annotations: {runbook: runbooks/input_stalled.md, owner: 'topic {{ labels.topic }}'}
`

function input(topic: string, ageSeconds: number | null, lagSeconds: number | null = null): InputHealth {
  return { topic, watermarkAgeMs: ageSeconds === null ? null : ageSeconds * 1000, lagSeconds }
}

/** Calls `health` every ten seconds; gives `SECOND from>state topic`. */
function watch(
  engine: ReturnType<typeof engineOf>,
  seconds: number,
  from: number,
  at: (second: number) => InputHealth[],
) {
  const moves: string[] = []
  for (let second = from; second < from + seconds; second += 10) {
    for (const { from: before, alert } of engine.health(startMs + second * 1000, at(second))) {
      moves.push(
        `${second} ${before}>${alert.state} ${alert.labels['topic'] ?? alert.labels['no_data'] ?? alert.labels['tenant']}`,
      )
    }
  }
  return moves
}

describe('a stalled input rule', () => {
  it('fires by the clock while no step is taken, and ends when the input goes on', () => {
    const engine = engineOf(rulesOf(stalled))
    expect(watch(engine, 600, 0, (second) => [input('orders', second), input('other', 5)])).toEqual([
      '190 inactive>pending orders',
      '220 pending>firing orders',
    ])
    const [alert] = engine.alerts()
    expect(alert).toMatchObject({
      severity: 'page',
      labels: { topic: 'orders' },
      annotations: {
        owner: 'topic orders',
        runbook: 'runbooks/input_stalled.md',
        summary:
          'The input orders has stalled: its newest records are 10 min old; rules judge nothing new until it goes on.',
      },
      numbers: {
        facts: [
          { label: 'Newest record', text: '10 min old' },
          { label: 'Limit', text: 'age 3 min, lag 120 s' },
        ],
      },
    })
    expect(watch(engine, 60, 600, () => [input('orders', 10), input('other', 5)])).toEqual([
      '620 firing>resolved orders',
    ])
  })

  it('fires for a lag, and for each topic by itself', () => {
    const engine = engineOf(rulesOf(stalled))
    const moves = watch(engine, 100, 0, () => [input('a', 5, 300), input('b', 5, 119), input('c', null, 121)])
    expect(moves).toEqual([
      '0 inactive>pending a',
      '0 inactive>pending c',
      '30 pending>firing a',
      '30 pending>firing c',
    ])
  })

  it('lets go of a topic that is no longer read', () => {
    const engine = engineOf(rulesOf(stalled))
    watch(engine, 100, 0, () => [input('a', 500)])
    expect(watch(engine, 60, 100, () => [])).toEqual(['120 firing>resolved a'])
  })

  it('is a function of its arguments: the same moment twice changes nothing', () => {
    const engine = engineOf(rulesOf(stalled))
    expect(engine.health(startMs, [input('a', 500)])).toHaveLength(1)
    expect(engine.health(startMs, [input('a', 500)])).toEqual([])
    expect(engine.health(startMs - 10_000, [input('a', 5)])).toEqual([])
    expect(engine.alerts()).toMatchObject([{ state: 'pending' }])
  })

  it('goes on after a restart where it was', () => {
    const before = engineOf(rulesOf(stalled))
    watch(before, 20, 0, () => [input('a', 500)])
    const after = engineOf(rulesOf(stalled))
    after.restore(JSON.parse(JSON.stringify(before.snapshot())))
    expect(watch(after, 60, 20, () => [input('a', 500)])).toEqual(['30 pending>firing a'])
  })

  it('looks only at the topics it matches', () => {
    const engine = engineOf(rulesOf(`${stalled}  matchers: ['topic=~"a.*"']\n`))
    expect(watch(engine, 40, 0, () => [input('ab', 500), input('b', 500)])).toEqual([
      '0 inactive>pending ab',
      '30 pending>firing ab',
    ])
  })
})

describe('staleForMs', () => {
  it('is the age of the freshest input, once that is too old', () => {
    expect(staleForMs([])).toBeNull()
    expect(staleForMs([input('a', null)])).toBeNull()
    expect(staleForMs([input('a', 500), input('b', 20)])).toBeNull()
    expect(staleForMs([input('a', 500), input('b', 400)])).toBe(400_000)
  })
})

const high = (noData: string) => `
- rule: High
  group_by: [tenant]
  window: 1m
  condition: {type: threshold, measure: ratio, above: 0.5, min_total: 10, min_count: 1, confidence: 0.5}
  for: 20s
  keep_firing_for: 60s
  no_data: ${noData}
`

describe('no_data', () => {
  const rows = () => [{ tenant: 'acme', api: 'x', requests: 100, causes: { quota_exceeded: 90 } }]

  function firing(noData: string) {
    const engine = engineOf(rulesOf(high(noData)))
    const view = new ScriptedView(startMs)
    run(engine, view, 6, rows)
    return { engine, view }
  }

  it('pause: nothing moves while the input is stale, and clocks go on where they stood', () => {
    const { engine, view } = firing('pause')
    expect(watch(engine, 3600, 60, (second) => [input('a', second)])).toEqual([])
    expect(engine.alerts()).toMatchObject([{ state: 'firing' }])
    expect(run(engine, view, 3, rows)).toEqual([])
  })

  it('ok: the silence is taken for calm, by the clock, after keep_firing_for', () => {
    const { engine } = firing('ok')
    expect(watch(engine, 600, 60, (second) => [input('a', second)])).toEqual(['250 firing>resolved acme'])
    expect(engine.alerts()[0]?.annotations['summary']).toMatch(
      /^Nothing comes in, which High takes for calm: it ended after/,
    )
  })

  it('alert: one alert of the rule says that it has no input, and ends when it has', () => {
    const { engine } = firing('alert')
    expect(watch(engine, 300, 60, (second) => [input('a', second)])).toEqual([
      '190 inactive>pending true',
      '210 pending>firing true',
    ])
    const alert = engine.alerts().find(({ labels }) => labels['no_data'] === 'true')
    expect(alert?.annotations['summary']).toBe('High has had no input for 6 min and cannot judge.')
    expect(alert?.labels['tenant']).toBeUndefined()
    // The alert on the series itself stays: nothing resolves from silence.
    expect(engine.alerts().find(({ labels }) => labels['tenant'] === 'acme')?.state).toBe('firing')
    expect(watch(engine, 120, 360, () => [input('a', 1)])).toEqual(['420 firing>resolved true'])
  })
})
