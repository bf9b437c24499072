import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { type BacktestArguments, backtestCommand } from '../../src/cli/backtest.ts'
import type { Queries, SeriesMinutes } from '../../src/history/query.ts'
import { Chance } from '../alert/simulation.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollwatch-backtest-'))
afterAll(() => rmSync(folder, { recursive: true }))

const hour = 3_600_000
const minute = 60_000
const now = Date.UTC(2026, 2, 5)
const start = now - 2 * 24 * hour
/** One hour in which half of acme's calls are refused. */
const incident = { fromMs: now - 6 * hour, toMs: now - 5 * hour }

const rule = (above: number) => `version: 1
groups:
  - name: g
    interval: 1m
    rules:
      - rule: ManyRefused
        group_by: [tenant]
        window: 5m
        condition: {type: threshold, measure: ratio, above: ${above}, min_total: 50, confidence: 0.9}
        for: 2m
        keep_firing_for: 5m
      - {rule: NeverSo, group_by: [tenant], window: 5m, condition: {type: threshold, measure: count, above: 100000}}
`
const file = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const strict = file('strict.rules.yaml', rule(0.2))
const loose = file('loose.rules.yaml', rule(0.9))
const notify = file(
  'notify.yaml',
  `route: {receiver: oncall, group_by: [tenant], group_wait: 30s, group_interval: 5m, repeat_interval: 20m}
receivers: [{name: oncall, slack_configs: [{api_url: '\${NOT_SET_HERE}'}]}]
`,
)

/** Two days of two tenants, 60 requests a minute each. */
function history(asked: unknown[] = []): Pick<Queries, 'minutes'> {
  return {
    minutes: async (select) => {
      asked.push(select)
      const chance = new Chance(select.fromMs / hour)
      const rows: SeriesMinutes[] = []
      for (const tenant of ['acme', 'globex']) {
        const minutes: number[] = []
        const refusedAt: number[] = []
        const refused: number[] = []
        for (let at = select.fromMs; at < select.toMs; at += minute) {
          if (at < start) continue
          const place = (at - select.fromMs) / minute
          minutes.push(place)
          const hit = tenant === 'acme' && at >= incident.fromMs && at < incident.toMs
          const count = hit ? 30 : chance.poisson(0.2)
          if (count === 0) continue
          refusedAt.push(place)
          refused.push(count)
        }
        rows.push({ tenant, api: 'chat', cause: '', minutes, counts: minutes.map(() => 60) })
        rows.push({ tenant, api: 'chat', cause: 'quota_exceeded', minutes: refusedAt, counts: refused })
      }
      return { complete: select.fromMs >= start, rows }
    },
  }
}

async function backtest(change: Partial<BacktestArguments> = {}, queries = history()) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const args: BacktestArguments = {
    ...{ rules: [strict], from: '-1d', to: 'now', warmUp: '12h', compare: [], sweep: [], format: 'json' },
    ...{ baselineSeriesLimit: 1_000, notify },
    ...change,
  }
  const code = await backtestCommand(args, queries as Queries, now, { stdin, stdout, stderr })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

