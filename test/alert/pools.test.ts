import { describe, expect, it } from 'vitest'
import { Pools } from '../../src/alert/pools.ts'

const acme = { tenant: 'acme', api: 'chat', cause: 'quota_exceeded' }

describe('Pools', () => {
  it('lend the rate of the nearest relatives, shrunk towards the fleet', () => {
    const pools = new Pools(['tenant', 'api', 'cause'])
    expect(pools.rateFor(acme)).toBeNull()
    pools.add(pools.numbersOf({ ...acme, tenant: 'globex', api: 'files' }), 100, 10_000)
    expect(pools.rateFor(acme)).toBeCloseTo(0.01, 9)
    pools.add(pools.numbersOf({ ...acme, tenant: 'globex' }), 1000, 10_000)
    const rate = pools.rateFor(acme) ?? 0
    expect(rate).toBeGreaterThan(0.09)
    expect(rate).toBeLessThan(0.1)
    expect(pools.rateFor({ ...acme, cause: 'payment_failed' })).toBeNull()
  })

  it('know the clumps of the horizon that shows more of them, once there are events enough', () => {
    const pools = new Pools(['cause'])
    expect(pools.clumping).toBe(0)
    pools.addClumps(0, { excess: 8, events: 4 })
    expect(pools.clumping).toBeLessThan(0.1)
    pools.addClumps(0, { excess: 2000, events: 1000 })
    pools.addClumps(1, { excess: 3996, events: 999 })
    expect(pools.clumping).toBeCloseTo(3996 / 1099, 9)
    pools.addClumps(1, { excess: -9000, events: 1 })
    expect(pools.clumping).toBeCloseTo(2008 / 1104, 9)
  })

  it('come back from what they saved', () => {
    const pools = new Pools(['tenant', 'api', 'cause'])
    pools.add(pools.numbersOf(acme), 3, 500)
    pools.addClumps(1, { excess: 400, events: 300 })
    const copy = new Pools(['tenant', 'api', 'cause'])
    copy.load(JSON.parse(JSON.stringify(pools.save())))
    expect(copy.rateFor(acme)).toBe(pools.rateFor(acme))
    expect(copy.clumping).toBe(1)
    copy.clear()
    expect(copy.clumping).toBe(0)
  })
  it('are empty and numbered anew when those of gone tenants are let go', () => {
    const pools = new Pools(['tenant', 'api', 'cause'])
    pools.add(pools.numbersOf({ ...acme, tenant: 'gone', api: 'gone' }), 3, 500)
    expect(pools.size).toBe(3)
    pools.renumber()
    expect(pools.size).toBe(0)
    pools.add(pools.numbersOf(acme), 1, 100)
    expect(pools.rateFor(acme)).toBeCloseTo(0.01, 9)
  })
})
