import { describe, expect, test } from 'vitest'
import { failed } from '../../src/notify/receiver.ts'
import { alertOf, desk, eleven, firing, hour, minute, resolved, routingOf } from './sample.ts'

const toLog = routingOf('route: {receiver: log}')

function tenant(name: string, change: Parameters<typeof alertOf>[0] = {}) {
  return alertOf({ labels: { tenant: name, api: 'chat', cause: 'quota_exceeded' }, ...change })
}

describe('timers', () => {
  test('the first alert of a group waits group_wait for company', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog)
    await dispatcher.accept([firing(alertOf())])
    await pass(29_000)
    expect(inbox.got).toHaveLength(0)
    await dispatcher.accept([firing(alertOf({ labels: { tenant: 'acme', api: 'search', cause: 'quota_exceeded' } }))])
    await pass(1_000)
    expect(inbox.got).toHaveLength(1)
    expect(inbox.got[0]?.message.others).toHaveLength(1)
  })

  test('news of a group that was told wait for group_interval', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog)
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    await dispatcher.accept([firing(alertOf({ labels: { tenant: 'acme', api: 'search', cause: 'quota_exceeded' } }))])
    await pass(4 * minute + 20_000)
    expect(inbox.got).toHaveLength(1)
    await pass(10_000)
    expect(inbox.got).toHaveLength(2)
  })

  test('a reminder comes repeat_interval after the last send and counts from nothing else', async () => {
    const { dispatcher, inbox, pass, clock } = await desk(
      routingOf('route: {receiver: log, group_wait: 0s, group_interval: 5m, repeat_interval: 7m}'),
    )
    await dispatcher.accept([firing(alertOf())])
    await pass(1_000)
    const first = clock.now()
    await pass(14 * minute)
    expect(inbox.got.map(({ at }) => at - first)).toEqual([0, 7 * minute, 14 * minute])
    expect(inbox.got[1]?.message.sentences[0]).toContain('is still firing')
  })

  test('repeat_interval never sends no reminder', async () => {
    const { dispatcher, inbox, pass } = await desk(
      routingOf('route: {receiver: log, group_wait: 0s, group_interval: 1m, repeat_interval: never}'),
    )
    await dispatcher.accept([firing(alertOf())])
    await pass(30 * minute)
    expect(inbox.got).toHaveLength(1)
  })

  test('an alert that becomes more severe is told at once', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog)
    const ticket = alertOf({ severity: 'ticket' })
    await dispatcher.accept([firing(ticket)])
    await pass(minute)
    await dispatcher.accept([
      { from: 'firing', alert: { ...ticket, severity: 'page', evaluatedAtMs: eleven + minute } },
    ])
    await pass(1_000)
    expect(inbox.subjects().map((subject) => subject.slice(0, 8))).toEqual(['[TICKET]', '[PAGE] a'])
  })

  test('an alert that becomes less severe is not told for that', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog)
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    await dispatcher.accept([
      { from: 'firing', alert: { ...alertOf(), severity: 'info', evaluatedAtMs: eleven + minute } },
    ])
    await pass(10 * minute)
    expect(inbox.got).toHaveLength(1)
  })
})

