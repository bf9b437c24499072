import { expect, test } from 'vitest'
import { Inhibitions } from '../../src/notify/inhibit.ts'
import { alertOf, routingOf } from './sample.ts'

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
  expect(new Inhibitions(inhibitRules, firing).inhibitorOf(alert)).toBe(inhibitor)
})

test('a label that is missing equals an empty one, and a pure source hides even what could be a source', () => {
  const [rule] = inhibitRules
  if (rule === undefined) throw new Error('there is a rule')
  const anywhere = { ...rule, equal: [] }
  expect(new Inhibitions([anywhere], [fleet, page]).inhibitorOf(page)).toBe('pages hide tickets')
  expect(new Inhibitions([{ ...rule, equal: ['region'] }], [fleet, ticket]).inhibitorOf(ticket)).toBe(
    'pages hide tickets',
  )
})
