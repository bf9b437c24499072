import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Alert, Transition } from '../../src/alert/alert.ts'
import type { Message } from '../../src/notify/message.ts'
import { failed } from '../../src/notify/receiver.ts'
import { alertOf, desk, eleven, firing, hour, minute, resolved, routingOf } from './sample.ts'

/** Group wait, group interval and reminder of the route below, in seconds. */
const wait = 7
const interval = 40
const reminder = 90
const routing = routingOf(
  `route: {receiver: log, group_by: [tenant], group_wait: ${wait}s, group_interval: ${interval}s, repeat_interval: ${reminder}s}`,
)

interface Step {
  readonly at: number
  readonly tenant: string
  readonly series: number
  readonly does: 'start' | 'raise' | 'end'
}

const steps = fc
  .array(
    fc.record({
      at: fc.integer({ min: 0, max: 400 }),
      tenant: fc.constantFrom('acme', 'birch'),
      series: fc.integer({ min: 0, max: 3 }),
      does: fc.constantFrom('start' as const, 'start' as const, 'raise' as const, 'end' as const),
    }),
    { maxLength: 25 },
  )
  .map((list) => list.toSorted((a, b) => a.at - b.at))

/** Turns steps into transitions that rules could give; those that make no sense do nothing. */
class Rules {
  readonly #open = new Map<string, Alert>()
  #episodes = 0

  next({ at, tenant, series, does }: Step): Transition | null {
    const key = `${tenant}-${series}`
    const now = eleven + at * 1_000
    const open = this.#open.get(key)
    if (does === 'start') {
      if (open !== undefined) return null
      const alert = alertOf({
        fingerprint: key,
        episode: `${key}@${++this.#episodes}`,
        labels: { tenant, api: `e${this.#episodes}e`, cause: 'quota_exceeded' },
        severity: 'ticket',
        activeAtMs: now,
        evaluatedAtMs: now,
      })
      this.#open.set(key, alert)
      return firing(alert)
    }
    if (open === undefined) return null
    if (does === 'end') {
      this.#open.delete(key)
      return resolved(open, now)
    }
    const raised: Alert = { ...open, severity: 'page', evaluatedAtMs: now }
    this.#open.set(key, raised)
    return { from: 'firing', alert: raised }
  }

  *ends(at: number): Generator<Transition> {
    for (const alert of this.#open.values()) yield resolved(alert, eleven + at * 1_000)
    this.#open.clear()
  }
}

/** The rules of grouping as one would tell them: a message is a second, a tenant, who fires and who has ended. */
function model(transitions: readonly { at: number; transition: Transition }[], seconds: number): string[] {
  const messages: string[] = []
  for (const tenant of ['acme', 'birch']) {
    const firingNow = new Map<string, { told: string | null; severity: string }>()
    let ended: string[] = []
    let changed: number | null = null
    let urgent = false
    let sent: number | null = null
    for (let second = 0; second <= seconds; second++) {
      for (const { at, transition } of transitions) {
        const { alert } = transition
        if (at !== second || alert.labels['tenant'] !== tenant) continue
        const known = firingNow.get(alert.episode)
        if (alert.state === 'resolved') {
          firingNow.delete(alert.episode)
          ended.push(alert.episode)
          changed ??= second
        } else if (known === undefined) {
          // Quiet and with nothing left to say: a new conversation, without the patience of the old one.
          if (firingNow.size === 0 && ended.length === 0) sent = null
          firingNow.set(alert.episode, { told: null, severity: alert.severity })
          changed ??= second
        } else {
          known.severity = alert.severity
          if (known.told === 'ticket' && alert.severity === 'page') {
            changed ??= second
            urgent = true
          }
        }
      }
      const due = changed !== null && (urgent || second >= Math.max(changed + wait, (sent ?? -1_000) + interval))
      const remind =
        sent !== null && second >= sent + reminder && [...firingNow.values()].some(({ told }) => told !== null)
      if (!due && !remind) continue
      messages.push(`${second} ${tenant} firing ${[...firingNow.keys()].sort()} ended ${ended.sort()}`)
      for (const state of firingNow.values()) state.told = state.severity
      ended = []
      changed = null
      urgent = false
      sent = second
    }
  }
  return messages.sort()
}

/** Every episode has an API name of its own; a message names them in its sentence and its lines. */
function episodesIn(message: Message): { firing: string[]; ended: string[] } {
  const names = (text: string) => text.match(/e\d+e/g) ?? []
  const lead = names(message.sentences[0] ?? '')
  const ended = message.others.filter((line) => line.startsWith('✔')).flatMap(names)
  const firing = message.others.filter((line) => !line.startsWith('✔')).flatMap(names)
  if (message.status === 'resolved') ended.push(...lead)
  else firing.push(...lead)
  return { firing, ended }
}

test('messages come when the model says, about whom it says', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const rules = new Rules()
      const transitions = plan.flatMap((step) => {
        const transition = rules.next(step)
        return transition === null ? [] : [{ at: step.at, transition }]
      })
      const { dispatcher, inbox, clock } = await desk(routing)
      for (let second = 0; second <= 600; second++) {
        const now = transitions.filter(({ at }) => at === second).map(({ transition }) => transition)
        if (now.length > 0) await dispatcher.accept(now)
        await dispatcher.tick(clock.now())
        await dispatcher.idle()
        await clock.advance(1_000)
      }
      const apiOf = new Map(transitions.map(({ transition: { alert } }) => [alert.labels['api'], alert.episode]))
      const seen = inbox.got.map(({ at, message }) => {
        const { firing, ended } = episodesIn(message)
        const episodes = (list: string[]) => list.map((api) => apiOf.get(api) ?? '?').sort()
        const tenant = episodes([...firing, ...ended])[0]?.split('-')[0]
        return `${(at - eleven) / 1_000} ${tenant} firing ${episodes(firing)} ended ${episodes(ended)}`
      })
      expect(seen.sort()).toEqual(model(transitions, 600))
    }),
    { numRuns: 40 },
  )
}, 120_000)

