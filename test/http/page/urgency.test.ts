import { expect, test } from 'vitest'
import type { PageAlert } from '../../../src/http/page/answers.ts'
import { broadestFirst, incidentsOf, lastEndedFirst } from '../../../src/http/page/urgency.ts'

function alertOf(
  fingerprint: string,
  { observed = 1, ...change }: Partial<PageAlert> & { observed?: number } = {},
): PageAlert {
  return {
    fingerprint,
    rule: 'R',
    state: 'firing',
    severity: 'ticket',
    labels: { tenant: 'acme', api: 'chat', cause: 'unknown', rule: 'R' },
    tenant_name: null,
    since: '2026-05-01T12:00:00.000Z',
    value: 1,
    annotations: {},
    fired_at: null,
    resolved_at: null,
    numbers: { window_ms: 300_000, observed, requests: 100, expected: null, p_value: null, so_far: 1, peak: 1 },
    ...change,
  }
}

test('the most severe alert comes first, then the broadest, then the one that refuses most', () => {
  const alerts = [
    alertOf('overflow', { labels: { rule: 'R', overflow: 'true' }, observed: 900 }),
    alertOf('narrow', { observed: 500 }),
    alertOf('small', { labels: { tenant: 'acme', api: 'chat' }, observed: 4 }),
    alertOf('large', { labels: { tenant: 'acme', api: 'pay' }, observed: 5 }),
    alertOf('family', { labels: { family: 'payment', tenant: 'acme' }, observed: 5 }),
    alertOf('fleet', { labels: { cause: 'unknown', family: 'other', rule: 'R' } }),
    alertOf('page', { severity: 'page' }),
    alertOf('info', { severity: 'info', labels: {}, observed: 1_000 }),
  ]
  const wanted = ['page', 'fleet', 'family', 'large', 'small', 'narrow', 'overflow', 'info']
  expect(broadestFirst(alerts).map(({ fingerprint }) => fingerprint)).toEqual(wanted)
  expect(broadestFirst([...alerts].reverse()).map(({ fingerprint }) => fingerprint)).toEqual(wanted)
})

test('equal alerts keep their places', () => {
  const names = (alerts: readonly PageAlert[]) => broadestFirst(alerts).map(({ fingerprint }) => fingerprint)
  expect(names([alertOf('b'), alertOf('a')])).toEqual(['a', 'b'])
  expect(names([alertOf('a'), alertOf('b')])).toEqual(['a', 'b'])
})

test('of alerts that are over the last one comes first', () => {
  const early = alertOf('early', { resolved_at: '2026-05-01T12:00:00.000Z' })
  const late = alertOf('late', { resolved_at: '2026-05-01T12:05:00.000Z' })
  expect(lastEndedFirst([early, late])).toEqual([late, early])
})

test('alerts about single tenants stand under the one over all that says the same', () => {
  const fleet = alertOf('fleet', { labels: { cause: 'unknown' } })
  const other = alertOf('other', { labels: { tenant: 'acme', api: 'chat', cause: 'quota_exceeded' } })
  const topic = alertOf('topic', { labels: { topic: 'gateway' } })
  const found = incidentsOf([fleet, alertOf('a'), other, alertOf('b'), topic])
  expect(found.map(({ alert, parts }) => [alert.fingerprint, parts.map(({ fingerprint }) => fingerprint)])).toEqual([
    ['fleet', ['a', 'b']],
    ['other', []],
    ['topic', []],
  ])
})

test('what goes on comes before what is calm again, and is no part of it', () => {
  const calm = alertOf('calm', {
    severity: 'page',
    labels: { cause: 'unknown' },
    annotations: { summary: 'It is calm again.' },
  })
  const names = incidentsOf([calm, alertOf('burning')]).map(({ alert }) => alert.fingerprint)
  expect(names).toEqual(['burning', 'calm'])
})
