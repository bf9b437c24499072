import { describe, expect, test } from 'vitest'
import { Fault } from '../../src/fault/fault.ts'
import { MemoryState } from '../../src/history/state.ts'
import { Silences } from '../../src/notify/silence.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { eleven, hour, minute } from './sample.ts'

const day = 24 * hour
const asked = {
  matchers: ['tenant="acme"', 'cause=~"quota.*"'],
  startsAtMs: eleven,
  endsAtMs: eleven + hour,
  createdBy: 'anna',
  comment: 'billing run',
}
const acme = { tenant: 'acme', cause: 'quota_exceeded' }

async function open(store = new MemoryState()) {
  const clock = new ManualClock(eleven)
  return { clock, store, silences: await Silences.open({ store, clock }) }
}

test('a silence mutes what matches all of it, from its start up to its end', async () => {
  const { silences } = await open()
  const { id } = await silences.add({ ...asked, startsAtMs: eleven + minute })
  const muting = (labels: Record<string, string>, at: number) => silences.muting(labels, at)?.id ?? null
  expect(muting(acme, eleven)).toBeNull()
  expect(muting(acme, eleven + minute)).toBe(id)
  expect(muting(acme, eleven + hour - 1)).toBe(id)
  expect(muting(acme, eleven + hour)).toBeNull()
  expect(muting({ ...acme, tenant: 'birch' }, eleven + minute)).toBeNull()
  expect(muting({ tenant: 'acme' }, eleven + minute)).toBeNull()
})

test('a silence outlives a restart', async () => {
  const { silences, store } = await open()
  const added = await silences.add(asked)
  const again = await open(store)
  expect(again.silences.list()).toEqual([added])
  expect(again.silences.muting(acme, eleven)?.id).toBe(added.id)
})

test('expiring ends it now and keeps it in the list', async () => {
  const { silences, clock } = await open()
  const { id } = await silences.add(asked)
  await clock.advance(minute)
  expect(await silences.expire(id)).toBe(true)
  expect(silences.muting(acme, clock.now())).toBeNull()
  expect(silences.list()).toMatchObject([{ id, endsAtMs: eleven + minute }])
  expect(await silences.expire(id)).toBe(false)
  expect(await silences.expire('no-such-id')).toBe(false)
})

test('what expired long ago is forgotten, also in the store', async () => {
  const { silences, store } = await open()
  await silences.add(asked)
  await silences.sweep(eleven + day, [])
  expect(silences.list()).toHaveLength(1)
  await silences.sweep(eleven + 7 * day, [])
  expect(silences.list()).toHaveLength(0)
  expect((await store.load('silence')).size).toBe(0)
})

describe('a silence is refused', () => {
  test.each([
    ['that matches everything', { matchers: [] }, 'silence everything'],
    ['that matches every name', { matchers: ['tenant=~".*"'] }, 'silence everything'],
    ['that matches any name at all', { matchers: ['tenant=~".+"', 'cause!="x"'] }, 'silence everything'],
    ['that only leaves something out', { matchers: ['tenant!="acme"'] }, 'silence everything'],
    ['with a matcher nobody can read', { matchers: ['tenant'] }, 'is no matcher'],
    ['with a pattern that is none', { matchers: ['tenant=~"("'] }, 'regular expression'],
    ['with an endless matcher', { matchers: [`tenant="${'a'.repeat(600)}"`] }, 'longer than 500'],
    ['without a reason', { comment: '  ' }, 'a comment is missing'],
    ['without an author', { createdBy: '' }, 'the author is missing'],
    ['that ends before it starts', { endsAtMs: eleven - 1 }, 'ends before it starts'],
    ['that is over', { startsAtMs: eleven - hour, endsAtMs: eleven }, 'over already'],
    ['that lasts too long', { endsAtMs: eleven + 31 * day }, 'at most 30d'],
    ['that starts too late', { startsAtMs: eleven + 31 * day, endsAtMs: eleven + 32 * day }, 'at most 30d ahead'],
    ['whose times are none', { endsAtMs: Number.NaN }, 'ends before it starts'],
  ])('%s', async (_, change, problem) => {
    const { silences, store } = await open()
    const refusal = await silences.add({ ...asked, ...change }).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(Fault)
    expect(refusal).toMatchObject({ code: 'argument-invalid', message: expect.stringContaining(problem) })
    expect((await store.load('silence')).size).toBe(0)
  })

  test('when there are too many', async () => {
    const { silences } = await open()
    for (let i = 0; i < 500; i++) await silences.add(asked)
    await expect(silences.add(asked)).rejects.toThrow('500 silences already')
  })
})
