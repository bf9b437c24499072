import { expect, test } from 'vitest'
import type { Alert } from '../../src/alert/alert.ts'
import { Backtest, type Episode } from '../../src/alert/backtest.ts'
import { RuleEngine } from '../../src/alert/engine.ts'
import { MinuteView } from '../../src/alert/minute-view.ts'
import type { Cause } from '../../src/classify/cause.ts'
import type { SeriesMinutes } from '../../src/history/query.ts'
import type { Range } from '../../src/history/range.ts'
import { MemoryState } from '../../src/history/state.ts'
import { Pipeline } from '../../src/pipeline.ts'
import type { Lane } from '../../src/source/source.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { sliceMs } from '../../src/window/view.ts'
import { Chance, rulesOf } from '../alert/simulation.ts'
import { encode, type PlainRecord, standardOptions } from '../pipeline/fake-world.ts'

const minute = 60_000
const start = Date.UTC(2026, 2, 2, 9)
const minutes = 300
const rules = rulesOf(
  `- rule: Spike
  group_by: [tenant, api, cause]
  window: 5m
  condition: {type: spike, false_alerts_per_week: 1}
  keep_firing_for: 5m
- rule: High
  group_by: [tenant]
  window: 5m
  condition: {type: threshold, measure: ratio, above: 0.2, recover: 0.1, min_total: 20, min_count: 5, confidence: 0.9}
  for: 2m
  keep_firing_for: 3m`,
  'interval: 1m',
)

/** Two tenants over five hours; one has an incident in the third hour, the other one in the last. */
function traffic(): PlainRecord[] {
  const chance = new Chance(7)
  const records: PlainRecord[] = []
  const incidents = [
    { tenant: 'acme', from: 130, to: 165, cause: 'payment_failed' as Cause },
    { tenant: 'globex', from: 260, to: 275, cause: 'quota_exceeded' as Cause },
  ]
  for (let at = 0; at < minutes; at++) {
    for (const tenant of ['acme', 'globex']) {
      const own = incidents.find((one) => one.tenant === tenant && at >= one.from && at < one.to)
      const count = 15 + chance.poisson(5)
      for (let k = 0; k < count; k++) {
        const t = start + at * minute + Math.floor(chance.uniform() * minute)
        const cause = chance.uniform() < (own === undefined ? 0.02 : 0.5) ? (own?.cause ?? 'quota_exceeded') : null
        records.push({ t, tenant, api: 'chat', ...(cause === null ? {} : { cause }) })
      }
    }
  }
  // The very first slice has a record, so that both sides begin at the same time.
  return [{ t: start, tenant: 'acme', api: 'chat' }, ...records.sort((a, b) => a.t - b.t)]
}

/** Runs the records through the real pipeline and the real engine, and keeps what history was given. */
async function live(records: readonly PlainRecord[]): Promise<{ alerts: Alert[]; landed: Range[]; endMs: number }> {
  const engine = new RuleEngine(rules, { baselineSeriesLimit: 1_000 })
  const alerts = new Map<string, Alert>()
  const landed: Range[] = []
  let endMs = start
  const clock = new ManualClock(start)
  const pipeline = new Pipeline({
    ...{ ...standardOptions, lifetime: new Lifetime(100), clock },
    history: {
      state: new MemoryState(),
      land: async (range) => void landed.push(range),
      position: async () => null,
      holds: async () => false,
      windowRows: async () => [],
    },
    onSlice: (atMs, view) => {
      for (const { alert } of engine.step(atMs, view)) {
        if (alert.firedAtMs !== null) alerts.set(alert.episode, alert)
      }
      endMs = atMs
    },
  })
  const lane: Lane = {
    ...{ source: 'simulated', partition: 0, label: 'simulated/0', format: null, earliest: 0, initial: 0 },
    ...{ latest: records.length, coordinator: { read: async () => null, commit: async () => 'committed' as const } },
    ...{ pause() {}, resume() {}, lag: () => 0 },
  }
  const consumer = pipeline.consumer()
  await consumer.assigned([lane])
  for (let at = 0; at < records.length; at += 200) {
    const values = records.slice(at, at + 200).map((record, i) => {
      return { offset: at + i, bytes: encode(record), arrivedMs: record.t }
    })
    await consumer.take(lane, { lo: at, hi: at + values.length - 1, values })
    pipeline.tick()
    await clock.advance(1_000)
  }
  const drained = pipeline.drain()
  await clock.advance(10_000)
  await drained
  return { alerts: [...alerts.values()], landed, endMs }
}

/** The minute tier as the rollups make it. */
function minuteTier(landed: readonly Range[], fromMs: number, length: number): SeriesMinutes[] {
  const series = new Map<string, Map<number, number>>()
  for (const row of landed.flatMap(({ rollups }) => rollups)) {
    const at = Math.floor((row.slice * sliceMs - fromMs) / minute)
    if (at < 0 || at >= length) continue
    const key = JSON.stringify([row.tenant, row.api, row.cause])
    const counts = series.get(key) ?? new Map<number, number>()
    series.set(key, counts.set(at, (counts.get(at) ?? 0) + row.requests + row.paymentRequired))
  }
  return [...series].map(([key, counts]) => {
    const [tenant = '', api = '', cause = ''] = JSON.parse(key) as string[]
    const sorted = [...counts].sort(([a], [b]) => a - b)
    return { tenant, api, cause, minutes: sorted.map(([at]) => at), counts: sorted.map(([, count]) => count) }
  })
}

const shown = (
  one: Pick<Episode, 'rule' | 'labels' | 'activeAtMs' | 'firedAtMs' | 'resolvedAtMs'> & { refused: number },
) => ({
  ...{ rule: one.rule, labels: one.labels, refused: one.refused },
  active: (one.activeAtMs - start) / minute,
  fired: (one.firedAtMs - start) / minute,
  resolved: one.resolvedAtMs === null ? null : (one.resolvedAtMs - start) / minute,
})

test('a backtest of what history took gives the episodes that were lived through', async () => {
  const { alerts, landed, endMs } = await live(traffic())
  const view = new MinuteView(start)
  const backtest = new Backtest(rules, { reportFromMs: start, baselineSeriesLimit: 1_000 })
  const length = Math.floor((endMs - start) / minute)
  expect(length).toBeGreaterThan(minutes - 3)
  for (let at = 0; at < length; at += 60) {
    const span = Math.min(60, length - at)
    await view.take(minuteTier(landed, start + at * minute, span), span, () => backtest.step(view))
  }
  const lived = alerts.map((alert) => {
    return shown({ ...alert, firedAtMs: alert.firedAtMs ?? 0, refused: alert.numbers.soFar })
  })
  expect(backtest.episodes().map(shown)).toEqual(lived)
  expect(lived.map(({ rule }) => rule).sort()).toEqual(['High', 'High', 'Spike', 'Spike'])
})
