import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { causes } from '../../src/classify/cause.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { sliceMs, windowLengthsMs } from '../../src/window/view.ts'
import { Windows } from '../../src/window/windows.ts'

const startMs = Date.UTC(2026, 9, 5, 8, 0, 0)
const start = startMs / sliceMs

function windows(limits = { seriesLimit: 1000, seriesLimitPerTenant: 100 }): Windows {
  return new Windows({ ...limits, lifetime: new Lifetime(10_000) })
}

function walk(view: Windows, endMs: number): void {
  for (const _ of view.advanceTo(endMs)) {
    // Each closed slice is visited; the test only looks at the end.
  }
}

interface Event {
  slice: number
  tenant: string
  api: string
  cause: number
}

const event = fc.record({
  slice: fc.integer({ min: 0, max: 420 }),
  tenant: fc.constantFrom('acme', 'blue-heron', 'cobalt'),
  api: fc.constantFrom('chat', 'images'),
  cause: fc.integer({ min: -1, max: causes.length - 1 }),
})

/** The same question answered by counting every event again. */
function recount(
  events: readonly Event[],
  from: number,
  to: number,
): Map<string, { requests: number; refused: number }> {
  const counts = new Map<string, { requests: number; refused: number }>()
  for (const { slice, tenant, api, cause } of events) {
    if (slice < from || slice >= to) continue
    const key = `${tenant}/${api}`
    const count = counts.get(key) ?? { requests: 0, refused: 0 }
    count.requests++
    if (cause >= 0) count.refused++
    counts.set(key, count)
  }
  return counts
}

function totals(view: Windows, from: number, to: number): Map<string, { requests: number; refused: number }> {
  const rows = view.totals((start + from) * sliceMs, (start + to) * sliceMs)
  return new Map(
    rows.map((row) => [`${row.tenant}/${row.api}`, { requests: row.requests, refused: row.paymentRequired }]),
  )
}

