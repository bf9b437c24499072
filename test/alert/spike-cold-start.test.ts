import { describe, expect, it } from 'vitest'
import { loadRules } from '../../src/alert/rule-files.ts'
import type { SliceRow } from '../../src/alert/scripted-view.ts'
import { delays, firings } from './cold-start.ts'
import { engineOf, rulesOf, run, ScriptedView, startMs } from './simulation.ts'
import { summary } from './steps.ts'

const minute = 60_000
/** Every slice of a five-minute slot of the baselines. */
const phases = Array.from({ length: 30 }, (_, slice) => slice * 10_000)

/** Seconds until the shipped rule notices that a quarter of evenly spaced calls is refused, half an hour after the start. */
function evenTraffic(phaseMs: number, callsPerSecond: number): number | null {
  const loaded = loadRules(['shipped'], '/')
  if (!loaded.ok) throw new Error('the shipped rules have problems')
  const engine = engineOf(loaded.rules.filter(({ name }) => name === 'PaymentRefusalSpike'))
  const view = new ScriptedView(startMs + phaseMs)
  const incident = 30 * 6
  const found = run(engine, view, 34 * 6, (slice): SliceRow[] => {
    const first = ((startMs + phaseMs) / 1000 + slice * 10) * callsPerSecond
    const every = slice >= incident ? 4 : 200
    let refused = 0
    for (let call = first; call < first + 10 * callsPerSecond; call++) if (call % every === 0) refused++
    return [{ tenant: 'acme', api: 'chat', requests: 10 * callsPerSecond, causes: { payment_failed: refused } }]
  })
  const [first] = found
  return first === undefined ? null : first.second - phaseMs / 1000 - incident * 10
}

describe('a spike of four minutes after half an hour', () => {
  it.each([1, 10])('is noticed in the same time wherever it falls in the slots, at %d calls a second', (perSecond) => {
    const some = perSecond === 1 ? phases : phases.filter((_, at) => at % 4 === 1)
    const seconds = some.map((phaseMs) => evenTraffic(phaseMs, perSecond) ?? Number.POSITIVE_INFINITY)
    // At one call a second the shipped rule's 20 refusals take 80 seconds to come.
    expect(Math.max(...seconds)).toBeLessThanOrEqual(perSecond === 1 ? 90 : 30)
    expect(Math.max(...seconds) - Math.min(...seconds)).toBeLessThanOrEqual(20)
  })
})

describe('an incident after a short past', () => {
  // Requests a minute, refused in the incident, minutes of calm, minutes until nine in ten have noticed.
  it.each([
    [60, 0.25, 10, 3],
    [60, 0.25, 35, 2],
    [60, 0.25, 180, 2],
    [600, 0.25, 10, 1],
    [600, 0.25, 35, 1],
    [6, 0.5, 20, 6],
  ])(
    'is noticed at %d requests a minute of which %f fail, after %d min, within %d min',
    (perMinute, share, calmMinutes, within) => {
      const found = delays({
        ...{ calmMinutes, incidentMinutes: 8, perMinute, calmShare: 0.005, share, tenantsEach: 4 },
        phases: phases.filter((_, at) => at % 3 === 0),
      })
      const inTime = found.filter((delay) => delay !== null && delay <= within)
      expect(inTime.length / found.length).toBeGreaterThanOrEqual(0.9)
    },
  )

  it('is noticed about as soon in each fifth of a slot', () => {
    const medians = [0, 1, 2, 3, 4].map((fifth) => {
      const found = delays({
        ...{ calmMinutes: 35, incidentMinutes: 8, perMinute: 60, calmShare: 0.005, share: 0.25, tenantsEach: 12 },
        phases: [fifth * minute, fifth * minute + 30_000],
      })
      return summary(found).median ?? Number.POSITIVE_INFINITY
    })
    expect(Math.max(...medians) - Math.min(...medians)).toBeLessThanOrEqual(0.5)
  })
})

