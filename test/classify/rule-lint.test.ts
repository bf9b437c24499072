import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import type { Cause } from '../../src/classify/cause.ts'
import { causeOf } from '../../src/classify/classify.ts'
import { classifyOptions } from '../../src/classify/options.ts'
import { conditionsOf, ruleWarnings } from '../../src/classify/rule-lint.ts'
import { bodyRecord } from './recording.ts'

type When = NonNullable<z.input<typeof classifyOptions>['rules']>[number]['when']

const optionsOf = (whens: readonly When[], cause: Cause = 'unknown', watch: object[] = []) =>
  classifyOptions.parse({ rules: whens.map((when) => ({ when, cause })), watch })

const shadowed = (...whens: readonly When[]) =>
  ruleWarnings(optionsOf(whens))
    .filter(({ message }) => message.includes('can never decide'))
    .map(({ index }) => index)

describe('a rule that can never decide is told', () => {
  test.each<[When, When]>([
    [{ api: 'chat' }, { api: 'chat' }],
    [{ api: '*' }, { api: 'chat' }],
    [{ api: 'billing-*' }, { api: 'billing-eu-*', tenant: 'acme' }],
    [{ route: 'chat' }, { api: 'chat' }],
    [{ code: 'QUOTA_*' }, { code: 'quotaExceeded' }],
    [{ text: 'overdue' }, { text: 'invoice overdue' }],
    [{ status: 402 }, { status: 402, service: 'pay' }],
  ])('%j covers %j', (earlier, later) => {
    expect(shadowed(earlier, later)).toEqual([1])
    expect(ruleWarnings(optionsOf([earlier, later]))[0]?.message).toContain('the rule "1" before it')
  })

  test.each<[When, When]>([
    [{ api: 'chat' }, { api: 'ch*' }],
    [{ api: 'chat' }, { tenant: 'acme' }],
    [{ api: 'a*b' }, { api: 'a*' }],
    [{ text: 'overdue' }, { text: 'overdues' }],
    [{ api: '*' }, { tenant: 'acme' }],
    [{ status: 402 }, { api: 'chat' }],
    [{ api: 'chat', tenant: 'acme' }, { api: 'chat' }],
  ])('%j does not cover %j', (earlier, later) => {
    expect(shadowed(earlier, later)).toEqual([])
  })

  test('and never one that decides something', () => {
    // Later patterns are made of the earlier ones and calls of the later ones, so that most of them meet.
    const filler = fc.stringMatching(/^[ab*]{0,2}$/)
    const narrowed = (pattern: string, by: string) => pattern.replaceAll('*', by)
    const called = (pattern: string) => pattern.replaceAll('*', 'b')
    let told = 0
    fc.assert(
      fc.property(
        fc.stringMatching(/^[ab*]{1,4}$/),
        fc.stringMatching(/^[ab*]{1,4}$/),
        filler,
        filler,
        (a, t, x, y) => {
          const [api, tenant] = [narrowed(a, x), narrowed(t, y)]
          const [earlier, later]: When[] = [
            { api: a },
            { api: api === '' ? 'a' : api, tenant: tenant === '' ? 'a' : tenant },
          ]
          if (earlier === undefined || later === undefined || shadowed(earlier, later).length === 0) return
          told++
          const record = bodyRecord({}, { api: called(later.api ?? ''), tenant: called(later.tenant ?? '') })
          expect(causeOf(record, optionsOf([later]).rules).source).toBe('rule:1')
          expect(causeOf(record, optionsOf([earlier, later]).rules).source).toBe('rule:1')
        },
      ),
    )
    expect(told).toBeGreaterThan(20)
  })
})

test('a status that nobody watches is told', () => {
  const asking: When[] = [{ status: 429, api: 'chat' }]
  expect(ruleWarnings(optionsOf(asking))).toMatchObject([{ index: 0, message: expect.stringContaining('status 429') }])
  expect(ruleWarnings(optionsOf(asking, 'unknown', [{ status: 429, codes: ['x'] }]))).toEqual([])
})

test('two rules with one name are told', () => {
  const rules = [
    { name: 'mine', when: { api: 'a' }, cause: 'unknown' },
    { name: 'mine', when: { api: 'b' }, cause: 'unknown' },
  ]
  expect(ruleWarnings(classifyOptions.parse({ rules }))).toMatchObject([{ index: 1, fix: 'give it a name of its own' }])
})

test('conditions read as a list', () => {
  const [rule] = optionsOf([{ api: 'billing-*', status: 402, code: 'TRIAL_*' }]).rules
  expect(rule && conditionsOf(rule)).toBe('api billing-*, status 402, code TRIAL_*')
})
