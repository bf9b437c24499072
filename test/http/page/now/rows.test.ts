import { describe, expect, test } from 'vitest'
import type { LiveRow, PageAlert } from '../../../../src/http/page/answers.ts'
import { sharedNames, sinceOf, tableRows } from '../../../../src/http/page/now/rows.ts'
import { readView } from '../../../../src/http/page/view.ts'

describe('the table', () => {
  const row = (tenant: string, requests: number, refused: number, causes = { quota_exceeded: refused }): LiveRow => ({
    tenant,
    tenant_name: null,
    api: 'chat',
    requests,
    payment_required: refused,
    ratio: refused / requests,
    causes,
  })
  const alertOn = (labels: Record<string, string>, observed = 60) =>
    ({ state: 'firing', labels, since: '2026-05-01T12:00:00.000Z', numbers: { observed } }) as unknown as PageAlert
  const firing = alertOn({ tenant: 'b' })
  const rows = [row('a', 10, 9), row('b', 1_000, 60), row('c', 500, 0)]
  const names = (search: string) => tableRows(rows, [firing], readView(search)).refused.map(({ row }) => row.tenant)

  test('has the most refusals on top, and those without apart', () => {
    expect(names('')).toEqual(['b', 'a'])
    expect(tableRows(rows, [], readView('')).clean.map(({ row }) => row.tenant)).toEqual(['c'])
  })

  test('sorts as asked', () => {
    expect(names('?sort=share')).toEqual(['a', 'b'])
    expect(names('?sort=%2Btenant')).toEqual(['a', 'b'])
  })

  test('finds tenants, APIs and causes by words', () => {
    expect(names('?q=QUOTA exceeded a')).toEqual(['b', 'a'])
    expect(names('?q=b chat')).toEqual(['b'])
    expect(names('?q=nobody')).toEqual([])
  })

  test('finds a tenant by its name and by its id, and sorts by what is shown', () => {
    const called = [{ ...row('t-9', 10, 1), tenant_name: 'Acme Instruments' }, row('b', 10, 2)]
    const shown = (search: string) => tableRows(called, [], readView(search)).refused.map(({ row }) => row.tenant)
    expect(shown('?q=INSTRUMENTS')).toEqual(['t-9'])
    expect(shown('?q=t-9 acme')).toEqual(['t-9'])
    expect(shown('?sort=%2Btenant')).toEqual(['t-9', 'b'])
  })

  test('knows which names more than one tenant goes by', () => {
    const called = (tenant: string, tenant_name: string | null) => ({ ...row(tenant, 10, 1), tenant_name })
    const twice = [called('a', 'Acme'), called('a', 'Acme'), called('b', 'Borealis'), called('c', null)]
    expect([...sharedNames(twice)]).toEqual([])
    expect([...sharedNames([...twice, called('d', 'Borealis')])]).toEqual(['Borealis'])
  })

  test('joins a row with the alert that speaks of it', () => {
    const { refused } = tableRows(rows, [firing], readView(''))
    expect(refused.map(({ alert }) => alert === null)).toEqual([false, true])
  })

  test('leaves rows alone that have next to no part in an alert over all APIs of a tenant', () => {
    const few = { ...row('b', 400, 2), api: 'images' }
    const alerts = (labels: Record<string, string>) =>
      tableRows([...rows, few], [alertOn(labels)], readView('')).refused.map(({ row, alert }) => [
        row.api,
        alert !== null,
      ])
    expect(alerts({ tenant: 'b', cause: 'quota_exceeded' })).toEqual([
      ['chat', true],
      ['chat', false],
      ['images', false],
    ])
    expect(alerts({ tenant: 'b', api: 'images' })).toEqual([
      ['chat', false],
      ['chat', false],
      ['images', true],
    ])
  })

  test('keeps to the tenant, API and cause that are chosen', () => {
    expect(names('?view=now&tenant=b')).toEqual(['b'])
    expect(names('?view=now&api=images')).toEqual([])
    expect(names('?view=now&cause=quota_exceeded')).toEqual(['b', 'a'])
  })

  test('says since when from the alert alone', () => {
    const [first, second] = tableRows(rows, [firing], readView('')).refused
    expect(first && sinceOf(first)).toBe(Date.UTC(2026, 4, 1, 12))
    expect(second && sinceOf(second)).toBe(0)
  })
})
