import { describe, expect, it } from 'vitest'
import type { Transition } from '../../src/alert/alert.ts'
import { RuleEngine } from '../../src/alert/engine.ts'
import { parseRules } from '../../src/alert/parse-rules.ts'
import { AlertPersistence } from '../../src/alert/persistence.ts'
import { formatProblem } from '../../src/file/yaml-file.ts'
import { MemoryState } from '../../src/history/state.ts'
import type { Tenant, TenantDirectory } from '../../src/tenants/directory.ts'
import { expiryOf } from '../../src/tenants/expiry.ts'
import { rulesOf, ScriptedView } from './simulation.ts'

const rules = rulesOf(
  '- rule: SubscriptionEnds\n  condition: {type: expiry, levels: {info: 30d, ticket: 7d}}',
  'interval: 10m',
)
const day = 86_400_000

/** A directory that can be written anew while it is in use. */
class Names implements TenantDirectory {
  #tenants: readonly Tenant[] = []

  write(ends: Readonly<Record<string, string>>, timezone: string | null = null): void {
    this.#tenants = Object.entries(ends).map(([id, text]) => {
      const expires = expiryOf(text, timezone ?? 'UTC')
      return { id, name: null, plan: null, timezone, contacts: new Map(), ...(expires === null ? {} : { expires }) }
    })
  }

  find(id: string): Tenant | null {
    return this.#tenants.find((one) => one.id === id) ?? null
  }

  ending(): readonly Tenant[] {
    return this.#tenants.filter(({ expires }) => expires !== undefined)
  }
}

/** One daemon, whose event time a test moves; it may be restarted. */
class World {
  readonly names = new Names()
  readonly said: string[] = []
  #engine = new RuleEngine(rules, { baselineSeriesLimit: 100, tenants: this.names })

