import { afterEach, describe, expect, test } from 'vitest'
import { ruleSentence } from '../../../src/http/api/rule-sentence.ts'
import { ManualClock } from '../../../src/time/clock.ts'
import { hourMs, minuteMs } from '../../../src/time/duration.ts'
import { formatInstant } from '../../../src/time/instant.ts'
import { rulesOf } from '../../alert/simulation.ts'
import { type Client, startServer } from '../support/client.ts'
import { noon, worldDeps } from '../support/world.ts'

let client: Client | undefined
afterEach(() => client?.close())

const clock = new ManualClock(noon)

test('lists the rules that run, with a sentence for each and when it fired last', async () => {
  client = await startServer({ clock })
  const { json } = await client.ask('/api/v1/rules')
  const names = json.rules.map(({ name }: { name: string }) => name)
  expect(names).toContain('PaymentRefusalSpike')
  const [spike] = json.rules
  expect(spike).toMatchObject({
    ...{ name: 'PaymentRefusalSpike', type: 'spike', severity: 'page', mode: 'live', window: '5m', for: '0s' },
    ...{ group_by: ['tenant', 'api', 'cause'], file: 'starter.rules.yaml', group: 'spikes', firing: 1, pending: 0 },
    last_fired: formatInstant(noon - 41 * minuteMs),
  })
  expect(spike.expr_text).toMatch(/^For each tenant, api and cause with family="payment": refusals in 5 min or 1 h/)
  for (const { expr_text } of json.rules) expect(expr_text).toMatch(/^[A-Z].{20,}\.$/)
})

test.each([
  [
    'condition: {type: spike, false_alerts_per_week: 1, min_count: 5, min_ratio: 2}',
    'refusals in 5 min or 1 h far above what is normal there, at least 5 and 2 times as many (1 false alerts a week, over all series).',
  ],
  [
    'for: 5m\n  condition: {type: threshold, measure: ratio, above: 0.2, min_total: 50, min_count: 20}',
    'at least 20 refusals in 5 min, above 20 % of at least 50 requests, for 5 min.',
  ],
  [
    'group_by: [tenant, quota]\n  condition: {type: quota_forecast, levels: {info: 0.9}, forecast: {within: 24h, probability: 0.8}}',
    'a quota used to 90 % (info) or a chance of 80 % that it runs out within 1 d.',
  ],
  [
    'group_by: [topic]\n  condition: {type: stalled_input, watermark_age: 5m}',
    'For each topic: the log input is older than 5 min.',
  ],
])('says in a sentence when a rule fires: %s', (text, sentence) => {
  const [rule] = rulesOf(`\n- rule: R\n  ${text}\n`)
  if (rule === undefined) throw new Error('there is a rule')
  expect(ruleSentence(rule)).toContain(sentence)
})