describe('resolving', () => {
  test('the end follows the start, under the same subject and in the same thread', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog)
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    await dispatcher.accept([resolved(alertOf({ numbers: { observed: 2, soFar: 1_312 } }), eleven + 20 * minute)])
    await pass(5 * minute)
    expect(inbox.subjects()).toEqual([
      '[PAGE] acme / chat: quota exceeded, 27x normal (60 in 5 min)',
      '[RESOLVED] acme / chat: quota exceeded, 27x normal (60 in 5 min)',
    ])
    expect(inbox.got[0]?.message.thread).toBe(inbox.got[1]?.message.thread)
    expect(inbox.got[0]?.message.id).not.toBe(inbox.got[1]?.message.id)
  })

  test('an episode that is over before group_wait ends is told of once, as resolved', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog)
    await dispatcher.accept([firing(alertOf()), resolved(alertOf(), eleven + 5_000)])
    await pass(10 * minute)
    expect(inbox.got.map(({ message }) => message.status)).toEqual(['resolved'])
  })

  test('the next episode begins a thread of its own', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog)
    const next = alertOf({ activeAtMs: eleven + 8 * minute, evaluatedAtMs: eleven + 8 * minute })
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    await dispatcher.accept([resolved(alertOf(), eleven + minute)])
    await pass(6 * minute)
    await dispatcher.accept([firing(next)])
    await pass(minute)
    expect(inbox.got.map(({ message }) => message.status)).toEqual(['firing', 'resolved', 'firing'])
    expect(new Set(inbox.got.map(({ message }) => message.thread)).size).toBe(2)
    expect(new Set(inbox.got.map(({ message }) => message.id)).size).toBe(3)
  })

  test('a new episode ends the last one whose end never came', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog)
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    await dispatcher.accept([
      firing(alertOf({ activeAtMs: eleven + 10 * minute, evaluatedAtMs: eleven + 11 * minute })),
    ])
    await pass(10 * minute)
    const last = inbox.got.at(-1)?.message
    expect(last?.status).toBe('firing')
    expect(last?.others[0]).toContain('✔')
  })

  test('the same changes a second time change nothing', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog)
    const start = firing(alertOf())
    const end = resolved(alertOf(), eleven + minute)
    await dispatcher.accept([start])
    await dispatcher.accept([start])
    await pass(minute)
    await dispatcher.accept([start, end])
    await pass(6 * minute)
    await dispatcher.accept([start, end])
    await pass(10 * minute)
    expect(inbox.got.map(({ message }) => message.status)).toEqual(['firing', 'resolved'])
  })
})

describe('silences', () => {
  const silence = { matchers: ['tenant="acme"'], createdBy: 'anna', comment: 'billing run' }

  test('mute new alerts, which are told of when the silence ends before they do', async () => {
    const { dispatcher, inbox, pass, silences } = await desk(toLog)
    await silences.add({ ...silence, startsAtMs: eleven, endsAtMs: eleven + 10 * minute })
    await dispatcher.accept([firing(alertOf()), firing(tenant('birch'))])
    await pass(9 * minute)
    expect(inbox.subjects()).toEqual(['[PAGE] birch / chat: quota exceeded, 27x normal (60 in 5 min)'])
    await pass(minute + 6_000)
    expect(inbox.subjects()).toHaveLength(2)
  })

  test('never hide the end of what was announced', async () => {
    const { dispatcher, inbox, pass, silences } = await desk(toLog)
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    await silences.add({ ...silence, startsAtMs: eleven, endsAtMs: eleven + 10 * hour })
    await dispatcher.accept([resolved(alertOf(), eleven + 2 * minute)])
    await pass(6 * minute)
    expect(inbox.got.map(({ message }) => message.status)).toEqual(['firing', 'resolved'])
  })

  test('leave no message at all of an episode that was silenced from start to end', async () => {
    const { dispatcher, inbox, pass, silences } = await desk(toLog)
    await silences.add({ ...silence, startsAtMs: eleven, endsAtMs: eleven + 5 * minute })
    await dispatcher.accept([firing(alertOf())])
    await pass(4 * minute)
    await dispatcher.accept([resolved(alertOf(), eleven + 4 * minute)])
    await pass(hour)
    expect(inbox.got).toHaveLength(0)
  })

  test('leave none either when the silence ends between the end and the message about it', async () => {
    const { dispatcher, inbox, pass, silences } = await desk(toLog)
    await silences.add({ ...silence, startsAtMs: eleven, endsAtMs: eleven + 20_000 })
    await dispatcher.accept([firing(alertOf())])
    await pass(10_000)
    await dispatcher.accept([resolved(alertOf(), eleven + 10_000)])
    await pass(10 * minute)
    expect(inbox.got).toHaveLength(0)
  })

  test('stop reminders', async () => {
    const { dispatcher, inbox, pass, silences } = await desk(
      routingOf('route: {receiver: log, group_wait: 0s, group_interval: 1m, repeat_interval: 5m}'),
    )
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    await silences.add({ ...silence, startsAtMs: eleven, endsAtMs: eleven + 30 * minute })
    await pass(28 * minute)
    expect(inbox.got).toHaveLength(1)
    await pass(2 * minute)
    expect(inbox.got).toHaveLength(2)
  })
})

