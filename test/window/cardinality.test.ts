import { describe, expect, test } from 'vitest'
import { Lifetime } from '../../src/window/lifetime.ts'
import { sliceMs } from '../../src/window/view.ts'
import { Windows } from '../../src/window/windows.ts'

const startMs = Date.UTC(2026, 9, 5, 8, 0, 0)
const slice = startMs / sliceMs
const requests = { requests: 1, refusals: 0, cause: -1 }

function windows(seriesLimit: number): Windows {
  const view = new Windows({ seriesLimit, seriesLimitPerTenant: 1_000, lifetime: new Lifetime(seriesLimit) })
  view.openAt(startMs)
  return view
}

describe('Windows under a flood of names', () => {
  test('hold no more series than their limits after a million random APIs of one tenant, and every request', () => {
    const view = windows(100_000)
    for (let i = 0; i < 1_000_000; i++) view.add(view.series('noisy', `api-${(i * 7919) % 1_000_003}`), slice, requests)
    view.add(view.series('acme', 'chat'), slice, requests)
    expect(view.seriesCount).toBe(1_002)
    const rows = view.totals(startMs, startMs + sliceMs)
    expect(rows.reduce((sum, row) => sum + row.requests, 0)).toBe(1_000_001)
    expect(rows.find(({ tenant }) => tenant === 'acme')).toMatchObject({ api: 'chat', requests: 1 })
  })

  test('hold no more series than their limit after a million random tenants, and every request', () => {
    const view = windows(20_000)
    view.add(view.series('acme', 'chat'), slice, requests)
    for (let i = 0; i < 1_000_000; i++) view.add(view.series(`tenant-${i}`, 'chat'), slice, requests)
    view.add(view.series('acme', 'chat'), slice, requests)
    expect(view.seriesCount).toBe(20_001)
    const rows = view.totals(startMs, startMs + sliceMs)
    expect(rows.reduce((sum, row) => sum + row.requests, 0)).toBe(1_000_002)
    expect(rows.find(({ tenant }) => tenant === 'acme')).toMatchObject({ api: 'chat', requests: 2 })
    expect(rows.find(({ tenant }) => tenant === '__other__')?.requests).toBe(980_001)
  })

  test('keep series apart whose names run together, and names that mean something to JavaScript', () => {
    const view = windows(1_000)
    const names = [
      ['a', 'b c'],
      ['a b', 'c'],
      ['a/b', 'c'],
      ['a', 'b/c'],
      ['a\u0000b', 'c'],
      ['__proto__', 'constructor'],
      ['constructor', '__proto__'],
      ['1', '01'],
      ['01', '1'],
    ] as const
    names.forEach(([tenant, api], index) => {
      for (let i = 0; i <= index; i++) view.add(view.series(tenant, api), slice, requests)
    })
    const counted = view.totals(startMs, startMs + sliceMs).map((row) => [row.tenant, row.api, row.requests])
    expect(counted.sort((a, b) => Number(a[2]) - Number(b[2]))).toEqual(
      names.map(([tenant, api], index) => [tenant, api, index + 1]),
    )
  })
})
