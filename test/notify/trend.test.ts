import { expect, test } from 'vitest'
import { ScriptedView, type SliceRow } from '../../src/alert/scripted-view.ts'
import { countsOf, RefusalMemory } from '../../src/notify/trend.ts'
import { alertOf, eleven, hour, minute } from './sample.ts'

const startMs = eleven - 4 * hour

/** Lets slices pass, noting each, with what happens in the slice that begins at a time. */
function lived(ms: number, rowsAt: (atMs: number) => readonly SliceRow[], memory = new RefusalMemory()) {
  const view = new ScriptedView(startMs)
  for (let atMs = startMs; atMs < startMs + ms; atMs += 10_000) {
    view.push(rowsAt(atMs))
    memory.note(view.endMs, view)
  }
  return { memory, view }
}

const once = (tenant: string, api: string, cause: 'quota_exceeded' | 'payment_failed', count: number): SliceRow => ({
  tenant,
  api,
  requests: count,
  causes: { [cause]: count },
})

test('holds three hours in steps of five minutes, of what an alert is about', () => {
  const rows = [once('acme', 'chat', 'quota_exceeded', 1), once('birch', 'chat', 'payment_failed', 2)]
  const { memory } = lived(4 * hour, () => rows)
  const all = memory.of(alertOf({ labels: {} }))
  expect(all).toMatchObject({ endMs: startMs + 4 * hour, stepMs: 5 * minute })
  expect(all === null ? [] : countsOf(all)).toEqual(Array.from({ length: 36 }, () => 90))
  const sum = (labels: Record<string, string>) =>
    countsOf(memory.of(alertOf({ labels })) ?? { endMs: 0, stepMs: 1, steps: [] })[0]
  expect(sum({ tenant: 'acme' })).toBe(30)
  expect(sum({ api: 'chat', cause: 'payment_failed' })).toBe(60)
  expect(sum({ family: 'quota' })).toBe(30)
  expect(sum({ tenant: 'nobody' })).toBe(0)
})

test('begins with the hour that the windows hold', () => {
  const { view } = lived(2 * hour, () => [once('acme', 'chat', 'quota_exceeded', 1)])
  const memory = new RefusalMemory()
  expect(memory.of(alertOf())).toBeNull()
  memory.note(view.endMs, view)
  const trend = memory.of(alertOf({ labels: {} }))
  expect(trend === null ? [] : countsOf(trend)).toEqual(Array.from({ length: 12 }, () => 30))
})

test('a time that was not seen is a gap and not a time without refusals', () => {
  const view = new ScriptedView(startMs)
  const memory = new RefusalMemory()
  const pass = (minutes: number) => {
    for (let i = 0; i < minutes * 6; i++) view.push([once('acme', 'chat', 'quota_exceeded', 1)])
    memory.note(view.endMs, view)
  }
  pass(10)
  // Longer than the windows hold.
  pass(100)
  const trend = memory.of(alertOf({ labels: {} }))
  const counts = trend === null ? [] : countsOf(trend)
  expect(counts.at(-1)).toBe(30)
  expect(counts).toContain(null)
  expect(counts.filter((count) => count !== null && count !== 30)).toEqual([])
})

test('of more series than are kept the sum is right, and a single one is not known', () => {
  const rows = Array.from({ length: 2_100 }, (_, i) => once(`t${i}`, 'chat', 'quota_exceeded', 1))
  const view = new ScriptedView(startMs)
  for (let slice = 0; slice < 60; slice++) view.push(slice % 6 === 0 ? rows : [])
  const memory = new RefusalMemory()
  memory.note(view.endMs, view)
  const all = memory.of(alertOf({ labels: { cause: 'quota_exceeded' } }))
  expect(all === null ? [] : countsOf(all)).toEqual([10_500, 10_500])
  expect(memory.of(alertOf({ labels: { tenant: 't2099' } }))).toBeNull()
})
