import { describe, expect, test } from 'vitest'
import type { LiveRow, PageAlert } from '../../../src/http/page/answers.ts'
import { sharedNames, tableRows } from '../../../src/http/page/rows.ts'
import { readView, writeView } from '../../../src/http/page/view.ts'

describe('the view in the URL', () => {
  test('is empty when everything is as usual', () => {
    expect(writeView(readView(''))).toBe('/')
  })

  test.each(['?window=1h&range=24h&tenant=a%26b&api=chat&q=quota&sort=%2Btenant', '?tenant=acme', '?sort=share'])(
    'comes back from %s as it was',
    (search) => {
      expect(writeView(readView(search))).toBe(`/${search}`)
    },
  )

  test('leaves out what makes no sense', () => {
    expect(writeView(readView('?window=9y&range=x&sort=colour&more=1'))).toBe('/')
  })
})

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
  const firing = { state: 'firing', labels: { tenant: 'b' } } as unknown as PageAlert
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
})
