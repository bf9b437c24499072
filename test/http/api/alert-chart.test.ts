import { afterEach, expect, test } from 'vitest'
import type { Alert } from '../../../src/alert/alert.ts'
import { ManualClock } from '../../../src/time/clock.ts'
import { minuteMs } from '../../../src/time/duration.ts'
import { formatInstant } from '../../../src/time/instant.ts'
import { type Client, startServer } from '../support/client.ts'
import { noon, worldAlert, worldDeps } from '../support/world.ts'

let client: Client | undefined
afterEach(() => client?.close())

const clock = new ManualClock(noon)
const minute = (at: number) => noon - (10 - at) * minuteMs

/** Ten minutes of acme on chat, of which the third has nothing: two causes of two families. */
const asked: unknown[] = []
const queries = {
  ...worldDeps({ clock }).queries,
  trends: async (select: { fromMs: number; toMs: number; stepMs: number }) => {
    asked.push(select)
    const points = (refused: number) =>
      Array.from({ length: 10 }, (_, at) => at)
        .filter((at) => at !== 3)
        .map((at) => ({
          time: formatInstant(minute(at)),
          requests: 100,
          payment_required: refused,
          ratio: refused / 100,
        }))
    return {
      from: '',
      to: '',
      step_ms: minuteMs,
      series: [
        { labels: { cause: 'quota_exceeded' }, points: points(7) },
        { labels: { cause: 'payment_failed' }, points: points(2) },
      ],
    }
  },
}

const chartOf = async (alert: Alert, query = `?from=${minute(0)}&step=1m`) => {
  client = await startServer({ clock, queries, alerts: () => [alert] })
  return (await client.ask(`/api/v1/alerts/${alert.fingerprint}/chart${query}`)).json
}

test('shows what the alert counts beside all refusals, with the band of its rule, and zeros where nothing was', async () => {
  const chart = await chartOf(worldAlert(clock))
  expect(chart.points).toHaveLength(10)
  expect(chart.points[0]).toEqual({
    ...{ time: formatInstant(minute(0)), observed: 7, payment_required: 9, requests: 100 },
    ...{ expected: 0.2, upper: 9.2 },
  })
  expect(chart.points[3]).toMatchObject({ observed: 0, requests: 0, expected: 0 })
  expect(chart).toMatchObject({
    rule: 'PaymentRefusalSpike',
    threshold: null,
    fired_at: formatInstant(noon - 41 * minuteMs),
  })
  expect(asked.at(-1)).toMatchObject({ tenant: 'acme', api: 'chat', by: ['cause'] })
})

test('counts a family where the alert is about one, and everything where it is about no cause', async () => {
  const labels = { tenant: 'acme', family: 'payment' }
  const family = await chartOf(worldAlert(clock, { labels, rule: 'Unknown' }))
  expect(family.points[0]).toMatchObject({ observed: 2, payment_required: 9 })
  await client?.close()
  const all = await chartOf(worldAlert(clock, { labels: { tenant: 'acme', api: 'chat' }, rule: 'PaymentRefusalsHigh' }))
  expect(all.points[0]).toMatchObject({ observed: 9 })
  expect(all.threshold).toEqual({ measure: 'ratio', side: 'above', bound: 0.2, window_ms: 300_000 })
})

test('begins an hour before the alert when nothing is said', async () => {
  await chartOf(worldAlert(clock), '')
  expect(asked.at(-1)).toMatchObject({ fromMs: noon - 102 * minuteMs, toMs: noon })
})

test('remembers an alert that only history knows', async () => {
  const row = {
    fingerprint: 'old',
    rule: 'Gone',
    severity: 'page',
    labels: { cause: 'payment_failed' },
    value: 1,
    summary: '',
  }
  const times = [minute(5), minute(1)].map(formatInstant)
  const alerts = async ({ fingerprint }: { fingerprint?: string }) => ({
    rows:
      fingerprint === 'old'
        ? [
            { ...row, time: times[0] ?? '', state: 'resolved' },
            { ...row, time: times[1] ?? '', state: 'firing' },
          ]
        : [],
  })
  client = await startServer({ clock, queries: { ...queries, alerts }, alerts: () => [] })
  const { json } = await client.ask('/api/v1/alerts/old/chart')
  expect(json).toMatchObject({ rule: 'Gone', fired_at: times[1], resolved_at: times[0] })
  expect(json.points.find(({ time }: { time: string }) => time === formatInstant(minute(0)))).toMatchObject({
    ...{ observed: 2, expected: null, upper: null },
  })
  expect((await client.ask('/api/v1/alerts/never/chart')).status).toBe(404)
})
