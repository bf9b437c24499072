import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { severities } from '../../src/alert/alert.ts'
import { compareSeverity, highest, type LevelState, nextLevel } from '../../src/alert/levels.ts'
import { engineOf, rulesOf, run, ScriptedView, startMs } from './simulation.ts'

const step = { elapsedMs: 10_000, keepFiringForMs: 60_000 }
const anyLevel = fc.constantFrom(...severities, null)

describe('nextLevel', () => {
  it('rises at once and falls only after keep_firing_for', () => {
    let state: LevelState = { severity: 'ticket', lowerMs: null }
    state = nextLevel(state, { reached: 'page', kept: 'page' }, step)
    expect(state).toEqual({ severity: 'page', lowerMs: null })
    const seen: string[] = []
    for (let k = 0; k < 8; k++) {
      state = nextLevel(state, { reached: 'info', kept: 'ticket' }, step)
      seen.push(state.severity)
    }
    expect(seen).toEqual(['page', 'page', 'page', 'page', 'page', 'page', 'ticket', 'ticket'])
  })

  it('starts its wait anew when the level is kept again', () => {
    let state: LevelState = { severity: 'page', lowerMs: null }
    for (let k = 0; k < 20; k++) {
      state = nextLevel(
        state,
        k % 5 === 4 ? { reached: 'info', kept: 'page' } : { reached: 'info', kept: 'info' },
        step,
      )
    }
    expect(state.severity).toBe('page')
  })

  it('is never below what is reached, and never falls below what is kept', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyLevel, anyLevel), { maxLength: 60 }), (readings) => {
        let state: LevelState = { severity: 'info', lowerMs: null }
        for (const [reached, kept] of readings) {
          const before = state.severity
          state = nextLevel(state, { reached, kept }, step)
          if (reached !== null) expect(compareSeverity(state.severity, reached)).toBeGreaterThanOrEqual(0)
          const least = highest([reached, kept])
          if (compareSeverity(state.severity, before) < 0) expect(state.severity).toBe(least)
        }
      }),
    )
  })
})

const leveled = `
- rule: High
  group_by: [tenant]
  window: 1m
  condition:
    type: threshold
    measure: ratio
    levels: {info: 0.1, ticket: 0.3, page: 0.6}
    min_total: 10
    min_count: 1
    confidence: 0.5
  keep_firing_for: 2m
`

describe('a threshold with levels', () => {
  it('is one alert that is raised at once, lowered after keep_firing_for, and says its bound', () => {
    const engine = engineOf(rulesOf(leveled))
    const view = new ScriptedView(startMs)
    const share = (slice: number) => (slice < 6 ? 20 : slice < 12 ? 40 : slice < 18 ? 80 : slice < 60 ? 20 : 0)
    const found = run(engine, view, 90, (slice) => [
      { tenant: 'acme', api: 'x', requests: 100, causes: { quota_exceeded: share(slice) } },
    ])
    const moves = found.map(({ second, transition: { from, alert } }) => {
      return `${second} ${from}>${alert.state} ${alert.severity} ${alert.labels['severity']}`
    })
    expect(moves).toEqual([
      '10 inactive>firing info info',
      // A minute's window moves over to the higher share.
      '100 firing>firing ticket ticket',
      '160 firing>firing page page',
      // Calm below 0.48 from 220 on, and for two minutes.
      '340 firing>firing info info',
      '760 firing>resolved info info',
    ])
    expect(new Set(found.map(({ transition }) => transition.alert.episode)).size).toBe(1)
    expect(found[2]?.transition.alert.annotations['summary']).toMatch(/\(limit 60 %\)/)
    expect(found[2]?.transition.alert.numbers.facts).toEqual([
      { label: 'Ends at', text: '8 % (limit 10 % info, 30 % ticket, 60 % page)' },
    ])
  })
})
