import { beforeAll, describe, expect, test } from 'vitest'
import { live, type Outcome, type Report } from './harness.ts'
import { type Incident, incidents } from './incidents.ts'

const chosen = [
  'quota cut by a bad deploy',
  "one tenant's card expired",
  'traffic doubles, ratio constant',
  'retry storm of one client',
  'log pipeline stalls',
].map((name): Incident => {
  const found = incidents.find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no incident called ${name}`)
  return { ...found, minutes: Math.min(found.minutes, 30) }
})

let report: Report
beforeAll(async () => {
  const times = { warmUpMinutes: 6 * 60, gapMinutes: 90 }
  report = await live({ tenants: 100, seed: 402, ...times, incidents: chosen, rivals: true })
}, 120_000)

function of(name: string, watcher = 'Tollwatch'): Outcome {
  const found = report.outcomes.find((one) => one.incident.name === name && one.watcher === watcher)
  if (found === undefined) throw new Error(`${watcher} did not live through ${name}`)
  return found
}

describe('Of incidents in a fleet of a hundred customers', () => {
  test.each([
    ['quota cut by a bad deploy', 'FleetWideSpike', 2],
    ["one tenant's card expired", 'PaymentRefusalSpike', 1],
    ['retry storm of one client', 'QuotaExhaustionSpike', 2],
    ['log pipeline stalls', 'InputStalled', 7],
  ])('%s is told by %s within %d min, in one conversation that ends', (name, rule, minutes) => {
    const { delayMinutes, rules, conversations, told } = of(name)
    expect(rules).toContain(rule)
    expect(delayMinutes).toBeLessThanOrEqual(minutes)
    expect(conversations).toBe(1)
    expect(told.at(-1)?.subject).toMatch(/^\[RESOLVED\]/)
    expect(told.filter(({ subject }) => subject.startsWith('[RESOLVED]'))).toHaveLength(1)
  })

  test('one that concerns many tenants says how many, and nobody hears of each of them', () => {
    const { alerts, told } = of('quota cut by a bad deploy')
    expect(alerts).toBeGreaterThan(20)
    expect(told[0]?.subject).toMatch(/^\[PAGE\] \d\d tenants: quota exceeded/)
  })

  test('traffic that doubles with its refusals is told to nobody', () => {
    expect(of('traffic doubles, ratio constant')).toMatchObject({ alerts: 0, messages: 0 })
  })

  test('there is no other alert', () => {
    expect(report.falseAlerts.get('Tollwatch')).toEqual([])
  })

  test.each(['static ratio > 5 % for 5m', '3-sigma EWMA'])(
    '%s tells the same later, or in more messages',
    (watcher) => {
      const [ours, theirs] = [of('quota cut by a bad deploy'), of('quota cut by a bad deploy', watcher)]
      expect(theirs.conversations).toBeGreaterThan(20 * ours.conversations)
      expect(theirs.delayMinutes ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(ours.delayMinutes ?? 0)
      expect(report.falseAlerts.get(watcher)?.length).toBeGreaterThan(0)
      expect(of('log pipeline stalls', watcher).delayMinutes).toBeNull()
    },
  )
})