test('with silences, failures and restarts at random, every announced start is ended once and nothing else is', async () => {
  const trouble = fc.array(fc.constantFrom('fine', 'fine', 'fails', 'restart', 'silence'), {
    minLength: 50,
    maxLength: 50,
  })
  await fc.assert(
    fc.asyncProperty(steps, trouble, fc.infiniteStream(fc.boolean()), async (plan, troubles, coin) => {
      const rules = new Rules()
      let at = await desk(routing)
      const announced = new Set<string>()
      const ends: string[] = []
      const starts = new Set<string>()
      at.inbox.answer = () => (coin.next().value === true ? failed('server-error', 'HTTP 500') : null)
      let step = 0
      for (let second = 0; second <= 400; second += 8) {
        const what = troubles[second / 8]
        if (what === 'restart') at = await at.again()
        if (what === 'silence') {
          const now = at.clock.now()
          const silence = { matchers: ['tenant="acme"'], createdBy: 'a test', comment: 'a test' }
          await at.silences.add({ ...silence, startsAtMs: now, endsAtMs: now + minute })
        }
        const batch: Transition[] = []
        for (; (plan[step]?.at ?? Number.POSITIVE_INFINITY) <= second; step++) {
          const one = plan[step]
          const transition = one === undefined ? null : rules.next(one)
          if (transition !== null) batch.push(transition)
        }
        if (batch.length > 0) await at.dispatcher.accept(batch)
        for (const { alert } of batch) if (alert.state === 'firing') starts.add(String(alert.labels['api']))
        await at.pass(8_000)
      }
      await at.dispatcher.accept([...rules.ends(400)])
      at.inbox.answer = () => null
      for (let passed = 0; passed < 2 * hour; passed += minute) {
        await at.clock.advance(minute)
        await at.dispatcher.tick(at.clock.now())
        await at.dispatcher.idle()
      }
      for (const { message } of at.inbox.got) {
        const { firing, ended } = episodesIn(message)
        for (const name of firing) announced.add(name)
        ends.push(...ended)
        for (const name of [...firing, ...ended]) expect(starts).toContain(name)
      }
      expect(new Set(ends).size, 'an end is told once').toBe(ends.length)
      for (const name of announced) expect(ends, `the end of ${name}`).toContain(name)
      expect(new Set(at.inbox.got.map(({ message }) => message.id)).size).toBe(at.inbox.got.length)
      expect(at.dispatcher.status().pending).toBe(0)
    }),
    { numRuns: 30 },
  )
}, 120_000)
