import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { causes } from '../../src/classify/cause.ts'
import { demoAnswers } from '../../src/source/demo-answers.ts'
import { demoIncident, demoIncidents, demoTick } from '../../src/source/demo-traffic.ts'

interface Demo {
  started_at: number
  source: string
  response: { status: number; headers: Record<string, string>; body?: string }
  latencies: { request: number; proxy: number; kong: number }
  route: { name: string }
  consumer: { custom_id: string }
}

/** A Monday at noon UTC. */
const start = 1_790_000_000 - (1_790_000_000 % 86_400) + 43_200
const minutes = (count: number) => count * 60

function records(fromTick: number, toTick: number, startTick?: number): Demo[] {
  const all: Demo[] = []
  for (let tick = fromTick; tick < toTick; tick++) {
    all.push(...(JSON.parse(new TextDecoder().decode(demoTick(7, tick, startTick))) as Demo[]))
  }
  return all
}

const refusedShare = (list: readonly Demo[]) => list.filter((r) => r.response.status === 402).length / list.length
const of = (tenant: string, api: string) => (r: Demo) => r.consumer.custom_id === tenant && r.route.name === api

describe('demo traffic', () => {
  test('gives the same bytes for the same second, whatever was asked before', () => {
    const seconds = fc.record({ seed: fc.integer(), tick: fc.integer({ min: 0, max: 2 ** 32 }) })
    fc.assert(
      fc.property(seconds, fc.option(fc.integer({ min: 0, max: 5_000 })), ({ seed, tick }, age) => {
        const startTick = age === null ? undefined : tick - age
        const first = demoTick(seed, tick, startTick)
        demoTick(seed + 1, tick, startTick)
        expect(Buffer.compare(demoTick(seed, tick, startTick), first)).toBe(0)
      }),
      { numRuns: 50 },
    )
  })

  test('gives another second and another seed other records', () => {
    expect(demoTick(7, start)).not.toEqual(demoTick(7, start + 1))
    expect(demoTick(7, start)).not.toEqual(demoTick(8, start))
  })

  test('keeps every record inside its second, in order', () => {
    for (const tick of [start, start + 1, start + 86_399]) {
      const at = records(tick, tick + 1).map((r) => r.started_at)
      expect(at).toEqual([...at].sort((a, b) => a - b))
      expect(at.every((ms) => Math.floor(ms / 1_000) === tick)).toBe(true)
    }
  })

  test('sends 40 to 60 requests a second, more in the afternoon than at night', () => {
    const rate = (hour: number) => records(start + (hour - 12) * 3_600, start + (hour - 12) * 3_600 + 100).length / 100
    expect(rate(14)).toBeGreaterThan(57)
    expect(rate(14)).toBeLessThan(63)
    expect(rate(2)).toBeGreaterThan(37)
    expect(rate(2)).toBeLessThan(43)
  })

  test('has many tenants, a few of them large, and enough of acme on chat to see an incident at any hour', () => {
    const day = records(start, start + 100)
    expect(new Set(day.map((r) => r.consumer.custom_id)).size).toBe(25)
    expect(new Set(day.map((r) => r.route.name)).size).toBe(8)
    const night = records(start - 10 * 3_600, start - 10 * 3_600 + 200)
    expect(night.filter(of('acme', 'chat')).length / 200).toBeGreaterThan(4)
  })

  test('refuses some 3 in 1,000 on a normal day, for many causes', () => {
    const day = records(start, start + 600)
    expect(refusedShare(day)).toBeGreaterThan(0.002)
    expect(refusedShare(day)).toBeLessThan(0.004)
  })

  test('takes the time that its parts add up to', () => {
    for (const { latencies, source } of records(start, start + 60)) {
      expect(latencies.request).toBe(latencies.kong + Math.max(0, latencies.proxy))
      expect(latencies.proxy < 0).toBe(source === 'kong')
    }
  })

  test('knows an answer for every cause but misconfiguration, which no gateway is scripted to have', () => {
    expect(new Set(Object.keys(demoAnswers))).toEqual(new Set(causes.filter((cause) => cause !== 'misconfiguration')))
  })
})

describe('demo incidents', () => {
  test('begin with a used-up quota after one minute, for four minutes, then one every twelve', () => {
    const incidents = demoIncidents(start, start, start + minutes(62))
    expect(incidents.map(({ name, fromTick, toTick }) => [name, fromTick - start, toTick - start])).toEqual([
      ['quota-used-up', 60, 300],
      ['card-processor-down', 780, 1_020],
      ['card-expired', 1_500, 1_740],
      ['subscription-expired', 2_220, 2_460],
      ['quota-used-up', 2_940, 3_180],
      ['card-processor-down', 3_660, 3_900],
    ])
    expect(demoIncidents(start, start + 61, start + minutes(13)).map(({ name }) => name)).toEqual([])
    expect(demoIncident(start, start + 59)).toBeNull()
    expect(demoIncident(start, start + 60)?.name).toBe('quota-used-up')
    expect(demoIncident(start, start + 299)?.name).toBe('quota-used-up')
    expect(demoIncident(start, start + 300)).toBeNull()
    expect(demoIncident(start, start - 86_400)).toBeNull()
  })

  test('refuse 85 % of acme on chat, by a quota header, and leave everybody else alone', () => {
    const during = records(start + 60, start + 300, start)
    const hit = during.filter(of('acme', 'chat'))
    expect(refusedShare(hit)).toBeGreaterThan(0.8)
    expect(refusedShare(hit)).toBeLessThan(0.9)
    const refused = hit.filter((r) => r.response.status === 402)
    expect(refused.filter((r) => r.response.headers['ratelimit-remaining'] === '0').length).toBeGreaterThan(
      refused.length * 0.99,
    )
    expect(refusedShare(during.filter((r) => !of('acme', 'chat')(r)))).toBeLessThan(0.01)
  })

  test.each(demoIncidents(start, start, start + minutes(48)))(
    '$name hits the tenants it names and no other',
    (incident) => {
      const during = records(incident.fromTick, incident.toTick, start)
      const isHit = (r: Demo) =>
        incident.tenants.includes(r.consumer.custom_id) && (incident.api === null || incident.api === r.route.name)
      expect(Math.abs(refusedShare(during.filter(isHit)) - incident.share)).toBeLessThan(0.05)
      expect(refusedShare(during.filter((r) => !isHit(r)))).toBeLessThan(0.01)
      const answers = demoAnswers[incident.cause]?.map((answer) => answer.body)
      const bodies = during.filter((r) => isHit(r) && r.response.status === 402).map((r) => r.response.body ?? null)
      expect(bodies.filter((body) => answers?.includes(body)).length).toBeGreaterThan(bodies.length * 0.98)
    },
  )

  test('change answers and never who calls when', () => {
    const calls = (list: Demo[]) => list.map((r) => [r.started_at, r.consumer.custom_id, r.route.name])
    expect(calls(records(start + 60, start + 70, start))).toEqual(calls(records(start + 60, start + 70)))
  })
})