describe('inhibition', () => {
  const inhibiting = routingOf(`
route: {receiver: log, group_by: [rule, tenant, cause], group_wait: 10s}
inhibit_rules:
  - source_matchers: ['rule="FleetWideSpike"']
    target_matchers: ['rule=~".*Spike"']
    equal: [cause]
`)
  const fleet = alertOf({ rule: 'FleetWideSpike', labels: { cause: 'quota_exceeded' }, fingerprint: 'fleet' })

  test('holds back the targets while the source fires, and only those with equal labels', async () => {
    const { dispatcher, inbox, pass } = await desk(inhibiting)
    const other = alertOf({ labels: { tenant: 'acme', api: 'chat', cause: 'payment_failed' } })
    await dispatcher.accept([firing(fleet), firing(alertOf()), firing(other)])
    await pass(minute)
    expect(inbox.got.map(({ message }) => message.sentences[0]).sort()).toEqual([
      'FleetWideSpike is firing for cause quota exceeded.',
      'QuotaExhaustionSpike is firing for tenant acme, API chat, cause payment failed.',
    ])
  })

  test('survives a restart and ends with the source', async () => {
    const first = await desk(inhibiting)
    await first.dispatcher.accept([firing(fleet), firing(alertOf())])
    await first.pass(minute)
    const { dispatcher, inbox, pass } = await first.again()
    await pass(30 * minute)
    expect(inbox.got).toHaveLength(1)
    await dispatcher.accept([resolved(fleet, eleven + 31 * minute)])
    await pass(10 * minute)
    expect(inbox.got.map(({ message }) => message.status).sort()).toEqual(['firing', 'firing', 'resolved'])
  })

  const keeping = routingOf(`
route: {receiver: log, group_by: [rule, tenant, cause], group_wait: 10s}
inhibit_rules:
  - source_matchers: ['rule="FleetWideSpike"']
    target_matchers: ['rule=~".*Spike"']
    equal: [cause]
    keep_inhibiting_for: 1h
`)

  test('goes on for those that began before the end of the source, over a restart, and no longer than asked', async () => {
    const first = await desk(keeping)
    await first.dispatcher.accept([firing(fleet), firing(alertOf())])
    await first.pass(5 * minute)
    await first.dispatcher.accept([resolved(fleet, eleven + 5 * minute)])
    await first.pass(20 * minute)
    const { dispatcher, inbox, pass } = await first.again()
    await pass(39 * minute)
    expect(inbox.got.map(({ message }) => message.status)).toEqual(['firing', 'resolved'])
    const later = alertOf({ labels: { tenant: 'birch', cause: 'quota_exceeded' }, activeAtMs: eleven + 60 * minute })
    await dispatcher.accept([firing(later)])
    await pass(minute)
    expect(inbox.subjects().at(-1)).toMatch(/birch/)
    await pass(2 * minute)
    expect(inbox.subjects().at(-1)).toMatch(/acme/)
    expect(inbox.got).toHaveLength(4)
  })

  test('what ended while it was held back is told to nobody', async () => {
    const { dispatcher, inbox, pass } = await desk(keeping)
    await dispatcher.accept([firing(fleet), firing(alertOf())])
    await pass(5 * minute)
    await dispatcher.accept([resolved(fleet, eleven + 5 * minute)])
    await pass(20 * minute)
    await dispatcher.accept([resolved(alertOf(), eleven + 25 * minute)])
    await pass(60 * minute)
    expect(inbox.got.map(({ message }) => message.status)).toEqual(['firing', 'resolved'])
  })
})