describe('a series that has just begun', () => {
  it('is not news where nothing is known, however much of it is refused', () => {
    const shares = [0.001, 0.01, 0.1, 0.3, 0.7, 0.95]
    const tenants = shares.flatMap((share) =>
      [3, 12, 60, 300].map((perMinute) => ({ perMinute, shareAt: () => share })),
    )
    for (const seed of [1, 2]) {
      expect(firings(tenants, { minutes: 120, phaseMs: seed * 130_000, seed }).flat()).toEqual([])
    }
  })

  const old = Array.from({ length: 20 }, () => ({ perMinute: 60, shareAt: () => 0.005 }))
  const newcomers = (share: number) =>
    [12, 60, 600].map((perMinute) => ({ perMinute, shareAt: () => share, fromMinute: 180 }))

  it('is news at once where a quarter of it is refused and next to nothing of its relatives', () => {
    const [slow, usual, fast] = firings([...old, ...newcomers(0.25)], { minutes: 195, phaseMs: 70_000, seed: 3 }).slice(
      20,
    )
    expect((slow?.[0] ?? 999) - 180).toBeLessThan(8)
    expect((usual?.[0] ?? 999) - 180).toBeLessThan(2)
    expect((fast?.[0] ?? 999) - 180).toBeLessThan(1)
  })

  it('is no news where it is three times as bad as its relatives: they differ among themselves', () => {
    const found = firings([...old, ...newcomers(0.015), ...newcomers(0.005)], {
      minutes: 240,
      phaseMs: 70_000,
      seed: 4,
    })
    expect(found.flat()).toEqual([])
  })

  it('is news at once where an old tenant is refused for a new cause', () => {
    const shareAt = (at: number) => (at >= 70 ? 0.1 : 0)
    const [found] = firings([{ perMinute: 60, shareAt }], { minutes: 80, phaseMs: 0, seed: 5 })
    expect((found?.[0] ?? 999) - 70).toBeLessThan(3)
  })
})

describe('what is normal', () => {
  const spike = '- {rule: Spike, group_by: [tenant, api, cause], condition: {type: spike}, keep_firing_for: 10m}'

  /** The normal rate of the one series, by its own words. */
  function normalOf(engine: ReturnType<typeof engineOf>, view: ScriptedView): number {
    const found = run(engine, view, 12, () => [acme(100, 60)])
    const [, normal] = engine.explain(found[0]?.transition.alert.fingerprint ?? '')?.sentences ?? []
    return Number(normal?.match(/normal is (\S+) refusals/)?.[1])
  }

  const acme = (requests: number, refused: number): SliceRow => ({
    ...{ tenant: 'acme', api: 'chat', requests },
    causes: refused > 0 ? { payment_failed: refused } : {},
  })

  it('is after an incident of three hours what it was before', () => {
    const engine = engineOf(rulesOf(spike))
    const view = new ScriptedView(startMs)
    const calm = (slice: number) => [acme(100, slice % 2)]
    run(engine, view, 4 * 360, calm)
    const states = run(engine, view, 3 * 360, () => [acme(100, 30)]).map(({ transition }) => transition.alert.state)
    expect(states).toEqual(['firing'])
    run(engine, view, 3 * 360, calm)
    expect(normalOf(engine, view)).toBeCloseTo(0.5, 1)
  })

  it('is the new level once that was adopted, and a rise above it is news again', () => {
    const engine = engineOf(rulesOf(spike, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    run(engine, view, 4 * 360, (slice) => [acme(100, slice % 2)])
    const adopted = run(engine, view, 30 * 360, () => [acme(100, 10)])
    expect(adopted.map(({ transition }) => transition.alert.state)).toEqual(['firing', 'resolved'])
    expect(adopted[1]?.transition.alert.annotations['summary']).toMatch(/taken as the new normal/)
    expect(normalOf(engine, view)).toBeCloseTo(10, 1)
  })
})
