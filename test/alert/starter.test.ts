import { describe, expect, it } from 'vitest'
import { loadRules } from '../../src/alert/rule-files.ts'
import type { SliceRow } from '../../src/alert/scripted-view.ts'
import type { Cause } from '../../src/classify/cause.ts'
import { Chance, engineOf, run, ScriptedView, startMs } from './simulation.ts'

function starterRules() {
  const loaded = loadRules(['shipped'], '/')
  if (!loaded.ok) throw new Error('the shipped rules have problems')
  return loaded.rules
}

const usual: readonly Cause[] = ['quota_exceeded', 'insufficient_funds', 'payment_failed', 'subscription_expired']

describe('the starter rules', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'notice within 60 s that a quota is used up, one minute after the first start (run %d)',
    (seed) => {
      const chance = new Chance(seed)
      const engine = engineOf(starterRules())
      // Not on a minute boundary: nothing may depend on that.
      const view = new ScriptedView(startMs + 10_000 * (seed % 6))
      const incident = 6
      const found = run(engine, view, 90, (slice): SliceRow[] =>
        ['acme', 'globex', 'initech'].flatMap((tenant) =>
          ['chat', 'search'].map((api) => {
            const requests = chance.poisson(50)
            const hit = slice >= incident && tenant === 'acme' && api === 'chat'
            if (hit) return { tenant, api, requests, causes: { quota_exceeded: Math.round(requests * 0.55) } }
            const cause = usual[Math.floor(chance.uniform() * usual.length)] ?? 'payment_failed'
            return { tenant, api, requests, causes: { [cause]: chance.poisson(0.15) } }
          }),
        ),
      )
      const fired = found.filter(({ transition: { alert } }) => alert.state === 'firing')
      const begin = 10 * (seed % 6) + incident * 10
      expect(fired[0]).toMatchObject({
        transition: { alert: { rule: 'QuotaExhaustionSpike', labels: { tenant: 'acme', cause: 'quota_exceeded' } } },
      })
      expect((fired[0]?.second ?? 0) - begin).toBeLessThanOrEqual(60)
      // Nobody else is accused; the plain threshold follows after its five minutes.
      expect(new Set(fired.map(({ transition: { alert } }) => alert.labels['tenant']))).toEqual(new Set(['acme']))
      expect(fired.map(({ transition: { alert } }) => alert.rule)).toEqual([
        'QuotaExhaustionSpike',
        'PaymentRefusalsHigh',
      ])
    },
  )

  it('say nothing in a day of 40 ordinary tenants', { timeout: 300_000 }, () => {
    const chance = new Chance(77)
    const engine = engineOf(starterRules())
    const view = new ScriptedView(startMs)
    // From one request in 20 s to 20 a second.
    const rates = Array.from({ length: 40 }, () => 0.05 * Math.exp(chance.uniform() * Math.log(400)))
    const found = run(engine, view, 24 * 360, () => {
      const rows: SliceRow[] = []
      for (const [at, rate] of rates.entries()) {
        const requests = chance.poisson(rate * 10)
        const causes: Partial<Record<Cause, number>> = {}
        for (let k = chance.poisson(requests * 0.003); k > 0; k--) {
          const cause = usual[Math.floor(chance.uniform() * chance.uniform() * usual.length)] ?? 'payment_failed'
          causes[cause] = (causes[cause] ?? 0) + 1
        }
        if (requests > 0) rows.push({ tenant: `t${at}`, api: `a${at % 7}`, requests, causes })
      }
      return rows
    })
    expect(found.map(({ second, transition: { alert } }) => `${second} ${alert.annotations['summary']}`)).toEqual([])
  })

  it('page for the fleet when one cause rises over many tenants', () => {
    const chance = new Chance(31)
    const engine = engineOf(starterRules())
    const view = new ScriptedView(startMs)
    const found = run(engine, view, 360 + 30, (slice) =>
      Array.from({ length: 20 }, (_, at) => {
        const requests = chance.poisson(20)
        const share = slice >= 360 ? 0.3 : 0.003
        return {
          tenant: `t${at}`,
          api: 'pay',
          requests,
          causes: { payment_gateway_error: chance.poisson(requests * share) },
        }
      }),
    )
    const fleet = found.find(({ transition: { alert } }) => alert.rule === 'FleetWideSpike')
    expect(fleet?.transition.alert).toMatchObject({ severity: 'page', labels: { cause: 'payment_gateway_error' } })
    expect((fleet?.second ?? 0) - 3600).toBeLessThanOrEqual(30)
    expect(fleet?.transition.alert.annotations['summary']).toMatch(/^20 tenants are refused: payment gateway error\./)
    expect(found.some(({ transition: { alert } }) => alert.rule === 'ManyTenantsRefused')).toBe(true)
  })
})
