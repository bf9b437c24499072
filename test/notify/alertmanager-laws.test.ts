import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Alert, Transition } from '../../src/alert/alert.ts'
import { failed, type PostedAlert, type Receiver } from '../../src/notify/receiver.ts'
import { alertOf, type Desk, desk, eleven, routingOf } from './sample.ts'

const routing = routingOf(`
route: {receiver: am}
receivers: [{name: am, alertmanager_configs: [{urls: ['http://am.example.com'], resend_delay: 20s}]}]
`)

/** All that Alertmanager knows: by labels, until when an alert holds. */
class Model {
  readonly #until = new Map<string, number>()

  take(alerts: readonly PostedAlert[]): void {
    for (const { alert, endsAtMs } of alerts) this.#until.set(`${alert.labels['api']} ${alert.severity}`, endsAtMs)
  }

  firing(now: number): string[] {
    return [...this.#until].flatMap(([name, until]) => (until > now ? [name] : [])).sort()
  }
}

const step = fc.record({
  series: fc.integer({ min: 0, max: 2 }),
  does: fc.constantFrom('start', 'start', 'raise', 'lower', 'end', 'end'),
  afterwards: fc.constantFrom('nothing', 'nothing', 'restart', 'outage'),
  seconds: fc.integer({ min: 1, max: 90 }),
})

/** What rules would say of a series next; null for what makes no sense. */
function next(
  open: Map<string, Alert>,
  { series, does }: { series: number; does: string },
  now: number,
): Transition | null {
  const api = `api-${series}`
  const alert = open.get(api)
  if (does === 'start') {
    if (alert !== undefined) return null
    const started = alertOf({
      labels: { api },
      fingerprint: api,
      severity: 'ticket',
      activeAtMs: now,
      evaluatedAtMs: now,
    })
    open.set(api, started)
    return { from: 'inactive', alert: started }
  }
  if (alert === undefined) return null
  if (does === 'end') {
    open.delete(api)
    return { from: 'firing', alert: { ...alert, state: 'resolved', resolvedAtMs: now, evaluatedAtMs: now } }
  }
  const changed: Alert = { ...alert, severity: does === 'raise' ? 'page' : 'ticket', evaluatedAtMs: now }
  open.set(api, changed)
  return { from: 'firing', alert: changed }
}

test('Alertmanager knows at any time exactly what fires, over outages, restarts and changes of severity', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const model = new Model()
      const open = new Map<string, Alert>()
      let away = false
      const post = async (alerts: readonly PostedAlert[]) => {
        if (away) return failed('connection', 'ECONNREFUSED')
        model.take(alerts)
        return { kind: 'sent' as const }
      }
      const receiver: Receiver = { deliver: async () => ({ kind: 'sent' }), close: async () => {}, targets: [{ post }] }
      const receivers = new Map([['am/alertmanager/0', receiver]])
      let at: Desk = await desk(routing, { receivers })
      for (const one of steps) {
        const transition = next(open, one, at.clock.now())
        if (transition !== null) await at.dispatcher.accept([transition])
        away = one.afterwards === 'outage'
        if (one.afterwards === 'restart') at = await desk(routing, { receivers, store: at.store, clock: at.clock })
        await at.pass(one.seconds * 1_000)
        if (away) {
          // Members are tried again after five seconds, and after a resend delay at the latest.
          away = false
          await at.pass(21_000)
        }
        const firing = [...open].map(([api, { severity }]) => `${api} ${severity}`).sort()
        expect(model.firing(at.clock.now()), `${(at.clock.now() - eleven) / 1_000} s`).toEqual(firing)
      }
    }),
    { numRuns: 60 },
  )
}, 60_000)
