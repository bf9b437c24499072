import { describe, expect, test } from 'vitest'
import { Silences } from '../../src/notify/silence.ts'
import type { TenantDirectory } from '../../src/tenants/directory.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { alertOf, context, desk, eleven, firing, hour, minute, resolved, routingOf } from './sample.ts'

/** Muted from 11:00 to 12:00 in the zone of the tenant; `eleven` is 11:04 UTC. */
const lunch = `
route:
  receiver: log
  group_wait: 0s
  group_interval: 10s
  routes: [{matchers: ['tenant!=""'], mute_time_intervals: [lunch]}]
time_intervals:
  - name: lunch
    time_intervals: [{times: [{start_time: '11:00', end_time: '12:00'}], location: '{{ tenant.timezone }}'}]
`

const directory: TenantDirectory = {
  find: (id) => ({
    id,
    name: null,
    plan: null,
    timezone: id === 'tokyo' ? 'Asia/Tokyo' : 'Mars/Base',
    contacts: new Map(),
  }),
}

describe('time intervals of a route', () => {
  test('hold starts back until they are over, and then tell what still fires', async () => {
    const { dispatcher, inbox, pass, clock } = await desk(routingOf(lunch))
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    expect(inbox.got).toHaveLength(0)
    await clock.advance(Date.parse('2026-03-02T11:59:50Z') - clock.now())
    await pass(9_000)
    expect(inbox.got).toHaveLength(0)
    await pass(10_000)
    expect(inbox.got.map(({ message }) => message.status)).toEqual(['firing'])
  })

  test('tell the end at any time to whoever was told of the start', async () => {
    const start = Date.parse('2026-03-02T10:58:00Z')
    const { dispatcher, inbox, pass } = await desk(routingOf(lunch), { clock: new ManualClock(start) })
    const alert = alertOf({ activeAtMs: start - minute })
    await dispatcher.accept([firing(alert)])
    await pass(5 * minute)
    await dispatcher.accept([resolved(alert, start + 5 * minute)])
    await pass(minute)
    expect(inbox.got.map(({ message }) => message.status)).toEqual(['firing', 'resolved'])
  })

  test('say nothing at all of what begins and ends within them', async () => {
    const { dispatcher, inbox, pass } = await desk(routingOf(lunch))
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    await dispatcher.accept([resolved(alertOf(), eleven + minute)])
    await pass(2 * hour)
    expect(inbox.got).toHaveLength(0)
  })

  test('are in the zone of the tenant, or in that of the routing where that is unknown', async () => {
    const given = { context: { ...context, tenants: directory } }
    const { dispatcher, inbox, pass } = await desk(routingOf(lunch), given)
    const of = (tenant: string) => alertOf({ labels: { tenant, api: 'chat', cause: 'quota_exceeded' } })
    await dispatcher.accept([firing(of('tokyo')), firing(of('unknown'))])
    await pass(minute)
    expect(inbox.subjects().map((subject) => subject.slice(0, 12))).toEqual(['[PAGE] tokyo'])
  })

  test('that are the only active ones hold back at all other times', async () => {
    const { dispatcher, inbox, pass, clock } = await desk(routingOf(lunch.replace('mute_time', 'active_time')), {
      clock: new ManualClock(eleven - hour),
    })
    await dispatcher.accept([firing(alertOf())])
    await pass(minute)
    expect(inbox.got).toHaveLength(0)
    await clock.advance(hour)
    await pass(10_000)
    expect(inbox.got).toHaveLength(1)
  })

  test('are not inherited', () => {
    const { root } = routingOf(lunch.replace('lunch]}]', 'lunch], routes: [{matchers: [\'severity="page"\']}]}]'))
    expect(root.routes[0]?.muteTimes).toEqual(['lunch'])
    expect(root.routes[0]?.routes[0]?.muteTimes).toEqual([])
  })
})

const chargeRun = `
route: {receiver: log, group_wait: 0s}
silences:
  - id: charge-run
    matchers: ['tenant="acme"']
    schedule: {rrule: 'FREQ=DAILY;BYHOUR=11', duration: 3h}
    created_by: billing
    comment: charge run
    expire_when_quiet_for: 30m
`