describe('POST /api/v1/rules/backtest', () => {
  const headers = { 'content-type': 'application/json' }
  const minutesAsked: number[] = []
  /** An hour of history in which acme is refused from its half on. */
  const queries = {
    ...worldDeps({ clock }).queries,
    minutes: async ({ fromMs, toMs }: { fromMs: number; toMs: number }) => {
      minutesAsked.push(fromMs)
      const length = (toMs - fromMs) / minuteMs
      const minutes = Array.from({ length }, (_, at) => at)
      const since = fromMs < noon - hourMs ? length : length / 2
      const late = minutes.filter((at) => at >= since)
      const series = { tenant: 'acme', api: 'chat' }
      return {
        complete: true,
        rows: [
          { ...series, cause: '', minutes, counts: minutes.map(() => 100) },
          { ...series, cause: 'quota_exceeded', minutes: late, counts: late.map(() => 60) },
        ],
      }
    },
  }
  const backtest = (body: object) =>
    client?.ask('/api/v1/rules/backtest', { method: 'POST', headers, body: JSON.stringify(body) })
  const high = `
version: 1
groups:
  - name: g
    rules:
      - rule: High
        group_by: [tenant, api]
        condition: {type: threshold, measure: ratio, above: 0.3, min_total: 10, min_count: 1}
`

  test('says how often a rule would have fired, and notes who asked', async () => {
    client = await startServer({ clock, queries })
    const answer = await backtest({ yaml: high, from: '-1h' })
    expect(answer?.status).toBe(200)
    expect(answer?.json).toMatchObject({ fired: 1, series: 1, complete: true, warnings: [] })
    const [episode] = answer?.json.episodes ?? []
    expect(episode).toMatchObject({ labels: { tenant: 'acme', api: 'chat' }, ended: null, peak: 300 })
    expect(Date.parse(episode.started)).toBeGreaterThan(noon - 30 * minuteMs)
    expect(Date.parse(episode.started)).toBeLessThan(noon - 25 * minuteMs)
    expect(episode.observed).toBeGreaterThan(100)
    // An hour before the span teaches the rule what it must know.
    expect(Math.min(...minutesAsked)).toBe(noon - 2 * hourMs)
    const { rows } = (await client.ask('/api/v1/audit')).json
    expect(rows).toMatchObject([{ who: 'loopback', what: 'backtest', result: 'done' }])
  })

  test('tries a rule that runs by its name', async () => {
    client = await startServer({ clock, queries })
    expect((await backtest({ rule: 'PaymentRefusalsHigh', from: '-1h' }))?.json).toMatchObject({ fired: 1 })
  })

  test.each([
    [{ rule: 'Nothing' }, 'rule'],
    [{}, 'rule'],
    [{ rule: 'PaymentRefusalsHigh', yaml: high }, 'rule'],
    [{ yaml: 'version: 1\ngroups: []\n' }, 'yaml'],
    [{ yaml: high.replace('threshold', 'thresh') }, 'yaml'],
    [{ yaml: `${high}        matchers: ['tenant=~"(a+)+b"']\n` }, 'yaml'],
    [{ yaml: ': : :' }, 'yaml'],
    [{ rule: 'PaymentRefusalsHigh', from: '-40d' }, 'to'],
    [{ rule: 'PaymentRefusalsHigh', from: 'soon' }, 'from'],
    [{ rule: 'PaymentRefusalsHigh', sweep: 1 }, 'sweep'],
  ])('refuses %j and names %s', async (body, parameter) => {
    client = await startServer({ clock, queries })
    const answer = await backtest(body)
    expect(answer?.status).toBe(400)
    expect(answer?.json.errors[0].parameter).toBe(parameter)
  })

  test('runs one at a time', async () => {
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    let begun = (): void => {}
    const start = new Promise<void>((resolve) => {
      begun = resolve
    })
    const slow = {
      ...queries,
      minutes: async () => {
        begun()
        await gate
        return { complete: true, rows: [] }
      },
    }
    client = await startServer({ clock, queries: slow })
    const first = backtest({ rule: 'PaymentRefusalsHigh', from: '-1h' })
    await start
    const second = await backtest({ rule: 'PaymentRefusalsHigh', from: '-1h' })
    expect([second?.status, second?.headers['retry-after']]).toEqual([429, '5'])
    go()
    expect((await first)?.status).toBe(200)
    expect((await backtest({ rule: 'PaymentRefusalsHigh', from: '-1h' }))?.status).toBe(200)
  })

  test('ends after some seconds and says how far it came', async () => {
    const running = new ManualClock(noon)
    const slow = {
      ...queries,
      minutes: async () => {
        await running.advance(9_000)
        return { complete: true, rows: [] }
      },
    }
    client = await startServer({ clock: running, queries: slow })
    const answer = await backtest({ rule: 'PaymentRefusalsHigh', from: '-10h' })
    expect(answer?.json.complete).toBe(false)
    expect(answer?.json.warnings).toEqual([
      expect.stringMatching(/^judged up to 2026-05-01T04:00:00\.000Z only: 20 s are over/),
    ])
  })
})
