import { describe, expect, test } from 'vitest'
import type { Alert } from '../../src/alert/alert.ts'
import type { Delivery, PostedAlert, Receiver } from '../../src/notify/receiver.ts'
import { failed } from '../../src/notify/receiver.ts'
import { alertOf, type Desk, desk, eleven, firing, hour, minute, resolved, routingOf } from './sample.ts'

/*
 * The behaviour that Prometheus' alert generator compliance specification asks of a sender, point by point: nothing is
 * sent while pending, at once when firing, again after each resend delay, with an end four times the longer of resend
 * delay and interval ahead, and the end at once and for fifteen minutes.
 */

const routing = routingOf(`
route:
  receiver: am
  group_wait: 5m
  routes:
    - {matchers: ['team="x"'], receiver: am, continue: true}
    - {matchers: ['team="x"'], receiver: am, group_by: [team]}
receivers: [{name: am, alertmanager_configs: [{urls: ['http://am-1.example.com', 'http://am-2.example.com']}]}]
`)

interface Post {
  readonly member: number
  readonly at: number
  readonly alerts: readonly PostedAlert[]
}

/** Two members of a cluster on the desk's clock. */
async function cluster(given: Parameters<typeof desk>[1] = {}) {
  const posts: Post[] = []
  const answers = new Map<number, Delivery>()
  let now = () => eleven
  const target = (member: number) => ({
    post: async (alerts: readonly PostedAlert[]): Promise<Delivery> => {
      posts.push({ member, at: now() - eleven, alerts })
      return answers.get(member) ?? { kind: 'sent' }
    },
  })
  const none: Receiver = { deliver: async () => ({ kind: 'sent' }), close: async () => {} }
  const receivers = new Map([...routing.receivers.values()].flat().map(({ key }) => [key, none]))
  receivers.set('am/alertmanager/0', { ...none, targets: [target(1), target(2)] })
  const at: Desk = await desk(routing, { ...given, receivers })
  now = () => at.clock.now()
  const of = (member: number) =>
    posts
      .filter((post) => post.member === member)
      .flatMap((post) =>
        post.alerts.map(({ alert, endsAtMs }) => ({
          at: post.at / 1_000,
          alert,
          endsIn: (endsAtMs - eleven - post.at) / 1_000,
        })),
      )
  return { at, of, posts, answers }
}

const times = (list: readonly { at: number }[]) => list.map(({ at }) => at)

test('a pending alert is never sent', async () => {
  const { at, posts } = await cluster()
  await at.dispatcher.accept([{ from: 'inactive', alert: { ...alertOf(), state: 'pending', firedAtMs: null } }])
  await at.pass(10 * minute)
  expect(posts).toEqual([])
})

test('a firing alert is sent at once, past group_wait, and again after each resend delay, to every member', async () => {
  const { at, of } = await cluster()
  await at.dispatcher.accept([firing(alertOf())])
  await at.pass(3 * minute + 5_000)
  expect(times(of(1))).toEqual([1, 61, 121, 181])
  expect(of(2)).toEqual(of(1))
  const [first] = of(1)
  expect(first?.alert).toMatchObject({
    status: 'firing',
    startsAtMs: eleven - 3 * minute,
    labels: { alertname: 'QuotaExhaustionSpike', severity: 'page', tenant: 'acme' },
  })
})

test('its end is four times the longer of resend delay and interval ahead', async () => {
  const { at, of } = await cluster()
  await at.dispatcher.accept([firing(alertOf())])
  await at.pass(minute + 5_000)
  expect(of(1).map(({ endsIn }) => endsIn)).toEqual([240, 240])
})

test('the end is sent at once and repeated for fifteen minutes, then no more', async () => {
  const { at, of } = await cluster()
  await at.dispatcher.accept([firing(alertOf())])
  await at.pass(30_000)
  await at.dispatcher.accept([resolved(alertOf(), eleven + 25_000)])
  await at.pass(20 * minute)
  const ends = of(1).filter(({ alert }) => alert.status === 'resolved')
  expect(times(ends)).toEqual(Array.from({ length: 15 }, (_, i) => 31 + 60 * i))
  expect(new Set(ends.map(({ at: sent, endsIn }) => sent + endsIn))).toEqual(new Set([25]))
  await at.pass(hour)
  expect(at.dispatcher.status().alerts).toBe(0)
})

test('an alert that fires again while its end is repeated is a new one, and the end is not sent on', async () => {
  const { at, of } = await cluster()
  const next = alertOf({ activeAtMs: eleven + 2 * minute, evaluatedAtMs: eleven + 2 * minute })
  await at.dispatcher.accept([firing(alertOf())])
  await at.pass(minute)
  await at.dispatcher.accept([resolved(alertOf(), eleven + minute)])
  await at.pass(minute)
  await at.dispatcher.accept([firing(next)])
  await at.pass(5 * minute)
  const later = of(1).filter(({ at: sent }) => sent > 120)
  expect(new Set(later.map(({ alert }) => `${alert.status} ${alert.startsAtMs - eleven}`))).toEqual(
    new Set(['firing 120000']),
  )
})