describe('receivers', () => {
  const two = routingOf(
    `
route:
  receiver: slow
  group_wait: 0s
  routes:
    - {matchers: ['severity="page"'], receiver: slow, continue: true}
    - {matchers: ['severity="page"'], receiver: quick}
receivers:
  - {name: slow, slack_configs: [{api_url: '\${HOOK}'}]}
  - {name: quick, slack_configs: [{api_url: '\${HOOK}'}]}
`,
    { HOOK: 'https://hooks.example.com/x' },
  )

  test('one that hangs delays no other', async () => {
    const { dispatcher, inbox, clock } = await desk(two)
    let release = () => {}
    const hanging = new Promise<null>((resolve) => {
      release = () => resolve(null)
    })
    inbox.answer = (integration) => (integration.startsWith('slow') ? hanging : null)
    await dispatcher.accept([firing(alertOf()), firing(tenant('birch'))])
    for (let i = 0; i < 20; i++) {
      await clock.advance(1_000)
      await dispatcher.tick(clock.now())
    }
    expect(inbox.got.map(({ integration }) => integration)).toEqual(['quick/slack/0', 'quick/slack/0'])
    release()
    await dispatcher.idle()
    expect(inbox.got).toHaveLength(4)
  })

  test('one that fails is tried again with growing pauses, and told once', async () => {
    const { dispatcher, inbox, pass, clock, counted } = await desk(toLog)
    const attempts: number[] = []
    inbox.answer = () => {
      attempts.push(clock.now() - eleven)
      return attempts.length < 5 ? failed('connection', 'ECONNREFUSED') : null
    }
    await dispatcher.accept([firing(alertOf())])
    await pass(5 * minute)
    expect(attempts.map((at) => at / 1_000)).toEqual([30, 35, 45, 65, 105])
    expect(inbox.got).toHaveLength(1)
    expect(counted).toEqual({ sent: 1, failed: ['connection', 'connection', 'connection', 'connection'] })
  })

  test('Retry-After is honoured', async () => {
    const { dispatcher, inbox, pass, clock } = await desk(toLog)
    const attempts: number[] = []
    inbox.answer = () => {
      attempts.push(clock.now() - eleven)
      return attempts.length === 1 ? failed('rate-limited', 'HTTP 429', { retryAfterMs: 90_000 }) : null
    }
    await dispatcher.accept([firing(alertOf()), firing(tenant('birch'))])
    await pass(5 * minute)
    expect(attempts.map((at) => at / 1_000)).toEqual([30, 120, 120])
  })

  test('Retry-After of a server that is down is honoured for that message only', async () => {
    const { dispatcher, inbox, pass, clock } = await desk(toLog)
    const attempts: string[] = []
    inbox.answer = (_, message) => {
      attempts.push(`${(clock.now() - eleven) / 1_000} ${message.subject.split(' ')[1]}`)
      return attempts.length === 1 ? failed('server-error', 'HTTP 503', { retryAfterMs: 90_000 }) : null
    }
    await dispatcher.accept([firing(alertOf()), firing(tenant('birch'))])
    await pass(5 * minute)
    const [first] = attempts
    const other = first === '30 acme' ? 'birch' : 'acme'
    expect(attempts).toEqual([first, `60 ${other}`, `120 ${first?.split(' ')[1]}`])
  })

  test('after a day the message is dead, counted, and the group speaks again', async () => {
    const { dispatcher, inbox, pass, clock, counted } = await desk(
      routingOf('route: {receiver: log, group_wait: 0s, repeat_interval: 30h}'),
    )
    let broken = true
    inbox.answer = () => (broken ? failed('server-error', 'HTTP 500') : null)
    await dispatcher.accept([firing(alertOf())])
    await pass(1_000)
    for (let i = 0; i < 24 * 12; i++) {
      await clock.advance(5 * minute)
      await dispatcher.tick(clock.now())
      await dispatcher.idle()
    }
    expect(dispatcher.status()).toMatchObject({ pending: 0, dead: 1 })
    expect(counted.failed.at(-1)).toBe('gave-up')
    broken = false
    await clock.advance(8 * hour)
    await pass(1_000)
    expect(inbox.got).toHaveLength(1)
  })

  test('a message that will never be taken is dead at once', async () => {
    const { dispatcher, inbox, pass, counted } = await desk(toLog)
    inbox.answer = () => failed('refused', 'HTTP 400', { final: true })
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    expect(dispatcher.status()).toMatchObject({ pending: 0, dead: 1 })
    expect(counted).toEqual({ sent: 0, failed: ['refused'] })
  })

  test('what changes while a message is under way is told together afterwards', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog)
    let broken = true
    inbox.answer = () => (broken ? failed('connection', 'ECONNREFUSED') : null)
    await dispatcher.accept([firing(alertOf())])
    await pass(20 * minute)
    for (const api of ['a', 'b', 'c']) {
      await dispatcher.accept([firing(alertOf({ labels: { tenant: 'acme', api, cause: 'quota_exceeded' } }))])
      await pass(10 * minute)
    }
    expect(dispatcher.status().pending).toBe(1)
    broken = false
    await pass(20 * minute)
    expect(inbox.got).toHaveLength(2)
    expect(inbox.got[1]?.message.others).toHaveLength(3)
  })

  test('a mistake in a receiver is not fatal', async () => {
    const { dispatcher, inbox, pass, counted } = await desk(toLog)
    let asked = 0
    inbox.answer = () => {
      if (asked++ === 0) throw new TypeError('no such thing')
      return null
    }
    await dispatcher.accept([firing(alertOf())])
    await pass(2 * minute)
    expect(inbox.got).toHaveLength(1)
    expect(counted.failed).toEqual(['internal'])
  })
})

