import { expect, test } from 'vitest'
import type { PageAlert } from '../../../../src/http/page/answers.ts'
import { fresh, newsOf } from '../../../../src/http/page/frame/news.ts'

const alert = (summary: string, severity: PageAlert['severity']): PageAlert => ({
  ...{ fingerprint: summary, rule: 'R', state: 'firing', severity, labels: {}, tenant_name: null, value: 1 },
  ...{ since: '2026-05-01T12:00:00.000Z', annotations: { summary }, fired_at: null, resolved_at: null },
  numbers: { window_ms: 300_000, observed: 1, requests: 1, expected: null, p_value: null, so_far: 1, peak: 1 },
})

test('one new alert is read out, of many only the most urgent', () => {
  expect(newsOf([alert('acme is refused.', 'ticket')])).toBe('New alert: acme is refused.')
  expect(newsOf([alert('small.', 'info'), alert('big.', 'page')])).toBe('2 new alerts. The first: big.')
})

test('an alert that fires again is news again', () => {
  const first = { fingerprint: 'a', since: '2026-05-01T12:00:00.000Z' }
  expect(fresh(first)).toBe(fresh({ ...first }))
  expect(fresh(first)).not.toBe(fresh({ ...first, since: '2026-05-01T14:00:00.000Z' }))
})
