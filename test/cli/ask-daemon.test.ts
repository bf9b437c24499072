import { expect, test } from 'vitest'
import { patiently } from '../../src/cli/ask-daemon.ts'
import type { Clock } from '../../src/time/clock.ts'

function recording(): { clock: Clock; slept: number[] } {
  const slept: number[] = []
  return { slept, clock: { now: () => 0, sleep: async (ms) => void slept.push(ms) } }
}

const busy = (after: string) => new Response(null, { status: 429, headers: { 'retry-after': after } })

test('asks again after the time the daemon names, and no longer than some seconds', async () => {
  const { clock, slept } = recording()
  const answers = [busy('2'), busy('900'), busy('soon'), new Response('{}')]
  const response = await patiently(async () => answers.shift() ?? new Response(), clock)
  expect([response.status, slept]).toEqual([200, [2_000, 5_000, 1_000]])
})

test('gives up on a daemon that stays busy, and takes every other answer as it is', async () => {
  const { clock, slept } = recording()
  expect((await patiently(async () => busy('1'), clock)).status).toBe(429)
  expect(slept).toHaveLength(19)
  expect((await patiently(async () => new Response(null, { status: 503 }), clock)).status).toBe(503)
  expect(slept).toHaveLength(19)
})