describe('Windows', () => {
  test('answer every window like a naive recount, whatever the order of arrival', () => {
    const scenario = fc.record({
      events: fc.array(event, { maxLength: 200 }),
      steps: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
    })
    fc.assert(
      fc.property(scenario, ({ events, steps }) => {
        const view = windows()
        view.openAt(startMs)
        const taken: Event[] = []
        let end = 0
        const queue = [...events]
        for (const step of steps) {
          end += step
          for (const one of queue.splice(0, 40)) {
            const series = view.series(one.tenant, one.api)
            const refusals = one.cause < 0 ? 0 : 1
            const placed = view.add(series, start + one.slice, { requests: 1, refusals, cause: one.cause })
            if (placed !== 'outside') taken.push(one)
          }
          walk(view, (start + end) * sliceMs)
          for (const ms of Object.values(windowLengthsMs)) {
            const length = ms / sliceMs
            expect(totals(view, end - length, end)).toEqual(recount(taken, end - length, end))
            // The live page looks at the newest slices too, which the watermark has not closed yet.
            const head = end + 3
            expect(totals(view, head - length, head)).toEqual(recount(taken, head - length, head))
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  test('put a record that falls on a boundary in the later slice', () => {
    const view = windows()
    view.openAt(startMs)
    const boundary = startMs + sliceMs
    view.add(view.series('acme', 'chat'), boundary / sliceMs, { requests: 1, refusals: 0, cause: -1 })
    expect(view.totals(startMs, boundary)).toEqual([])
    expect(view.totals(boundary, boundary + sliceMs)).toHaveLength(1)
  })

  test('count a late record in its true slice and say that it was late', () => {
    const view = windows()
    view.openAt(startMs)
    walk(view, startMs + 60_000)
    const series = view.series('acme', 'chat')
    expect(view.add(series, start + 2, { requests: 1, refusals: 1, cause: 0 })).toBe('late')
    expect(view.totals(startMs, startMs + 60_000)).toEqual([
      { tenant: 'acme', api: 'chat', requests: 1, paymentRequired: 1, causes: [{ cause: causes[0], count: 1 }] },
    ])
  })

  test('say since when they have watched', () => {
    const view = windows()
    view.openAt(startMs)
    walk(view, startMs + 600_000)
    expect(view.oldestMs).toBe(startMs)
    walk(view, startMs + 2 * 3_600_000)
    expect(view.oldestMs).toBe(startMs + 3_600_000)
  })

  test('turn away what the rings no longer hold', () => {
    const view = windows()
    view.openAt(startMs)
    const series = view.series('acme', 'chat')
    expect(view.add(series, start - 361, { requests: 1, refusals: 0, cause: -1 })).toBe('outside')
    expect(view.tooFarAhead(start + 72)).toBe(true)
    expect(view.tooFarAhead(start + 71)).toBe(false)
  })

  test('skip a gap of days instead of walking through it, and forget every count on the way', () => {
    const view = windows()
    view.openAt(startMs)
    view.add(view.series('acme', 'chat'), start, { requests: 5, refusals: 0, cause: -1 })
    let visited = 0
    for (const _ of view.advanceTo(startMs + 5 * 86_400_000)) visited++
    expect(visited).toBeLessThan(500)
    expect(view.endMs).toBe(startMs + 5 * 86_400_000)
    expect(view.totals(startMs + 5 * 86_400_000 - 3_600_000, startMs + 5 * 86_400_000)).toEqual([])
    expect(view.seriesCount).toBe(0)
  })

  test('give the ring of a forgotten series to a new one without its counts', () => {
    const view = windows({ seriesLimit: 1, seriesLimitPerTenant: 10 })
    view.openAt(startMs)
    view.add(view.series('acme', 'chat'), start, { requests: 5, refusals: 2, cause: 3 })
    walk(view, startMs + 2 * 3_600_000)
    const later = start + 2 * 360
    view.add(view.series('cobalt', 'images'), later - 1, { requests: 1, refusals: 0, cause: -1 })
    expect(view.totals(startMs + 3_600_000, startMs + 2 * 3_600_000)).toEqual([
      { tenant: 'cobalt', api: 'images', requests: 1, paymentRequired: 0, causes: [] },
    ])
  })

  test('fold only the tenant that explodes and keep every total', () => {
    const view = windows({ seriesLimit: 50, seriesLimitPerTenant: 5 })
    view.openAt(startMs)
    for (let i = 0; i < 100; i++)
      view.add(view.series('noisy', `api-${i}`), start, { requests: 1, refusals: 0, cause: -1 })
    view.add(view.series('acme', 'chat'), start, { requests: 7, refusals: 0, cause: -1 })
    const rows = view.totals(startMs, startMs + sliceMs)
    const noisy = rows.filter((row) => row.tenant === 'noisy')
    expect(noisy.reduce((sum, row) => sum + row.requests, 0)).toBe(100)
    expect(noisy.find((row) => row.api === '__other__')?.requests).toBe(95)
    expect(rows.find((row) => row.tenant === 'acme')?.requests).toBe(7)
    expect(view.foldedCount).toBe(95)
  })

  test('fold new tenants last of all', () => {
    const view = windows({ seriesLimit: 3, seriesLimitPerTenant: 5 })
    view.openAt(startMs)
    for (let i = 0; i < 10; i++)
      view.add(view.series(`tenant-${i}`, 'chat'), start, { requests: 1, refusals: 0, cause: -1 })
    const rows = view.totals(startMs, startMs + sliceMs)
    expect(rows.map((row) => `${row.tenant}/${row.api}=${row.requests}`)).toEqual([
      'tenant-0/chat=1',
      'tenant-1/chat=1',
      'tenant-2/chat=1',
      '__other__/__other__=7',
    ])
  })
})

test('tells the refusals of one series minute by minute, as a recount has them', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), fc.integer({ min: 1, max: 60 }), (events, minutes) => {
      const view = windows()
      view.openAt(startMs)
      walk(view, startMs + 350 * sliceMs)
      for (const { slice, tenant, api, cause } of events) {
        view.add(view.series(tenant, api), start + slice, { requests: 1, refusals: cause < 0 ? 0 : 1, cause })
      }
      const end = start + 422
      for (const api of ['chat', 'images', 'nothing']) {
        const counts = view.refusalsByMinute({ tenant: 'acme', api }, end * sliceMs, minutes)
        const expected = Array.from({ length: minutes }, (_, at) => {
          const from = 422 - (minutes - at) * 6
          return recount(events, from, from + 6).get(`acme/${api}`)?.refused ?? 0
        })
        expect(counts).toEqual(expected)
      }
    }),
    { numRuns: 30 },
  )
})
