import { describe, expect, it } from 'vitest'
import { addGap, gapBins, usualGap } from '../../src/alert/gap-histogram.ts'
import type { SliceRow } from '../../src/alert/scripted-view.ts'
import { SeriesMemory } from '../../src/alert/series-memory.ts'
import { dayMinutes, hourMinutes, minuteMoves, runMinutes } from './minutes.ts'
import { Chance, engineOf, rulesOf, ScriptedView, startMs } from './simulation.ts'

const quiet = "- {rule: Quiet, condition: {type: absence, among: 'top(3)', learn_for: 2d}}"

function calls(tenant: string, requests: number): SliceRow {
  return { tenant, api: 'x', requests, causes: {} }
}

describe('usualGap', () => {
  it('is where the given share of the time lies below', () => {
    const memory = new SeriesMemory({ width: gapBins, seriesLimit: 1 })
    memory.create('a')
    for (let k = 0; k < 10_000; k++) addGap(memory, 0, 0, 1)
    expect(usualGap(memory, 0, 0, 0.999)).toBeCloseTo(1, 1)
    // One pause of eight hours in a day of minutes: a third of the time lies in it.
    for (let k = 0; k < 7; k++) addGap(memory, 0, 0, 480)
    const gap = usualGap(memory, 0, 0, 0.999)
    expect(gap).toBeGreaterThan(400)
    expect(gap).toBeLessThanOrEqual(480 * 1.35)
  })

  it('is about seven times the mean for requests that come at random', () => {
    const memory = new SeriesMemory({ width: gapBins, seriesLimit: 1 })
    memory.create('a')
    const chance = new Chance(5)
    for (let k = 0; k < 20_000; k++) addGap(memory, 0, 0, Math.ceil(-10 * Math.log(chance.uniform())))
    const gap = usualGap(memory, 0, 0, 0.999)
    expect(gap).toBeGreaterThan(55)
    expect(gap).toBeLessThan(95)
  })
})

describe('an absence rule', () => {
  it('tells of a busy tenant after at_least, and of its return', () => {
    const engine = engineOf(rulesOf(quiet, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const from = 3 * dayMinutes
    const found = runMinutes(engine, view, from + 120, (minute) => [
      ...(minute >= from && minute < from + 60 ? [] : [calls('acme', 50)]),
      calls('globex', 40),
    ])
    expect(minuteMoves(found)).toEqual([`${from + 15} inactive>firing ticket`, `${from + 61} firing>resolved ticket`])
    const [fired, ended] = found.map(({ transition }) => transition.alert)
    expect(fired).toMatchObject({
      labels: { tenant: 'acme' },
      value: 900,
      annotations: { summary: 'acme has gone quiet: no request for 15 min, usually at least one a minute.' },
      numbers: {
        facts: [
          { label: 'Last seen', text: '09:00 UTC, 15 min ago' },
          { label: 'Usual gap', text: 'under 1 min in 99.9 % of the time; told from 15 min on' },
        ],
      },
    })
    expect(ended?.annotations['summary']).toBe('acme sends requests again after 46 min.')
  })

  it('learns the nights of a tenant that sleeps', () => {
    const engine = engineOf(rulesOf(quiet, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const awake = (minute: number) => minute % dayMinutes < 16 * hourMinutes
    const lost = 6 * dayMinutes + 60
    const found = runMinutes(engine, view, lost + 40 * hourMinutes, (minute) => [
      ...(awake(minute) && minute < lost ? [calls('acme', 5)] : []),
      calls('other', 1),
    ])
    // Silent for good from an hour into its day: known after twice its eight hours of night.
    expect(found.map(({ transition: { alert } }) => `${alert.state} ${alert.labels['tenant']}`)).toEqual([
      'firing acme',
    ])
    const hours = ((found[0]?.minute ?? 0) - lost) / hourMinutes
    expect(hours).toBeGreaterThan(12)
    expect(hours).toBeLessThan(22)
    expect(found[0]?.transition.alert.annotations['summary']).toMatch(/usually never for more than (7|8|9) h/)
  })

  it('says nothing of a tenant it has not watched for long enough, nor of small ones', () => {
    const engine = engineOf(rulesOf(quiet, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const found = runMinutes(engine, view, 2 * dayMinutes + 300, (minute) => [
      ...(minute < dayMinutes ? [calls('early', 90)] : []),
      ...(minute < 2 * dayMinutes + 60 ? [calls('small', 1)] : []),
      calls('big', 50),
      calls('large', 60),
    ])
    // Early was gone before it was known, and small is the least of four, for what early asked for still counts.
    expect(found).toEqual([])
    expect(engine.status('Quiet')).toEqual([
      '2 of 4 series are waited for among the 3 with most requests',
      'a series is waited for once it was watched for 2 d',
    ])
  })

  it('does not take our own absence for that of the tenants', () => {
    const engine = engineOf(rulesOf(quiet, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    runMinutes(engine, view, 3 * dayMinutes, () => [calls('acme', 50), calls('globex', 40)])
    for (let k = 0; k < 6 * 600; k++) view.push([])
    const found = runMinutes(engine, view, 60, () => [calls('acme', 50), calls('globex', 40)])
    // The hour that the windows still hold was silent indeed; the nine before it were not watched.
    expect(found.filter(({ minute }) => minute > 3 * dayMinutes + 602)).toEqual([])
  })

  it('waits no longer than a day, and tells it again only after the tenant was back', () => {
    const engine = engineOf(rulesOf(quiet, 'interval: 1m'))
    const view = new ScriptedView(startMs)
    const gone = (minute: number) => minute >= 3 * dayMinutes && minute < 5 * dayMinutes
    const again = (minute: number) => minute >= 6 * dayMinutes
    const found = runMinutes(engine, view, 7 * dayMinutes, (minute) => [
      ...(gone(minute) || again(minute) ? [] : [calls('acme', 50)]),
      calls('globex', 40),
    ])
    expect(found.map(({ transition: { alert } }) => alert.state)).toEqual(['firing', 'resolved', 'firing'])
    expect(found[1]?.transition.alert.annotations['summary']).toBe(
      'acme has been quiet since 5 Mar 09:00 UTC after 1 d, and is no longer waited for.',
    )
    // That it had been gone is not taken for a habit.
    expect(found[2]?.minute).toBe(6 * dayMinutes + 15)
  })

  it('takes a fixed length where one is given, from the first hour on', () => {
    const engine = engineOf(
      rulesOf('- {rule: Quiet, condition: {type: absence, longer_than: 30m, among: all}}', 'interval: 1m'),
    )
    const view = new ScriptedView(startMs)
    const found = runMinutes(engine, view, 120, (minute) => [...(minute < 60 ? [calls('acme', 5)] : []), calls('b', 1)])
    expect(minuteMoves(found)).toEqual(['90 inactive>firing ticket'])
  })
})
