import { describe, expect, test } from 'vitest'
import { exactly, flawOf, matchersFor, mutes, silenceOf } from '../../../../src/http/page/alerts/silencing.ts'
import type { Silence } from '../../../../src/http/page/answers.ts'

const alert = {
  rule: 'PaymentRefusalSpike',
  severity: 'page',
  labels: { tenant: 'a "b" \\ c', api: 'chat', cause: 'payment_failed', family: 'payment' },
} as const

describe('a silence', () => {
  test('is offered for who, where and why, and mutes just that', () => {
    const matchers = matchersFor(alert)
    expect(matchers).toEqual(['tenant="a \\"b\\" \\\\ c"', 'api="chat"', 'cause="payment_failed"'])
    expect(mutes(matchers, alert)).toBe(true)
    expect(mutes(matchers, { ...alert, labels: { ...alert.labels, api: 'images' } })).toBe(false)
  })

  test('of an alert over everything is for its rule', () => {
    expect(matchersFor({ rule: 'Burn', labels: { family: 'quota' } })).toEqual(['rule="Burn"'])
  })

  test.each([
    [['rule=~"Payment.*"'], true],
    [['severity="ticket"'], false],
    [['alertname="PaymentRefusalSpike"', 'cause!="unknown"'], true],
    [['tenant'], false],
    [[], false],
  ])('with %j mutes: %s', (matchers, wanted) => {
    expect(mutes(matchers, alert)).toBe(wanted)
  })

  test('says what is wrong with it before it is sent', () => {
    expect(flawOf([])).toMatch(/at least one/)
    expect(flawOf(['tenant is acme'])).toMatch(/no matcher; write label="value"/)
    expect(flawOf([exactly('tenant', 'acme')])).toBeNull()
  })

  test('holds an alert back only while it is active', () => {
    const silence = (state: Silence['state']): Silence => ({
      ...{ id: state, matchers: ['api="chat"'], starts_at: '', ends_at: '', created_by: '', comment: '', state },
    })
    expect(silenceOf(alert, [silence('expired'), silence('scheduled')])).toBeNull()
    expect(silenceOf(alert, [silence('expired'), silence('active')])?.id).toBe('active')
  })
})
