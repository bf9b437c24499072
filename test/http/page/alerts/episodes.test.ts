import { describe, expect, test } from 'vitest'
import { episodesOf, placeIn } from '../../../../src/http/page/alerts/episodes.ts'
import type { AlertChange } from '../../../../src/http/page/answers.ts'

const start = Date.UTC(2026, 4, 1, 12)
const minute = 60_000

function change(fingerprint: string, state: string, minutes: number, severity: AlertChange['severity'] = 'ticket') {
  const time = new Date(start + minutes * minute).toISOString()
  const summary = `${fingerprint} ${state}`
  return { fingerprint, state, time, severity, rule: 'R', labels: {}, tenant_name: null, value: 1, summary }
}

describe('the log of alerts', () => {
  test('becomes one firing from its start to its end, the newest first', () => {
    const episodes = episodesOf([
      change('b', 'resolved', 30),
      change('a', 'firing', 20),
      change('b', 'firing', 10),
      change('b', 'pending', 9),
      change('a', 'resolved', 5),
      change('a', 'firing', 1),
    ])
    const seen = episodes.map(({ fingerprint, firedMs, endedMs }) => [
      fingerprint,
      firedMs === null ? null : (firedMs - start) / minute,
      endedMs === null ? null : (endedMs - start) / minute,
    ])
    expect(seen).toEqual([
      ['a', 20, null],
      ['b', 10, 30],
      ['a', 1, 5],
    ])
  })

  test('keeps the start of a firing whose severity rose', () => {
    const [one, ...others] = episodesOf([change('a', 'firing', 6, 'page'), change('a', 'firing', 1)])
    expect(others).toEqual([])
    expect(one).toMatchObject({ severity: 'page', firedMs: start + minute, endedMs: null })
  })

  test('knows the end of a firing that began before the span', () => {
    expect(episodesOf([change('a', 'resolved', 3)])).toMatchObject([{ firedMs: null, endedMs: start + 3 * minute }])
  })
})

describe('a bar of the timeline', () => {
  const span = { fromMs: start, toMs: start + 100 * minute }
  test.each([
    [10, 30, { left: 0.1, width: 0.2 }],
    [null, 50, { left: 0, width: 0.5 }],
    [80, null, { left: 0.8, width: 0.2 }],
    [99.99, 99.99, { left: 0.996, width: 0.004 }],
    [-20, -10, null],
  ])('from %s to %s lies where it was', (from, to, place) => {
    const at = (minutes: number | null) => (minutes === null ? null : start + minutes * minute)
    const found = placeIn({ firedMs: at(from), endedMs: at(to) }, span)
    if (place === null || found === null) return expect(found).toEqual(place)
    expect(found.left).toBeCloseTo(place.left)
    expect(found.width).toBeCloseTo(place.width)
  })
})