describe('a backtest', () => {
  test('finds what would have fired, when, and for how long', async () => {
    const { code, out, err } = await backtest()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const report = JSON.parse(out)
    expect(report).toMatchObject({ from: '2026-03-04T00:00:00.000Z', complete: true, comparison: null })
    expect(report.candidates[0].rules).toMatchObject([
      { rule: 'ManyRefused', episodes: 1, series: 1, episodes_per_week: 7 },
      { rule: 'NeverSo', episodes: 0, top: [], busiest_hour: null },
    ])
    const [episode] = report.candidates[0].episodes
    const delay = (Date.parse(episode.fired) - incident.fromMs) / minute
    expect(delay).toBeGreaterThan(2)
    expect(delay).toBeLessThan(8)
    expect(Date.parse(episode.resolved) - incident.toMs).toBeGreaterThan(5 * minute)
    expect(episode.labels).toMatchObject({ tenant: 'acme' })
  })

  test('gives the same bytes for the same history', async () => {
    expect((await backtest()).out).toBe((await backtest()).out)
  })

  test('says how many messages each rule would have sent, and to whom', async () => {
    const [rules] = JSON.parse((await backtest()).out).candidates
    const way = { receiver: 'oncall', integration: 'oncall/slack/0' }
    // An hour with a reminder every twenty minutes, and the end.
    expect(rules.messages).toEqual([{ ...way, messages: 5, ends: 1 }])
    expect(rules.rules.map((one: { messages: unknown }) => one.messages)).toEqual([rules.messages, []])
    const { out } = await backtest({ format: 'table' })
    expect(out).toContain('messages after grouping: 5 to oncall (1 of them about an end)')
    expect((await backtest({ rules: [loose], format: 'table' })).out).toContain('\nno message\n')
  })

  test('refuses routes with problems', async () => {
    const bad = file('bad-notify.yaml', 'route: {receiver: nobody}\n')
    const { code, err } = await backtest({ notify: bad })
    expect({ code, err: err.includes('bad-notify.yaml:1') }).toEqual({ code: 2, err: true })
  })

  test('reads the warm-up first and leaves it out of the report', async () => {
    const asked: { fromMs: number; toMs: number }[] = []
    const { out } = await backtest({ from: '-4h' }, history(asked))
    expect(asked[0]).toEqual({ fromMs: now - 16 * hour, toMs: now - 15 * hour })
    expect(asked).toHaveLength(16)
    // The incident lies in the warm-up.
    expect(JSON.parse(out).candidates[0].episodes).toEqual([])
  })

  test('shows what a change of rules takes away', async () => {
    const { out } = await backtest({ rules: [loose], compare: [strict] })
    expect(JSON.parse(out).comparison).toMatchObject({
      same: 0,
      only_after: [],
      only_before: [{ rule: 'ManyRefused' }],
    })
    const table = await backtest({ rules: [loose], compare: [strict], format: 'table' })
    expect(table.out).toMatch(
      /beside --compare: 0 the same, 0 new, 1 gone\n {2}- \S+ ManyRefused tenant=acme \(\d+ min\)/,
    )
  })

  test('tries a rule with several values', async () => {
    const { out } = await backtest({ sweep: ['ManyRefused.condition.above=0.1,0.7'] })
    const fired = JSON.parse(out).candidates.map((one: { name: string; rules: { episodes: number }[] }) => [
      one.name,
      one.rules[0]?.episodes,
    ])
    expect(fired).toEqual([
      ['rules', 1],
      ['ManyRefused.condition.above=0.1', 1],
      ['ManyRefused.condition.above=0.7', 0],
    ])
  })

  test('says which known incidents it found', async () => {
    const incidents = file(
      'incidents.csv',
      `start,end,labels\n${incident.fromMs},${incident.toMs},tenant=acme\n2026-03-04T01:00:00Z,2026-03-04T02:00:00Z,\n`,
    )
    const { out } = await backtest({ incidents, format: 'table' })
    expect(out).toMatch(/1 of 2 incidents found, half of them within \d+ min\n {2}missed: line 3/)
    expect(out).toContain('100 % of 1 episodes belong to an incident')
  })

  test('fails a gate when a rule fires too often', async () => {
    expect(await backtest({ maxEpisodesPerWeek: '6' })).toMatchObject({
      code: 1,
      err: 'ManyRefused: 7.0 episodes a week are more than 6\n',
    })
    expect((await backtest({ maxEpisodesPerWeek: '7' })).code).toBe(0)
  })

  test('marks time that is older than the minute tier', async () => {
    const { err, out } = await backtest({ from: '-3d' })
    expect(err).toContain('older than the minute tier')
    expect(JSON.parse(out).complete).toBe(false)
  })

  test.each([
    [{ from: 'soon' }, '--from is no time'],
    [{ to: '-2d' }, '--to must be after --from'],
    [{ warmUp: 'x' }, '--warm-up is no duration'],
    [{ format: 'xml' }, '--format is table or json'],
    [{ maxEpisodesPerWeek: 'few' }, '--max-episodes-per-week is no number'],
    [{ incidents: '/nowhere.csv' }, 'cannot be read'],
  ])('refuses %j with the fix', async (change, message) => {
    await expect(backtest(change)).rejects.toThrow(message)
  })

  test('refuses rules with problems, each with its line', async () => {
    const bad = file('bad.rules.yaml', rule(0.2).replace('above', 'abov'))
    const { code, err } = await backtest({ rules: [bad] })
    expect({ code, err: err.includes('bad.rules.yaml:') }).toEqual({ code: 2, err: true })
  })
})
