import { describe, expect, it } from 'vitest'
import type { AlertNumbers } from '../../src/alert/alert.ts'
import { fingerprint } from '../../src/alert/fingerprint.ts'
import { isCombined } from '../../src/alert/rule.ts'
import { formatCount, formatPercent, type SummaryInput, summarise } from '../../src/alert/summary.ts'
import { rulesOf } from './simulation.ts'

const [spike] = rulesOf('- {rule: A, condition: {type: spike}}')
const numbers: AlertNumbers = {
  windowMs: 300_000,
  observed: 60,
  requests: 1004,
  expected: 2.2,
  pValue: 1e-9,
  soFar: 172,
  peak: 66,
  top: [{ tenant: 'acme', api: 'chat', cause: 'quota_exceeded', count: 60 }],
  tenants: 1,
  scope: null,
  facts: [],
}
const labels = { tenant: 'acme', api: 'chat', cause: 'quota_exceeded' }

function sentence(more: Partial<SummaryInput> = {}): string {
  if (spike === undefined || isCombined(spike.condition)) throw new Error('no rule')
  return summarise({
    condition: spike.condition,
    state: 'firing',
    labels,
    value: 60,
    numbers,
    learning: false,
    side: 'up',
    resolvesInMs: null,
    lastedMs: 17 * 60_000,
    newNormal: false,
    words: null,
    ...more,
  })
}

describe('summarise', () => {
  it('says who, where, why, how much and how unusual', () => {
    expect(sentence()).toBe(
      'acme is refused on chat: quota exceeded. 27× normal, 60 of 1,004 (6.0 %) in 5 min, usually 2.2.',
    )
  })

  it('gives no factor over next to nothing', () => {
    expect(sentence({ numbers: { ...numbers, expected: 0.001 } })).toBe(
      'acme is refused on chat: quota exceeded. 60 of 1,004 (6.0 %) in 5 min, usually almost none.',
    )
  })

  it('counts tenants where the series is more than one', () => {
    const fleet = { labels: { cause: 'unknown' }, numbers: { ...numbers, tenants: 14 } }
    expect(sentence(fleet)).toMatch(/^14 tenants are refused: cause unknown\. 27× normal/)
    expect(sentence({ ...fleet, numbers })).toMatch(/^acme is refused: cause unknown\./)
    expect(sentence({ labels: { family: 'payment', api: 'chat' } })).toMatch(
      /^acme is refused on chat: payment causes\./,
    )
  })

  it('says when it is over, and how bad it was', () => {
    expect(sentence({ state: 'resolved' })).toBe(
      'acme on chat: quota exceeded is back to normal after 17 min; 172 refused in all, at most 66 in 5 min.',
    )
    expect(sentence({ state: 'resolved', labels: { cause: 'payment_failed' } })).toMatch(
      /^Refusals for payment failed are back to normal after 17 min;/,
    )
  })

  it('says while it cools down that it is calm, and until when it is kept', () => {
    const calm = { resolvesInMs: 8 * 60_000, numbers: { ...numbers, observed: 0, requests: 1851, expected: 2.9 } }
    const end = 'Resolves in about 8 min unless it comes back.'
    expect(sentence(calm)).toBe(`acme on chat is calm again: quota exceeded, 0 of 1,851 in 5 min, usually 2.9. ${end}`)
    expect(sentence({ ...calm, labels: { cause: 'payment_failed' } })).toBe(
      `Refusals for payment failed are calm again: 0 of 1,851 in 5 min, usually 2.9. ${end}`,
    )
    expect(sentence({ ...calm, side: 'down', numbers })).toBe(
      `Refusals of acme on chat for quota exceeded are no longer low: 60 of 1,004 (6.0 %) in 5 min, usually 2.2. ${end}`,
    )
  })

  it('puts what a tenant is called in as it is', () => {
    expect(sentence({ labels: { ...labels, tenant: '{{ value }} <b>' } })).toMatch(/^\{\{ value \}\} <b> is refused/)
  })
})

describe('numbers for people', () => {
  it.each([
    [0, '0'],
    [2.24, '2.2'],
    [9.96, '10'],
    [27.3, '27'],
    [1004, '1,004'],
    [1234567, '1,234,567'],
  ])('writes %f as %s', (value, text) => expect(formatCount(value)).toBe(text))

  it.each([
    [0, '0 %'],
    [0.0021, '0.21 %'],
    [0.0598, '6.0 %'],
    [0.549, '54.9 %'],
    [1, '100 %'],
  ])('writes %f as %s', (value, text) => expect(formatPercent(value)).toBe(text))
})

describe('fingerprint', () => {
  it('does not depend on the order of labels, but on everything else', () => {
    const one = fingerprint('A', { tenant: 'a', api: 'x' })
    expect(one).toMatch(/^[0-9a-f]{16}$/)
    expect(fingerprint('A', { api: 'x', tenant: 'a' })).toBe(one)
    expect(fingerprint('B', { tenant: 'a', api: 'x' })).not.toBe(one)
    expect(fingerprint('A', { tenant: 'ax', api: '' })).not.toBe(one)
  })
})