  at(time: string): void {
    const view = new ScriptedView(Date.parse(time) - 10_000)
    view.push([])
    for (const { alert, from } of this.#engine.step(view.endMs, view)) this.said.push(lineOf(alert, from))
  }

  async restart(): Promise<void> {
    const state = new MemoryState()
    const persistence = new AlertPersistence(this.#engine)
    await state.put(persistence.changes('all').entries)
    this.#engine = new RuleEngine(rules, { baselineSeriesLimit: 100, tenants: this.names })
    await new AlertPersistence(this.#engine).load(state)
  }

  explain(): string {
    const [alert] = this.#engine.alerts()
    return this.#engine.explain(alert?.fingerprint ?? '')?.sentences.join('\n') ?? ''
  }

  status(): readonly string[] | null {
    return this.#engine.status('SubscriptionEnds')
  }
}

function lineOf({ severity, state, annotations }: Transition['alert'], from: string): string {
  return `${from}>${state} ${severity}: ${annotations['summary']}`
}

describe('The end of a subscription', () => {
  it('is told at each level once, and the reminder ends with the subscription', () => {
    const world = new World()
    world.names.write({ acme: '2026-03-31', birch: '2027-01-31' })
    for (let at = Date.parse('2026-02-27T00:00:00Z'); at < Date.parse('2026-04-03T00:00:00Z'); at += day / 24) {
      world.at(new Date(at).toISOString())
    }
    expect(world.said).toEqual([
      'inactive>firing info: The subscription of acme ends after 31 Mar 2026 (UTC). That is in 30 d.',
      'firing>firing ticket: The subscription of acme ends after 31 Mar 2026 (UTC). That is in 7 d.',
      'firing>resolved ticket: The subscription of acme has ended after 31 Mar 2026 (UTC), and this reminder with it after 30 d.',
    ])
  })

  it('counts days by the calendar of the tenant', () => {
    const world = new World()
    world.names.write({ acme: '2026-03-31' }, 'America/Los_Angeles')
    world.at('2026-04-01T06:50:00Z')
    world.at('2026-04-01T07:00:00Z')
    expect(world.said).toEqual([
      'inactive>firing ticket: The subscription of acme ends after 31 Mar 2026 (America/Los_Angeles). That is in 10 min.',
      'firing>resolved ticket: The subscription of acme has ended after 31 Mar 2026 (America/Los_Angeles), and this reminder with it after 10 min.',
    ])
  })

  it('that is moved far away ends the reminder; one that is moved a little is told anew', () => {
    const world = new World()
    world.names.write({ acme: '2026-03-05T12:00:00Z' })
    world.at('2026-03-01T00:00:00Z')
    world.names.write({ acme: '2026-03-20T12:00:00Z' })
    world.at('2026-03-01T00:10:00Z')
    world.names.write({ acme: '2027-03-20T12:00:00Z' })
    world.at('2026-03-01T00:20:00Z')
    world.at('2026-03-01T00:30:00Z')
    expect(world.said).toEqual([
      'inactive>firing ticket: The subscription of acme ends on 5 Mar 2026, 12:00 (UTC). That is in 4 d 12 h.',
      'firing>resolved ticket: The subscription of acme now ends on 20 Mar 2026, 12:00 (UTC), and the reminder of 2026-03-05T12:00:00Z is over after 10 min.',
      'inactive>firing info: The subscription of acme ends on 20 Mar 2026, 12:00 (UTC). That is in 19 d 12 h.',
      'firing>resolved info: The subscription of acme now ends on 20 Mar 2027, 12:00 (UTC), and the reminder of 2026-03-20T12:00:00Z is over after 10 min.',
    ])
  })

  it('that is taken out of the directory, or was past when it was first seen, is nobody’s reminder', () => {
    const world = new World()
    world.names.write({ acme: '2026-03-05', old: '2026-02-28' })
    world.at('2026-03-01T00:00:00Z')
    world.names.write({})
    world.at('2026-03-01T00:10:00Z')
    expect(world.said).toEqual([
      'inactive>firing ticket: The subscription of acme ends after 5 Mar 2026 (UTC). That is in 5 d.',
      'firing>resolved ticket: No end of the subscription of acme is known any more, and its reminder ends after 10 min.',
    ])
  })

  it('is not told again after a restart, nor forgotten when it passes meanwhile', async () => {
    const world = new World()
    world.names.write({ acme: '2026-03-05', birch: '2026-03-31' })
    world.at('2026-03-04T00:00:00Z')
    await world.restart()
    world.at('2026-03-04T00:10:00Z')
    await world.restart()
    world.at('2026-03-07T00:00:00Z')
    expect(world.said.map((line) => line.slice(0, 60))).toEqual(
      [
        'inactive>firing ticket: The subscription of acme ends after 5 ',
        'inactive>firing info: The subscription of birch ends after 31 ',
        'firing>resolved ticket: The subscription of acme has ended af',
      ].map((line) => line.slice(0, 60)),
    )
  })

  it('explains itself, and says why it is silent', () => {
    const world = new World()
    expect(world.status()).toEqual(['it is silent: no tenant of tenants.file has `expires`'])
    world.names.write({ acme: '2026-03-05', old: '2026-02-28' })
    world.at('2026-03-01T00:00:00Z')
    expect(world.status()).toEqual(['2 tenants have an end of their subscription, 1 of them still to come'])
    expect(world.explain()).toContain(
      'levels, each told once for each end of a subscription: info 30d before, ticket 7d before',
    )
  })
})

describe('A rule about expiries', () => {
  const problems = (lines: readonly string[]) => {
    const yaml = `version: 1\ngroups:\n  - name: g\n    rules:\n      - rule: E\n${lines.map((line) => `        ${line}\n`).join('')}`
    const parsed = parseRules([{ file: 'e.yaml', text: yaml }])
    return (parsed.ok ? parsed.warnings : parsed.problems).map(formatProblem).join('\n')
  }

  it('needs no more than its type', () => {
    expect(problems(['condition: {type: expiry}'])).toBe('')
  })

  it.each([
    [
      ['condition: {type: expiry, levels: {info: 7d, ticket: 30d}}'],
      /ticket: 30d is not nearer to the end than info: 7d/,
    ],
    [['condition: {type: expiry, levels: {}}'], /levels is empty/],
    [['condition: {type: expiry, levels: {info: 0.9}}'], /levels\.info .*for expiry a duration/],
    [['group_by: [tenant, api, expires]', 'condition: {type: expiry}'], /a subscription has no api/],
    [['group_by: [expires]', 'condition: {type: expiry}'], /lacks tenant/],
    [['for: 5m', 'condition: {type: expiry}'], /makes a reminder wait that only the calendar decides/],
    [['no_data: ok', 'condition: {type: expiry}'], /ends a reminder whenever the log stands still/],
    [['group_by: [tenant, expires]', 'condition: {type: spike}'], /expires is no label of spike/],
  ])('%j is told what is wrong with it', (lines, expected) => {
    expect(problems(lines)).toMatch(expected)
  })
})
