import { describe, expect, test } from 'vitest'
import type { Episode } from '../../src/alert/backtest.ts'
import { parseIncidents, scoreIncidents } from '../../src/alert/incidents-file.ts'

const nine = Date.UTC(2026, 2, 2, 9)
const minute = 60_000

function episode(change: Partial<Episode>): Episode {
  const firedAtMs = change.firedAtMs ?? nine
  return {
    ...{ rule: 'Spike', fingerprint: 'f', labels: { tenant: 'acme', cause: 'quota_exceeded' }, severity: 'page' },
    ...{ activeAtMs: firedAtMs, firedAtMs, resolvedAtMs: firedAtMs + 10 * minute, peak: 9, refused: 9, summary: '' },
    ...change,
  }
}

function incidents(text: string) {
  const parsed = parseIncidents(text)
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  return parsed.incidents
}

describe('a file of incidents', () => {
  test('is start, end and labels, with an optional head, comments and empty lines', () => {
    const text = 'start,end,labels\n# the deploy\n2026-03-02T09:00:00Z,2026-03-02T10:00:00Z,tenant=acme;cause=x\n\n'
    expect(incidents(text)).toEqual([
      { line: 3, startMs: nine, endMs: nine + 60 * minute, labels: { tenant: 'acme', cause: 'x' } },
    ])
  })

  test.each([
    ['yesterday,2026-03-02T10:00:00Z,', '1: start or end is no time'],
    ['2026-03-02T10:00:00Z,2026-03-02T09:00:00Z,', '1: the end is not after the start'],
    ['2026-03-02T09:00:00Z,2026-03-02T10:00:00Z,color=red', '1: "color=red" is no label'],
    ['', '1: holds no incident'],
  ])('%s is refused with its line', (text, message) => {
    expect(parseIncidents(text)).toMatchObject({ ok: false, problems: [expect.stringContaining(message)] })
  })
})

describe('how well episodes tell of incidents', () => {
  const hour = '2026-03-02T09:00:00Z,2026-03-02T10:00:00Z'

  test('counts found and missed, the delay, and episodes about nothing', () => {
    const score = scoreIncidents(
      [
        episode({ firedAtMs: nine + 3 * minute }),
        episode({ firedAtMs: nine + 9 * minute }),
        episode({ firedAtMs: nine + 5 * 60 * minute }),
        episode({ firedAtMs: nine + 4 * minute, labels: { tenant: 'globex' } }),
      ],
      incidents(`${hour},tenant=acme\n2026-03-03T09:00:00Z,2026-03-03T10:00:00Z,`),
    )
    expect(score.found).toMatchObject([{ delayMinutes: 3, rule: 'Spike' }])
    expect(score.missed).toHaveLength(1)
    expect(score).toMatchObject({ medianDelayMinutes: 3, precision: 0.5 })
  })

  test('lets an alert about more than the incident belong to it', () => {
    const score = scoreIncidents([episode({ labels: { cause: 'quota_exceeded' } })], incidents(`${hour},tenant=acme`))
    expect(score.found).toHaveLength(1)
  })

  test('has no precision without an episode', () => {
    expect(scoreIncidents([], incidents(`${hour},`))).toMatchObject({ precision: null, medianDelayMinutes: null })
  })
})