describe('floods', () => {
  test('what exceeds the receiver’s messages a minute comes in one digest, and nothing is lost', async () => {
    const routing = routingOf(
      `
route: {receiver: ops, group_by: [tenant], group_wait: 0s}
receivers:
  - {name: ops, slack_configs: [{api_url: '\${HOOK}', max_per_minute: 5}]}
`,
      { HOOK: 'https://hooks.example.com/x' },
    )
    const { dispatcher, inbox, pass } = await desk(routing)
    const alerts = Array.from({ length: 300 }, (_, i) =>
      tenant(`tenant-${i}`, { severity: i === 299 ? 'page' : 'ticket', fingerprint: `fp${i}` }),
    )
    await dispatcher.accept(alerts.map(firing))
    await pass(minute)
    expect(inbox.got).toHaveLength(5)
    expect(inbox.got[0]?.message.severity).toBe('page')
    const digest = inbox.got[4]?.message
    expect(digest?.more).toBe(300 - 4 - 1 - 10)
    expect(digest?.notes[0]).toContain('296 groups')
    await dispatcher.accept(alerts.map((alert) => resolved(alert, eleven + 10 * minute)))
    await pass(10 * minute)
    const told = inbox.got.slice(5).reduce((sum, { message }) => sum + 1 + message.others.length + message.more, 0)
    expect(told).toBe(300)
  })

  test('alerts beyond the limit are counted in the message', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog, { limits: { alerts: 3, groups: 100 } })
    await dispatcher.accept(
      Array.from({ length: 8 }, (_, i) =>
        firing(alertOf({ labels: { tenant: 'acme', api: `api-${i}`, cause: 'quota_exceeded' } })),
      ),
    )
    await pass(minute)
    expect(inbox.got).toHaveLength(1)
    expect(inbox.got[0]?.message).toMatchObject({ more: 5 })
    expect(dispatcher.status().alerts).toBe(3)
  })

  test('groups beyond the limit share one', async () => {
    const { dispatcher, inbox, pass } = await desk(toLog, { limits: { alerts: 100, groups: 4 } })
    const alerts = Array.from({ length: 10 }, (_, i) => tenant(`tenant-${i}`, { fingerprint: `fp${i}` }))
    await dispatcher.accept(alerts.map(firing))
    await pass(minute)
    expect(inbox.got).toHaveLength(5)
    const lines = inbox.got.reduce((sum, { message }) => sum + 1 + message.others.length + message.more, 0)
    expect(lines).toBe(10)
    await dispatcher.accept(alerts.map((alert) => resolved(alert, eleven + 2 * minute)))
    await pass(20 * minute)
    const ended = inbox.got.filter(({ message }) => message.status === 'resolved')
    expect(ended.reduce((sum, { message }) => sum + 1 + message.others.length + message.more, 0)).toBe(10)
  })

  test('memory is given back when all is quiet', async () => {
    const { dispatcher, pass } = await desk(toLog)
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    await dispatcher.accept([resolved(alertOf(), eleven + minute)])
    await pass(25 * minute)
    expect(dispatcher.status()).toMatchObject({ groups: 0, alerts: 0, pending: 0 })
  })
})