test('an alert in several groups is sent once', async () => {
  const { at, posts } = await cluster()
  await at.dispatcher.accept([firing(alertOf({ labels: { team: 'x' } }))])
  await at.pass(2_000)
  expect(posts.map(({ alerts }) => alerts.length)).toEqual([1, 1])
})

test('another severity is another alert: the former is ended when the new one is sent', async () => {
  const { at, of } = await cluster()
  const ticket = alertOf({ severity: 'ticket' })
  await at.dispatcher.accept([firing(ticket)])
  await at.pass(10_000)
  const page: Alert = { ...ticket, severity: 'page', evaluatedAtMs: eleven + 10_000 }
  await at.dispatcher.accept([{ from: 'firing', alert: page }])
  await at.pass(5_000)
  const sent = of(1).map(({ alert }) => `${alert.status} ${alert.labels['severity']}`)
  expect(sent[0]).toBe('firing ticket')
  expect(sent.slice(1).sort()).toEqual(['firing page', 'resolved ticket'])
})

describe('a silence', () => {
  const asked = { matchers: ['tenant="acme"'], createdBy: 'anna', comment: 'x' }

  test('holds back what was not sent, and what was sent goes on until its end', async () => {
    const { at, of } = await cluster()
    await at.dispatcher.accept([firing(alertOf())])
    await at.pass(10_000)
    await at.silences.add({ ...asked, startsAtMs: at.clock.now(), endsAtMs: at.clock.now() + 10 * minute })
    const other = alertOf({ labels: { tenant: 'acme', api: 'search' } })
    await at.dispatcher.accept([firing(other)])
    await at.pass(2 * minute)
    expect(new Set(of(1).map(({ alert }) => alert.labels['api']))).toEqual(new Set(['chat']))
    expect(of(1)).toHaveLength(3)
    await at.pass(9 * minute)
    expect(of(1).filter(({ alert }) => alert.labels['api'] === 'search').length).toBeGreaterThan(0)
  })
})

test('a member that fails is tried soon and by itself, and then told everything', async () => {
  const { at, of, answers } = await cluster()
  answers.set(2, failed('connection', 'ECONNREFUSED'))
  await at.dispatcher.accept([firing(alertOf())])
  await at.pass(50_000)
  expect(times(of(1))).toEqual([1])
  expect(times(of(2))).toEqual([1, 6, 16, 36])
  expect(at.dispatcher.status().failing, 'the cluster lives while one member does').toEqual([])
  answers.delete(2)
  await at.pass(5 * minute)
  expect(of(2).length).toBeGreaterThanOrEqual(8)
})

test('a cluster that takes nothing for ten minutes is told of elsewhere', async () => {
  const { at, answers } = await cluster()
  answers.set(1, failed('server-error', 'HTTP 500'))
  answers.set(2, failed('server-error', 'HTTP 500'))
  await at.dispatcher.accept([firing(alertOf())])
  await at.pass(12 * minute)
  expect(at.dispatcher.status().failing).toEqual(['am/alertmanager/0'])
})

test('after a restart everything that stands is sent at once, ends too, and nothing is forgotten', async () => {
  const first = await cluster()
  const other = alertOf({ labels: { tenant: 'birch', api: 'chat' } })
  await first.at.dispatcher.accept([firing(alertOf()), firing(other)])
  await first.at.pass(10_000)
  await first.at.dispatcher.accept([resolved(other, eleven + 10_000)])
  await first.at.pass(10_000)
  const { at, of } = await cluster({ store: first.at.store, clock: first.at.clock })
  await at.pass(2_000)
  expect(
    of(1)
      .map(({ alert }) => `${alert.labels['tenant']} ${alert.status}`)
      .sort(),
  ).toEqual(['acme firing', 'birch resolved'])
})

test('ten thousand alerts go out in batches, each once a minute', async () => {
  const { at, of, posts } = await cluster()
  const alerts = Array.from({ length: 10_000 }, (_, i) =>
    alertOf({ labels: { tenant: `t${i}` }, fingerprint: `fp${i}` }),
  )
  await at.dispatcher.accept(alerts.map(firing))
  await at.pass(3_000)
  expect(new Set(of(1).map(({ alert }) => alert.fingerprint)).size).toBe(10_000)
  expect(of(1)).toHaveLength(10_000)
  expect(Math.max(...posts.map((post) => post.alerts.length))).toBe(256)
})
