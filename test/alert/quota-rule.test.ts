import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { QuotaReading } from '../../src/alert/quota-reading.ts'
import { QuotaBoard } from '../../src/alert/quota-reading.ts'
import { dayMs, hourMs, minuteMs } from '../../src/time/duration.ts'
import { type Found, minuteMoves, runMinutes } from './minutes.ts'
import { Chance, engineOf, rulesOf, ScriptedView, startMs } from './simulation.ts'

const levels = `
- rule: Quota
  condition:
    type: quota_forecast
    levels: {info: 0.75, ticket: 0.9, page: 1.0}
    rearm_on: [period_reset, limit_change]
`
const forecast = `
- rule: Quota
  severity: ticket
  condition:
    type: quota_forecast
    levels: {info: 0.75, page: 1.0}
    forecast: {within: 24h, probability: 0.8, min_used: 0.2}
`
/** The reset of the daily quotas here: the start is at 9:00. */
const resetMs = startMs + 15 * hourMs

function reading(used: number, more: Partial<QuotaReading> = {}): QuotaReading {
  const limit = more.limit ?? 1000
  return {
    tenant: 'acme',
    api: 'x',
    quota: 'day',
    limit,
    remaining: limit - used,
    resetAtMs: resetMs,
    atMs: 0,
    ...more,
  }
}

/** Runs minutes in which the gateways say these things; a null says nothing. */
function live(
  rules: string,
  minutes: number,
  saysAt: (minute: number) => readonly QuotaReading[],
  engine = engineOf(rulesOf(rules, 'interval: 1m')),
  view = new ScriptedView(startMs),
) {
  const found = runMinutes(engine, view, minutes, (minute, atMs) => {
    engine.observeQuota(saysAt(minute).map((one) => ({ ...one, atMs: one.atMs === 0 ? atMs + 30_000 : one.atMs })))
    return [{ tenant: 'acme', api: 'x', requests: 10, causes: {} }]
  })
  return { found, engine, view }
}

function summaries(found: readonly Found[]): string[] {
  return found.map(({ minute, transition: { alert } }) => `${minute} ${alert.annotations['summary']}`)
}

