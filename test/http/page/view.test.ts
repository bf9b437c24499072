import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { places, readView, spanLengthMs, spanQuery, weekBefore, writeView } from '../../../src/http/page/view.ts'

describe('the view in the URL', () => {
  test('is empty when everything is as usual', () => {
    expect(writeView(readView(''))).toBe('/')
  })

  test.each([
    '?view=now&tenant=a%26b&api=chat&range=24h&window=1h&q=quota&sort=%2Btenant',
    '?tenant=acme',
    '?tenant=acme&api=chat&cause=quota_exceeded&range=7d',
    '?sort=share',
    '?view=trends&by=tenant&measure=share&step=5m&compare=week',
    '?view=alerts&tab=history',
    '?view=alerts&alert=5f1c0a9be2d47733',
    '?view=rules&rule=Quota+runs+out',
    '?view=health&from=2026-05-01T10%3A00%3A00.000Z&to=2026-05-01T11%3A00%3A00.000Z',
  ])('comes back from %s as it was', (search) => {
    expect(writeView(readView(search))).toBe(`/${search}`)
  })

  test.each(['?window=9y&range=x&sort=colour&more=1&view=moon&by=day', '?from=now&to=-1h', '?from=5&to=4', '?tenant='])(
    'leaves out what makes no sense in %s',
    (search) => {
      expect(writeView(readView(search))).toBe('/')
    },
  )

  test('opens the tenant for a link that names only one, and Now without', () => {
    expect(readView('?tenant=acme&api=chat').place).toBe('tenant')
    expect(readView('?api=chat').place).toBe('now')
  })

  test('takes the epoch milliseconds of a Grafana link', () => {
    const { span } = readView('?tenant=acme&from=1777629600000&to=1777633200000')
    expect(span).toEqual({ fromMs: 1_777_629_600_000, toMs: 1_777_633_200_000 })
  })

  test('carries range and filters to every view, and leaves the rest where it belongs', () => {
    const shared = readView('?view=trends&tenant=acme&cause=unknown&range=24h&step=5m&by=api&compare=week')
    for (const place of places) {
      const next = readView(writeView({ ...shared, place }).slice(1))
      expect(next).toMatchObject({ place, tenant: 'acme', cause: 'unknown', range: '24h' })
      expect(next.compare).toBe(place === 'trends')
    }
  })

  test('reads any text without failing, and writes what it reads again', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.constantFrom(...places), (tenant, search, place) => {
        const query = new URLSearchParams({ view: place, tenant, q: search })
        const view = readView(`?${query}`)
        expect(readView(writeView(view).slice(1))).toEqual(
          place === 'now' || place === 'tenant' ? view : { ...view, search: '' },
        )
      }),
    )
  })
})

describe('the span that is asked for', () => {
  test('ends now and is relative unless it was picked', () => {
    const view = readView('?range=1h')
    expect(spanQuery(view)).toEqual({ from: '-1h' })
    expect(weekBefore(view)).toEqual({ from: '-7d1h', to: '-7d' })
    expect(spanLengthMs(view)).toBe(3_600_000)
  })

  test('is what was picked, and a week before that', () => {
    const view = readView('?from=2026-05-08T10:00:00Z&to=2026-05-08T10:30:00Z')
    expect(spanQuery(view)).toEqual({ from: '2026-05-08T10:00:00.000Z', to: '2026-05-08T10:30:00.000Z' })
    expect(weekBefore(view)).toEqual({ from: '2026-05-01T10:00:00.000Z', to: '2026-05-01T10:30:00.000Z' })
    expect(spanLengthMs(view)).toBe(1_800_000)
  })
})
