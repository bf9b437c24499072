import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { type WhyNotArguments, whyNotCommand } from '../../src/cli/why-not.ts'
import type { Queries } from '../../src/history/query.ts'
import { Chance, rulesOf } from '../alert/simulation.ts'
import { routingOf } from '../notify/sample.ts'

const minute = 60_000
const now = Date.UTC(2026, 2, 5, 12)
const rules = rulesOf(
  `- rule: Share
  group_by: [tenant]
  window: 5m
  condition: {type: threshold, measure: ratio, above: 0.2, min_total: 50, min_count: 20}
  for: 5m
- rule: Spike
  group_by: [tenant, api, cause]
  matchers: ['family="payment"']
  window: 5m
  condition: {type: spike, min_count: 5, min_ratio: 2}
  severity: page
- rule: Fleet
  group_by: [cause]
  window: 5m
  condition: {type: threshold, measure: count, above: 100}
  severity: page
- rule: Tried
  group_by: [tenant]
  window: 5m
  condition: {type: threshold, measure: count, above: 20}
  mode: shadow`,
  'interval: 1m',
)
const routing = routingOf(`
route: {receiver: log, group_by: [rule, tenant], group_wait: 30s}
inhibit_rules:
  - {name: the fleet first, source_matchers: ['rule="Fleet"'], target_matchers: ['rule="Spike"'], equal: [cause]}
`)

/** acme has 20 requests a minute and, in the last quarter of an hour, ever more refusals for payment. */
const history: Pick<Queries, 'minutes'> = {
  minutes: async ({ fromMs, toMs }) => {
    const chance = new Chance(fromMs / minute)
    const all = Array.from({ length: (toMs - fromMs) / minute }, (_, place) => place)
    const ago = (place: number) => (now - fromMs) / minute - place
    const refused = (most: number) => all.map((place) => (ago(place) <= 15 ? most : chance.poisson(0.1)))
    const rows = [
      { tenant: 'acme', cause: '', counts: all.map(() => 20) },
      { tenant: 'acme', cause: 'payment_failed', counts: refused(3) },
      { tenant: 'globex', cause: '', counts: all.map(() => 40) },
      { tenant: 'globex', cause: 'insufficient_funds', counts: refused(30) },
    ]
    return {
      complete: true,
      rows: rows.map(({ counts, ...row }) => {
        const minutes = all.filter((place) => (counts[place] ?? 0) > 0)
        return { ...row, api: 'chat', minutes, counts: minutes.map((place) => counts[place] ?? 0) }
      }),
    }
  },
}

async function whyNot(change: Partial<WhyNotArguments>) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const args: WhyNotArguments = {
    ...{ rules, rule: 'Share', labels: '', atMs: now, routing, silences: [], json: false },
    ...{ warmUpMs: 3 * 60 * minute, baselineSeriesLimit: 100, ...change },
  }
  const code = await whyNotCommand(args, { queries: history, terminal: { stdin, stdout, stderr } })
  return { code, lines: String(stdout.read()).split('\n') }
}

describe('why-not', () => {
  test('names the gates that were passed and the ones that were not', async () => {
    const { code, lines } = await whyNot({ labels: 'tenant=acme' })
    expect(code).toBe(0)
    expect(lines.slice(0, 8)).toEqual([
      'Share {tenant=acme} at 2026-03-05T12:00:00.000Z',
      expect.stringMatching(/^No alert: ratio above 20\.0 %: 15\.0 %; at least 20 refusals: 15; with 99 % confidence/),
      '',
      'tenant=acme: inactive',
      '  FAILED  ratio above 20.0 %: 15.0 %',
      '  FAILED  at least 20 refusals: 15',
      '  passed  at least 50 requests: 100',
      expect.stringMatching(/^ {2}FAILED {2}with 99 % confidence above 20\.0 %: at least/),
    ])
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}11:51 {2}acme: 15 of 100 in 5 min, 20 expected; inactive; fails: /),
    )
  })

  test('shows of a spike what is usual and how unlikely it is, and says when an alert was told', async () => {
    const { lines } = await whyNot({ rule: 'Spike', labels: 'tenant=acme,cause=payment_failed' })
    expect(lines[1]).toBe('It fires, and was told.')
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}passed {2}in 5 min: at least 2 times the usual 0\.\d: 15$/),
    )
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}2026-03-05T11:4\d:00.000Z firing tenant=acme api=chat/))
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}the first route sends to log .*: told as page; its next reminder/),
    )
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}2026-.* message to log \(log\/log\/0\), "\[PAGE\] acme .*: delivered at/),
    )
  })

  test('says what held an alert back: an inhibition, a silence, a trial', async () => {
    const inhibited = await whyNot({ rule: 'Spike', labels: 'tenant=globex' })
    expect(inhibited.lines[1]).toBe('It fires, and is held back by inhibition the fleet first.')
    const silence = { id: 's1', matchers: ['tenant="acme"'], startsAtMs: now - 60 * minute, endsAtMs: now + minute }
    const silences = [{ ...silence, createdBy: 'ann', comment: 'known' }]
    const silenced = await whyNot({ rule: 'Spike', labels: 'tenant=acme', silences })
    expect(silenced.lines[1]).toBe('It fires, and is held back by silence s1.')
    const tried = await whyNot({ rule: 'Tried', labels: 'tenant=globex' })
    expect(tried.lines[1]).toBe('It fires, and nobody is told: the rule is on trial.')
  })

  test('says how long it must still hold', async () => {
    const { lines } = await whyNot({ labels: 'tenant=globex', atMs: now - 12 * minute })
    expect(lines[1]).toMatch(/^Not yet: its condition holds, and must hold longer \(for 5m: held for \dm\)\.$/)
  })

  test('says when the rule cannot see what is asked for', async () => {
    const { lines } = await whyNot({ rule: 'Spike', labels: 'tenant=acme,cause=quota_exceeded' })
    expect(lines.slice(1, 3)).toEqual([
      'No alert: Spike had no such series in its windows.',
      'Spike looks only at family="payment"',
    ])
    const apart = await whyNot({ labels: 'tenant=acme,api=chat' })
    expect(apart.lines[2]).toBe('Share does not tell series apart by api, but by tenant; api is passed over')
    const nobody = await whyNot({ labels: 'tenant=amce' })
    expect(nobody.lines[1]).toMatch(/no such series in its windows \(is the tenant spelt right\?\)/)
  })

  test('gives the same as JSON', async () => {
    const { lines } = await whyNot({ labels: 'tenant=acme', json: true })
    expect(JSON.parse(lines.join('\n'))).toMatchObject({
      ...{ rule: 'Share', labels: { tenant: 'acme' }, misfits: [], verdict: expect.stringMatching(/^No alert/) },
      series: [
        { state: 'inactive', observed: 15, requests: 100, gates: [{ passed: false }, {}, { passed: true }, {}, {}] },
      ],
    })
  })

  test.each([
    [{ rule: 'Nope' }, /there is no rule Nope; there are: Share, Spike, Fleet, Tried/],
    [{ labels: 'acme' }, /"acme" is no label; write tenant=acme/],
  ])('refuses %j', async (change, message) => {
    await expect(whyNot(change)).rejects.toThrow(message)
  })
})