describe('levels of a quota', () => {
  it('are one alert that is raised at each level, once', () => {
    const { found, engine } = live(levels, 100, (minute) => [reading(700 + 5 * minute)])
    expect(minuteMoves(found)).toEqual(['11 inactive>firing info', '41 firing>firing ticket', '61 firing>firing page'])
    expect(found[0]?.transition.alert).toMatchObject({
      labels: { tenant: 'acme', quota: 'day' },
      value: 0.75,
      annotations: { runbook: 'runbooks/quota_exceeded.md' },
      numbers: { windowMs: 0, observed: 0, expected: null },
    })
    expect(found[2]?.transition.alert.annotations['summary']).toBe(
      'acme has used 100 % of its quota day (1,000 of 1,000); it is used up, resets 3 Mar 00:00 UTC.',
    )
    const [alert] = engine.alerts()
    expect(alert?.numbers.facts).toEqual([
      { label: 'Used', text: '1,195 of 1,000 (119 %)' },
      { label: 'Runs out', text: 'now, resets 3 Mar 00:00 UTC' },
      { label: 'Rate', text: '300 an hour' },
    ])
  })

  it('are not told again when usage wavers, nor after the alert has ended in the same period', () => {
    const used = [800, 760, 742, 760, 600, 800, 950, 600, 950]
    const { found } = live(levels, 90, (minute) => [reading(used[Math.floor(minute / 10)] ?? 0)])
    expect(minuteMoves(found)).toEqual([
      '1 inactive>firing info',
      // 742 is within two in a hundred of the level.
      '41 firing>resolved info',
      '61 inactive>firing ticket',
      '71 firing>resolved ticket',
    ])
  })

  it('are told again after a reset, that a reading tells of or that merely passes', () => {
    const early = live(levels, 60, (minute) =>
      minute < 20
        ? [reading(800)]
        : minute < 30
          ? [reading(10, { resetAtMs: resetMs + dayMs })]
          : [reading(800, { resetAtMs: resetMs + dayMs })],
    )
    expect(minuteMoves(early.found)).toEqual([
      '1 inactive>firing info',
      '21 firing>resolved info',
      '31 resolved>firing info',
    ])
    expect(summaries(early.found)[1]).toBe('21 The quota day of acme has been reset, and its alert ends after 20 min.')
    const silent = live(levels, 16 * 60, (minute) => (minute === 0 ? [reading(800)] : []))
    expect(minuteMoves(silent.found)).toEqual(['1 inactive>firing info', '900 firing>resolved info'])
  })

  it('are told again after a new limit, and measured against it', () => {
    const { found } = live(levels, 60, (minute) => [reading(950, { limit: minute < 20 ? 1000 : 1200 })])
    expect(minuteMoves(found)).toEqual([
      '1 inactive>firing ticket',
      '21 firing>resolved ticket',
      '22 resolved>firing info',
    ])
    expect(summaries(found)[1]).toBe(
      '21 The quota day of acme has a new limit of 1,200, and its alert ends after 20 min.',
    )
    const deaf = levels.replace('[period_reset, limit_change]', '[period_reset]')
    const kept = live(deaf, 60, (minute) => [reading(950, { limit: minute < 20 ? 1000 : 1200 })])
    expect(minuteMoves(kept.found)).toEqual(['1 inactive>firing ticket'])
  })

  it('tell quotas, tenants and APIs apart as the rule groups them', () => {
    const says = () => [
      reading(800),
      reading(950, { quota: 'tokens' }),
      reading(100, { tenant: 'globex' }),
      reading(990, { api: 'y', tenant: 'b' }),
    ]
    const both = live(levels, 2, says)
    expect(
      both.found.map(
        ({ transition: { alert } }) => `${alert.labels['tenant']} ${alert.labels['quota']} ${alert.severity}`,
      ),
    ).toEqual(['acme day info', 'acme tokens ticket', 'b day ticket'])
    const byApi = live(levels.replace('condition:', 'group_by: [tenant, api, quota]\n  condition:'), 2, says)
    expect(byApi.found.at(-1)?.transition.alert.annotations['summary']).toMatch(
      /^b has used 99 % of its quota day on y/,
    )
    const one = live(`${levels}  matchers: ['quota="tokens"']\n`, 2, says)
    expect(one.found).toHaveLength(1)
  })

  it('leave out what fills up every few minutes: that is a rate limit', () => {
    const { found } = live(levels, 120, (minute) => [
      reading(990, { quota: 'minute', resetAtMs: startMs + (minute + 1) * minuteMs }),
      reading(minute % 20 === 19 ? 990 : 10, {
        quota: 'twenty',
        resetAtMs: startMs + (Math.floor(minute / 20) + 1) * 20 * minuteMs,
      }),
    ])
    // The first period of the second is not known to be short.
    expect(found.filter(({ minute }) => minute > 21)).toEqual([])
  })

  it('are told once per period, limit and level over random sequences', () => {
    const step = fc.record({
      used: fc.integer({ min: 0, max: 1300 }),
      limit: fc.constantFrom(1000, 1000, 1000, 1200),
      reset: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), fc.nat(59), (steps, restartAt) => {
        const rules = rulesOf(levels, 'interval: 1m')
        let engine = engineOf(rules)
        const view = new ScriptedView(startMs)
        let period = 0
        let limit: number | null = null
        /** How often the quota was armed, and what was told since. */
        let arm = 0
        const told = new Set<string>()
        for (const [minute, one] of steps.entries()) {
          if (minute === restartAt) {
            const saved = JSON.parse(JSON.stringify(engine.snapshot()))
            engine = engineOf(rules)
            engine.restore(saved)
          }
          // A reset moves the time of reset and starts from nothing.
          if (one.reset) period++
          const used = one.reset ? 0 : one.used
          const rearmed = one.reset || (limit !== null && limit !== one.limit)
          if (rearmed) arm++
          limit = one.limit
          const resetAtMs = resetMs + period * dayMs
          engine.observeQuota([reading(used, { limit, resetAtMs, atMs: view.endMs + 30_000 })])
          for (const { transition } of runMinutes(engine, view, 1, () => [])) {
            const { alert } = transition
            if (alert.state !== 'firing') continue
            // Every announcement is of a level that was not told since the quota was armed.
            const key = `${arm} ${alert.severity}`
            expect(told.has(key)).toBe(false)
            told.add(key)
          }
          const share = used / one.limit
          const level = share >= 1 ? 'page' : share >= 0.9 ? 'ticket' : share >= 0.75 ? 'info' : null
          // One step after arming the old episode ends; otherwise what is crossed is known to be told.
          if (level !== null && !rearmed) {
            const known = ['info', 'ticket', 'page'].slice(['info', 'ticket', 'page'].indexOf(level))
            expect(known.some((severity) => told.has(`${arm} ${severity}`))).toBe(true)
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('a forecast of a quota', () => {
  it('tells hours before it runs out, with a range and the chance, and raises the alert when it has', () => {
    const chance = new Chance(8)
    let used = 200
    const { found, engine } = live(forecast, 9 * 60, () => {
      used += chance.poisson(2)
      return [reading(used)]
    })
    const moves = found.map(({ transition: { from, alert } }) => `${from}>${alert.state} ${alert.severity}`)
    expect(moves).toEqual(['inactive>firing ticket', 'firing>firing page'])
    const [first, last] = found
    const lead = (last?.minute ?? 0) - (first?.minute ?? 0)
    expect(lead).toBeGreaterThan(5 * 60)
    const facts = first?.transition.alert.numbers.facts ?? []
    expect(facts.map(({ label }) => label)).toEqual(['Used', 'Runs out', 'Rate'])
    expect(facts[1]?.text).toMatch(/^in \d h \d+ min \(\d h .* to \d+ h .*, (8|9)\d % sure\), resets 3 Mar 00:00 UTC$/)
    expect(first?.transition.alert.annotations['summary']).toMatch(
      /^acme has used 2\d % of its quota day \(2\d\d of 1,000\); it runs out in \d h .*% sure\), resets 3 Mar 00:00 UTC\.$/,
    )
    expect(engine.explain(first?.transition.alert.fingerprint ?? '')?.sentences.join('\n')).toMatch(
      /forecast: from a chance of 0\.8 on, once 20 % is used\ntold again after: period reset, limit change/,
    )
  })

  it('says nothing before it has watched for a while, nor below min_used', () => {
    const { found } = live(forecast, 30, (minute) => [reading(300 + 20 * minute)])
    // Fifteen hours ahead need more than half an hour of watching.
    expect(minuteMoves(found)).toEqual(['24 inactive>firing info'])
    const little = live(forecast, 120, (minute) => [reading(minute, { limit: 1000 })])
    expect(little.found).toEqual([])
  })

  it('looks no further than the reset', () => {
    // Two an hour to go, and the reset in one.
    const { found, engine } = live(forecast, 14 * 60 + 50, (minute) => [reading(100 + Math.floor(minute / 2))])
    expect(found).toEqual([])
    expect(engine.status('Quota')).toEqual(['1 quotas are followed; 1 series have theirs from the gateway'])
  })
})

describe('a quota rule without readings', () => {
  it('is silent and says why', () => {
    const { found, engine } = live(forecast, 60, () => [])
    expect(found).toEqual([])
    expect(engine.status('Quota')).toEqual([
      '0 quotas are followed; 0 series have theirs from the gateway',
      'it is silent: no gateway has logged a quota (RateLimit or x-ratelimit-* headers)',
      'and no series has yet had refusals for quota_exceeded that the end of a day or month (UTC) ended',
    ])
  })

  /** Ten requests a minute from midnight on; those over the limit of the period are refused. */
  function days(count: number, limitOf: (day: number) => number, period: 'day' | 'month' = 'day') {
    const engine = engineOf(rulesOf(forecast, 'interval: 1m'))
    const midnight = Date.UTC(2026, 2, 2)
    const view = new ScriptedView(midnight)
    let index = -1
    let served = 0
    const found = runMinutes(engine, view, count * 1440, (_, atMs) => {
      const day = Math.floor((atMs - midnight) / dayMs)
      const now = period === 'day' ? day : new Date(atMs).getUTCMonth()
      if (now !== index) served = 0
      index = now
      const refused = Math.max(0, Math.min(10, served + 10 - limitOf(day)))
      served += 10 - refused
      return [{ tenant: 'acme', api: 'x', requests: 10, causes: { quota_exceeded: refused } }]
    })
    const begin = (startMs - midnight) / minuteMs
    return { engine, found: found.map((one) => ({ ...one, minute: one.minute + begin })) }
  }

  it('learns a daily limit from where refusals began and midnight ended them', () => {
    const { found, engine } = days(4, () => 6000)
    const hits = found.map(({ minute, transition: { from, alert } }) => {
      return `day ${Math.floor(minute / 1440)} ${from}>${alert.state} ${alert.severity} ${alert.labels['quota']}`
    })
    // The first two days only teach. The third is warned of, reached, and reset.
    expect(hits.slice(0, 4)).toEqual([
      'day 2 inactive>firing ticket requests a day (learned)',
      'day 2 firing>firing page requests a day (learned)',
      'day 3 firing>resolved page requests a day (learned)',
      'day 3 inactive>firing ticket requests a day (learned)',
    ])
    const warned = found[0]
    // It is used up at 10:00.
    expect((warned?.minute ?? 0) - 2 * 1440).toBeLessThan(5 * 60)
    expect(warned?.transition.alert.numbers.facts.at(-1)).toEqual({
      label: 'Limit from',
      text: 'where refusals began before; the gateway logs no quota',
    })
    expect(engine.status('Quota')?.[0]).toBe('1 quotas are followed; 0 series have theirs from the gateway')
  })

  it('forgets a limit that no longer holds', () => {
    const { found } = days(5, (day) => (day < 3 ? 6000 : 1_000_000))
    const last = found.at(-1)
    expect(found.map(({ minute }) => Math.floor(minute / 1440)).includes(4)).toBe(true)
    // Day 3 runs past it; at the end of that day its alert ends for good.
    expect(last?.transition.alert.state).toBe('resolved')
    expect(Math.floor((last?.minute ?? 0) / 1440)).toBe(4)
  })

  it('takes one day that ended with refusals for chance', () => {
    const { found, engine } = days(4, (day) => (day === 0 ? 6000 : 1_000_000))
    expect(found).toEqual([])
    expect(engine.status('Quota')?.[0]).toBe('0 quotas are followed; 0 series have theirs from the gateway')
  })

  it('takes a few refusals before midnight for no quota', () => {
    const engine = engineOf(rulesOf(forecast, 'interval: 1m'))
    const midnight = Date.UTC(2026, 2, 2)
    // One call in half an hour, and in the last hours of each day some that find their card's limit reached.
    const found = runMinutes(engine, new ScriptedView(midnight), 3 * 1440, (_, atMs) => {
      const minute = Math.floor((atMs - midnight) / minuteMs) % 1440
      if (minute % 30 !== 0) return []
      return [{ tenant: 'acme', api: 'x', requests: 1, causes: { quota_exceeded: minute >= 1260 ? 1 : 0 } }]
    })
    expect(found).toEqual([])
    expect(engine.status('Quota')?.[0]).toBe('0 quotas are followed; 0 series have theirs from the gateway')
  })

  it('takes a refusal early in the day for no quota when the calls after it are served', () => {
    const engine = engineOf(rulesOf(forecast, 'interval: 1m'))
    const midnight = Date.UTC(2026, 2, 2)
    const found = runMinutes(engine, new ScriptedView(midnight), 3 * 1440, (_, atMs) => {
      const minute = Math.floor((atMs - midnight) / minuteMs) % 1440
      const refused = minute === 60 || minute >= 1430 ? 2 : 0
      return [{ tenant: 'acme', api: 'x', requests: 2, causes: { quota_exceeded: refused } }]
    })
    // The last ten minutes of the day were its end: nearly all of it was used by then, and not a twentieth.
    const told = found.flatMap(({ transition: { alert } }) =>
      alert.state === 'firing' ? alert.annotations['summary'] : [],
    )
    expect(told.length).toBeGreaterThan(0)
    for (const summary of told) expect(summary).toMatch(/of 2,8\d\d/)
  })

  it('takes runs of retries between calls that are served for no quota', () => {
    const engine = engineOf(rulesOf(forecast, 'interval: 1m'))
    const midnight = Date.UTC(2026, 2, 2)
    // Five minutes of the last hour, a quarter of an hour apart, in which four of six calls are refused.
    const found = runMinutes(engine, new ScriptedView(midnight), 3 * 1440, (_, atMs) => {
      const minute = Math.floor((atMs - midnight) / minuteMs) % 1440
      const refused = minute >= 1375 && minute % 15 === 10 ? 4 : 0
      return [{ tenant: 'acme', api: 'x', requests: 6, causes: { quota_exceeded: refused } }]
    })
    expect(found).toEqual([])
    expect(engine.status('Quota')?.[0]).toBe('0 quotas are followed; 0 series have theirs from the gateway')
  })

  it('takes refusals that outlive midnight for a longer period', () => {
    const { found, engine } = days(34, () => 200_000, 'month')
    // March is used up on its fourteenth day; April is warned of from its first days on.
    const quotas = new Set(found.map(({ transition: { alert } }) => alert.labels['quota']))
    expect([...quotas].filter((quota) => quota === 'requests a day (learned)')).toEqual([])
    expect(engine.status('Quota')?.[0]).toMatch(/^[01] quotas/)
  })

  it('trusts what a gateway says more', () => {
    const engine = engineOf(rulesOf(forecast, 'interval: 1m'))
    const midnight = Date.UTC(2026, 2, 2)
    const view = new ScriptedView(midnight)
    const found = runMinutes(engine, view, 2 * 1440, (_, atMs) => {
      const minute = Math.floor((atMs - midnight) / minuteMs) % 1440
      engine.observeQuota([reading(5, { resetAtMs: Math.ceil((atMs + 1) / dayMs) * dayMs + dayMs, atMs })])
      return [{ tenant: 'acme', api: 'x', requests: 10, causes: { quota_exceeded: minute < 600 ? 0 : 10 } }]
    })
    expect(found).toEqual([])
  })
})

describe('QuotaBoard', () => {
  it('hands readings out once event time has passed their minute, the last of each quota', () => {
    const board = new QuotaBoard(100)
    board.open(startMs)
    const at = (second: number, used: number, more: Partial<QuotaReading> = {}) =>
      reading(used, { atMs: startMs + second * 1000, ...more })
    board.observe([at(50, 5), at(10, 3), at(70, 9), at(20, 4, { tenant: 'b' })])
    board.open(startMs + 50_000)
    expect(board.due).toEqual([])
    board.open(startMs + 60_000)
    expect(board.due).toEqual([at(50, 5), at(20, 4, { tenant: 'b' })])
    // A late one comes with the next minute.
    board.observe([at(55, 6)])
    board.open(startMs + 120_000)
    expect(board.due).toEqual([at(70, 9)])
    board.open(startMs + 180_000)
    expect(board.due).toEqual([])
  })

  it('turns away what makes no sense and what finds no room', () => {
    const board = new QuotaBoard(2)
    board.open(startMs)
    const atMs = startMs + 1000
    board.observe([
      reading(5, { atMs, limit: 0 }),
      reading(5, { atMs, limit: Number.NaN }),
      reading(5, { atMs, quota: '' }),
      reading(5, { atMs, quota: 'q'.repeat(201) }),
      reading(5, { atMs: startMs + 2 * hourMs }),
      reading(5, { atMs, resetAtMs: Number.POSITIVE_INFINITY }),
    ])
    expect(board.turnedAway).toBe(6)
    board.observe(['a', 'b', 'c'].map((quota) => reading(5, { atMs, quota })))
    expect(board.turnedAway).toBe(7)
    expect(board.waiting.map(({ quota }) => quota)).toEqual(['a', 'b'])
  })
})
