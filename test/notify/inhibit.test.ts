import { expect, test } from 'vitest'
import { Inhibitions, stillInhibits } from '../../src/notify/inhibit.ts'
import { alertOf, eleven, hour, minute, resolved, routingOf } from './sample.ts'

const { inhibitRules } = routingOf(`
route: {receiver: log}
inhibit_rules:
  - name: pages hide tickets
    source_matchers: ['severity="page"']
    target_matchers: ['severity=~"page|ticket"', 'tenant!=""']
    equal: [tenant]
`)
const page = alertOf({ severity: 'page', fingerprint: 'page' })
const ticket = alertOf({ severity: 'ticket', fingerprint: 'ticket' })
const elsewhere = alertOf({ severity: 'ticket', labels: { tenant: 'birch' }, fingerprint: 'elsewhere' })
// It matches the source side only: without a tenant it is no target.
const fleet = alertOf({ severity: 'page', labels: { cause: 'quota_exceeded' }, fingerprint: 'fleet' })

test.each([
  ['a source holds back a target with equal labels', [page, ticket], ticket, 'pages hide tickets'],
  ['a source leaves targets with other labels alone', [page, elsewhere], elsewhere, null],
  ['an alert that is source and target does not hide itself', [page], page, null],
  ['two alerts that are source and target do not hide each other', [page, { ...page, fingerprint: 'b' }], page, null],
  ['without a source nothing is held back', [ticket], ticket, null],
])('%s', (_, firing, alert, inhibitor) => {
  expect(new Inhibitions(inhibitRules, firing, eleven).inhibitorOf(alert)).toBe(inhibitor)
})

test('a label that is missing equals an empty one, and a pure source hides even what could be a source', () => {
  const [rule] = inhibitRules
  if (rule === undefined) throw new Error('there is a rule')
  const anywhere = { ...rule, equal: [] }
  expect(new Inhibitions([anywhere], [fleet, page], eleven).inhibitorOf(page)).toBe('pages hide tickets')
  expect(new Inhibitions([{ ...rule, equal: ['region'] }], [fleet, ticket], eleven).inhibitorOf(ticket)).toBe(
    'pages hide tickets',
  )
})

const [kept] = routingOf(`
route: {receiver: log}
inhibit_rules:
  - name: the fleet hides tenants
    source_matchers: ['tenant=""']
    target_matchers: ['tenant!=""']
    equal: [cause]
    keep_inhibiting_for: 1h
`).inhibitRules

test.each([
  ['what began before the source ended', eleven - 10 * minute, 5 * minute, eleven + 59 * minute, kept?.name],
  [
    'what is judged by a window that reaches back to then',
    eleven + 59 * minute,
    hour,
    eleven + 59 * minute,
    kept?.name,
  ],
  ['what began a window after its end', eleven + 5 * minute, 5 * minute, eleven + 6 * minute, null],
  ['what counts nothing and began with its end', eleven, 0, eleven + minute, null],
  ['what began before, once the time is over', eleven - 10 * minute, 5 * minute, eleven + hour, null],
])('a source that has ended goes on for its time: %s', (_, activeAtMs, windowMs, now, inhibitor) => {
  if (kept === undefined) throw new Error('there is a rule')
  const over = resolved(alertOf({ labels: { cause: 'quota_exceeded' }, fingerprint: 'fleet' }), eleven).alert
  const tenant = alertOf({ activeAtMs, fingerprint: 'tenant', numbers: { windowMs } })
  expect(new Inhibitions([kept], [over, tenant], now).inhibitorOf(tenant)).toBe(inhibitor)
  expect(stillInhibits([kept], over, now)).toBe(now < eleven + hour)
  // Alertmanager's rules end with their source.
  expect(new Inhibitions([{ ...kept, keepMs: 0 }], [over, tenant], eleven + 1).inhibitorOf(tenant)).toBeNull()
  expect(stillInhibits([{ ...kept, keepMs: 0 }], over, eleven)).toBe(false)
})