describe('a scheduled silence', () => {
  test('mutes while an occurrence lasts, and is listed with it', async () => {
    const { dispatcher, inbox, pass, silences } = await desk(routingOf(chargeRun))
    expect(silences.list()).toMatchObject([
      {
        id: 'charge-run',
        startsAtMs: Date.parse('2026-03-02T11:00:00Z'),
        endsAtMs: Date.parse('2026-03-02T14:00:00Z'),
      },
    ])
    await dispatcher.accept([firing(alertOf())])
    await pass(40 * minute)
    expect(inbox.got).toHaveLength(0)
    expect(silences.muting({ tenant: 'acme' }, eleven)?.id).toBe('charge-run')
    expect(silences.muting({ tenant: 'acme' }, eleven + 3 * hour)).toBeNull()
  })

  test('ends early once nothing it mutes has fired for as long as it says, and comes again the next day', async () => {
    const { pass, silences, again, clock, dispatcher } = await desk(routingOf(chargeRun))
    await dispatcher.accept([firing(alertOf())])
    await pass(40 * minute)
    await dispatcher.accept([resolved(alertOf(), eleven + 40 * minute)])
    await pass(29 * minute)
    expect(silences.muting({ tenant: 'acme' }, clock.now())?.id).toBe('charge-run')
    await pass(2 * minute)
    expect(silences.muting({ tenant: 'acme' }, clock.now())).toBeNull()
    const after = await again()
    expect(after.silences.muting({ tenant: 'acme' }, clock.now()), 'after a restart').toBeNull()
    expect(after.silences.muting({ tenant: 'acme' }, eleven + 24 * hour)?.id).toBe('charge-run')
    expect(after.silences.list()[0]?.startsAtMs).toBe(Date.parse('2026-03-03T11:00:00Z'))
  })

  test('can be ended by hand, for this time', async () => {
    const { silences, again } = await desk(routingOf(chargeRun))
    expect(await silences.expire('charge-run')).toBe(true)
    expect(await silences.expire('charge-run')).toBe(false)
    const { silences: later } = await again()
    expect(later.muting({ tenant: 'acme' }, eleven)).toBeNull()
    expect(later.muting({ tenant: 'acme' }, eleven + 24 * hour)?.id).toBe('charge-run')
  })

  test('that is no longer in the file leaves nothing behind', async () => {
    const first = await desk(routingOf(chargeRun))
    await first.silences.expire('charge-run')
    await Silences.open({ store: first.store, clock: first.clock, scheduled: [] })
    expect((await first.store.load('schedule')).size).toBe(0)
  })
})

test('the reason says what holds an alert back', async () => {
  const routing = routingOf(`${lunch}
inhibit_rules: [{name: fleet, source_matchers: ['rule="Fleet"'], target_matchers: ['rule="One"']}]`)
  const { dispatcher, silences, clock } = await desk(routing)
  const [route] = routing.root.routes
  if (route === undefined) throw new Error('there is no route')
  const muted = (alert: ReturnType<typeof alertOf>) => dispatcher.muting(clock.now())(alert, route)
  const one = alertOf({ rule: 'One' })
  expect(muted(one)).toEqual({ by: 'time', name: 'lunch' })
  await dispatcher.accept([firing(alertOf({ rule: 'Fleet', fingerprint: 'fleet', labels: {} }))])
  expect(muted(one)).toEqual({ by: 'inhibition', name: 'fleet' })
  const asked = { matchers: ['tenant="acme"'], createdBy: 'anna', comment: 'x' }
  const { id } = await silences.add({ ...asked, startsAtMs: eleven, endsAtMs: eleven + hour })
  expect(muted(one)).toEqual({ by: 'silence', name: id })
})

test('of a rule on trial nobody hears, but what was announced before the trial is ended', async () => {
  const { dispatcher, inbox, pass } = await desk(
    routingOf('route: {receiver: log, group_wait: 0s, group_interval: 10s}'),
  )
  const announced = alertOf()
  const onTrial = alertOf({ labels: { tenant: 'birch', api: 'chat', cause: 'quota_exceeded' }, shadow: true })
  await dispatcher.accept([firing(announced), firing(onTrial)])
  await pass(minute)
  await dispatcher.accept([
    resolved({ ...announced, shadow: true }, eleven + minute),
    resolved(onTrial, eleven + minute),
    resolved(alertOf({ fingerprint: 'never seen', shadow: true }), eleven + minute),
  ])
  await pass(10 * minute)
  expect(inbox.subjects().map((subject) => subject.slice(0, 18))).toEqual(['[PAGE] acme / chat', '[RESOLVED] acme / '])
  expect(dispatcher.status().alerts).toBe(1)
})
