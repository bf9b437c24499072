import { describe, expect, it } from 'vitest'
import { budgetLeft, burnRate, googleWindows, highestFactor } from '../../src/alert/burn-rate.ts'
import { dayMinutes, hourMinutes, minuteMoves, runMinutes } from './minutes.ts'
import { Chance, engineOf, rulesOf, ScriptedView, startMs } from './simulation.ts'

const burn = `
- rule: Burn
  condition: {type: burn_rate, objective: 99.5, period: 30d, windows: google}
`

function rows(requests: number, refused: number, api = 'chat') {
  return [{ tenant: 'acme', api, requests, causes: { payment_failed: refused } }]
}

describe('burn rates', () => {
  it('are multiples of the budget', () => {
    expect(burnRate({ bad: 5, total: 1000 }, 0.995)).toBeCloseTo(1, 9)
    expect(burnRate({ bad: 72, total: 1000 }, 0.995)).toBeCloseTo(14.4, 9)
    expect(burnRate({ bad: 0, total: 0 }, 0.995)).toBe(0)
  })

  it('have the factors of the SRE Workbook at 30 days, and in proportion otherwise', () => {
    expect(googleWindows(30 * 86_400_000).map(({ factor }) => factor)).toEqual([14.4, 6, 3, 1])
    expect(googleWindows(28 * 86_400_000)[0]?.factor).toBeCloseTo(13.44, 9)
  })

  it('cannot be higher than all requests refused', () => {
    expect(highestFactor(0.9)).toBeCloseTo(10, 9)
  })

  it('leave the rest of the budget, as far as the period was watched', () => {
    const spent = { bad: 50, total: 10_000 }
    expect(budgetLeft(spent, 0.995, { watchedMs: 30, periodMs: 30 })).toBeCloseTo(0, 9)
    expect(budgetLeft(spent, 0.995, { watchedMs: 15, periodMs: 30 })).toBeCloseTo(0.5, 9)
    expect(budgetLeft({ bad: 0, total: 0 }, 0.995, { watchedMs: 15, periodMs: 30 })).toBe(1)
  })
})

describe('a burn rate rule', () => {
  it('pages for a fast burn as soon as both windows have it, and says burn, budget and end', () => {
    const engine = engineOf(rulesOf(burn, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const from = 2 * dayMinutes
    const found = runMinutes(engine, view, from + 60, (minute) => rows(200, minute < from ? 0 : 60))
    const [first] = found
    expect(first?.transition.alert).toMatchObject({ severity: 'page', labels: { api: 'chat' } })
    // 30 % refused: an hour's window reaches 7.2 % after 14.4 of its 60 minutes.
    expect((first?.minute ?? 0) - from).toBe(15)
    const numbers = first?.transition.alert.numbers
    expect(first?.transition.alert.annotations['summary']).toBe(
      'chat burns its error budget at 15 × the sustainable rate: 900 of 12,000 refused (7.5 %) in 1 h, mostly payment failed.',
    )
    expect(numbers).toMatchObject({
      windowMs: 3_600_000,
      observed: 900,
      requests: 12_000,
      expected: expect.closeTo(864, 6),
    })
    expect(numbers?.facts).toEqual([
      {
        label: 'Burn',
        text: expect.stringMatching(/^15 × the budget, 97\.\d % of it left, by the 2 d watched of 30 d$/),
      },
      { label: 'Windows', text: '1 h and 5 min, limit 14.4 ×' },
      { label: 'Objective', text: '99.5 % over 30 d' },
      { label: 'Budget ends', text: expect.stringMatching(/^in 1 d 23 h at this pace$/) },
    ])
  })

  it('finds a slow burn with a ticket that the fast windows miss', () => {
    const engine = engineOf(rulesOf(burn, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const chance = new Chance(3)
    // 1 % refused is twice the budget: only the window of three days is for that.
    const found = runMinutes(engine, view, 4 * dayMinutes, () => rows(100, chance.poisson(1)))
    expect(minuteMoves(found)).toEqual([`${2.25 * dayMinutes} inactive>firing ticket`])
  })

  it('does not judge a window of which it has seen too little, and says so', () => {
    const engine = engineOf(rulesOf(burn, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    expect(runMinutes(engine, view, 44, () => rows(200, 100))).toEqual([])
    expect(minuteMoves(runMinutes(engine, view, 1, () => rows(200, 100)))).toEqual(['45 inactive>firing page'])
    expect(engine.status('Burn')).toEqual([
      'the window of 6h is not judged yet: 45 min of it were watched',
      'the window of 1d is not judged yet: 45 min of it were watched',
      'the window of 3d is not judged yet: 45 min of it were watched',
    ])
    const [alert] = engine.alerts()
    expect(engine.explain(alert?.fingerprint ?? '')?.sentences).toContain(
      'page: over 7.2 % refused in both 1h and 5m, with at least 20 refusals',
    )
  })

  it('wants min_bad refusals, but is not blind to a small API that is broken for long', () => {
    const engine = engineOf(rulesOf(burn, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    // One request in ten minutes, and nine of ten refused: six an hour never page, but 30 in six hours do.
    const from = 1 * dayMinutes
    const found = runMinutes(engine, view, from + 8 * hourMinutes, (minute) =>
      minute % 10 !== 0 ? [] : rows(1, minute < from || minute % 100 === 0 ? 0 : 1),
    )
    expect(found.map(({ transition: { alert } }) => `${alert.state} ${alert.severity}`)).toEqual(['firing page'])
    expect((found[0]?.minute ?? 0) - from).toBeLessThan(4 * hourMinutes)
  })

  it('ends soon after its cause, by its short window and keep_firing_for', () => {
    const engine = engineOf(rulesOf(`${burn}  keep_firing_for: 5m\n`, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const from = 60
    const found = runMinutes(engine, view, 3 * hourMinutes, (minute) =>
      rows(200, minute >= from && minute < from + 30 ? 100 : 0),
    )
    expect(found.map(({ transition: { alert } }) => alert.state)).toEqual(['firing', 'resolved'])
    expect((found[1]?.minute ?? 0) - (from + 30)).toBeLessThan(12)
    expect(found[1]?.transition.alert.annotations['summary']).toMatch(
      /^chat is back within its error budget after \d+ min\.$/,
    )
  })

  it('keeps its memory over a gap in event time and counts what was watched only', () => {
    const engine = engineOf(rulesOf(burn, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    runMinutes(engine, view, 300, () => rows(200, 0))
    // Ten hours pass in the windows without a step.
    for (let k = 0; k < 3600; k++) view.push([])
    runMinutes(engine, view, 60, () => rows(200, 0))
    // The hour before the first step is still in the windows; of the nine before it nothing is known.
    expect(engine.status('Burn')?.[1]).toBe('the window of 1d is not judged yet: 6 h 59 min of it were watched')
  })
})
