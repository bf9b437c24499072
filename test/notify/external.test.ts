import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressesOf, tenantOf } from '../../src/notify/contact.ts'
import { emailHtml } from '../../src/notify/email-html.ts'
import { emailText } from '../../src/notify/email-text.ts'
import { composeMessage } from '../../src/notify/message.ts'
import { directory, externalCases, inputOf, messageOf, spike, trend } from './message-cases.ts'
import { alertOf, context, eleven, hour } from './sample.ts'

/** Words that stand in an alert in one place each; found in a message they say what leaked. */
const secret = fc.nat(999_999).map((number) => `zq${String(number).padStart(6, '0')}`)

test('a tenant is told nothing of others, of rules, routes and runbooks, whatever an alert holds', () => {
  const plants = fc.uniqueArray(secret, { minLength: 16, maxLength: 16 })
  const states = fc.array(fc.constantFrom('firing' as const, 'resolved' as const), { minLength: 1, maxLength: 4 })
  const kinds = fc.record({ quota: fc.boolean(), calm: fc.boolean(), cause: fc.boolean(), reminder: fc.boolean() })
  fc.assert(
    fc.property(plants, states, kinds, (words, alertStates, { quota, calm, cause, reminder }) => {
      const [rule = '', tenant = '', api = '', label = '', value = '', summary = '', host = '', fact = ''] = words
      const [route = '', receiver = '', file = '', plan = '', name = '', other = '', runbook = '', kept = ''] =
        words.slice(8)
      const of = (owner: string, state: 'firing' | 'resolved', place: number) =>
        alertOf({
          rule,
          state,
          fingerprint: `f${place}${owner}`,
          resolvedAtMs: state === 'resolved' ? eleven : null,
          labels: {
            tenant: owner,
            api: owner === 'acme' ? 'chat' : api,
            [label]: value,
            ...(cause ? { cause: 'misconfiguration' } : {}),
          },
          annotations: { summary, runbook: `https://${host}.example.org/${runbook}`, [label]: value },
          numbers: {
            pValue: calm ? 1 : 1e-9,
            top: [
              { tenant, api, cause: 'insufficient_funds', count: 9 },
              { tenant: owner, api: 'chat', cause: 'unknown', count: 1 },
            ],
            tenants: 5_151,
            scope: { labels: { tenant, api }, share: 0.9 },
            facts: [
              { label: fact, text: `${tenant} and ${host}` },
              { label: 'Usual', text: other },
              ...(quota ? [{ label: 'Used', text: '9 of 10 (90 %)' }] : []),
            ],
          },
        })
      const own = alertStates.map((state, place) => of('acme', state, place))
      const message = messageOf(
        {
          tenant: 'acme',
          to: ['pay@acme.example.org'],
          routeText: route,
          receiver,
          reminder,
          // A group that told operators before keeps their subject; its words are internal.
          subject: { of: 'internal', text: kept },
          mutedCount: 7_777,
          groups: 8_888,
          firing: [of(tenant, 'firing', 9), ...own.filter(({ state }) => state === 'firing')],
          resolved: [of(other, 'resolved', 8), ...own.filter(({ state }) => state === 'resolved')],
        },
        {
          file,
          trend,
          tenants: {
            find: (id) => ({ id, name: id === 'acme' ? 'Acme' : name, plan, timezone: null, contacts: new Map() }),
          },
          pageUrl: `https://${host}.example.org`,
          runbookUrl: `https://${host}.example.org/${runbook}`,
          dashboardUrl: `https://${host}.example.org/d`,
        },
      )
      const { receiver: _, ...shown } = message
      const everything = JSON.stringify(shown) + emailText(message) + emailHtml(message, 'chart@example.org')
      for (const word of words) expect(everything).not.toContain(word)
      expect(/5,?151|7,?777|8,?888|× normal|expected|https?:/.exec(everything)?.[0]).toBeUndefined()
      expect(emailText(message)).toContain('Acme')
    }),
    { numRuns: 150 },
  )
})

test('a message to a tenant says what, since when in its own zone, what to do and whom to ask', () => {
  const text = emailText(externalCases['external-firing'])
  expect(text).toContain('Since 12:01 CET (11:01 UTC) some of your calls to chat are refused with status 402')
  expect(text).toContain('ask for a larger plan')
  expect(text).toContain('write to help@api.example.net')
  expect(externalCases['external-firing'].to).toEqual(['pay@acme.example.org'])
})

test('a quota that is used up is not called nearly used up', () => {
  const full = alertOf({
    labels: { tenant: 'acme', quota: 'calls' },
    value: 1,
    numbers: { expected: null, facts: [{ label: 'Used', text: '1,000 of 1,000 (100 %)' }] },
  })
  expect(messageOf({ firing: [full], tenant: 'acme' }).subject).toBe('Your quota “calls” is used up')
})

test('an alert that ended because it became the rule is not called over', () => {
  const stays = alertOf({ state: 'resolved', activeAtMs: eleven - 25 * hour, resolvedAtMs: eleven })
  expect(messageOf({ resolved: [stays], tenant: 'acme' }).sentences[1]).toBe(
    'Some of your calls to chat have been refused for 1 d 1 h and still are. We write again only if that changes.',
  )
})

test('the subject stays while the conversation lasts, also when another alert leads', () => {
  const images = alertOf({
    labels: { tenant: 'acme', api: 'images', cause: 'quota_exceeded' },
    numbers: { observed: 900 },
  })
  const input = { firing: [spike], tenant: 'acme' }
  const { subject } = composeMessage(inputOf(input), context)
  expect(subject.text).toBe('Calls to chat are refused: quota exceeded')
  expect(messageOf({ ...input, firing: [images, spike], subject }).subject).toBe(subject.text)
  expect(messageOf({ ...input, firing: [images], subject }).subject).toBe('Calls to images are refused: quota exceeded')
  const over = { ...spike, state: 'resolved' as const, resolvedAtMs: eleven }
  expect(messageOf({ ...input, firing: [], resolved: [over], subject }).subject).toBe(`[RESOLVED] ${subject.text}`)
})

test('addresses are those of the purpose, each once, and only plain ones', () => {
  expect(addressesOf('acme', 'billing', directory)).toEqual(['pay@acme.example.org'])
  expect(addressesOf('acme', 'technical', directory)).toEqual([])
  expect(addressesOf('birch', 'billing', directory)).toEqual([])
  const tricky = [
    'a@b.example, c@d.example',
    'x <a@b.example>',
    'a@b@c',
    'a b@c',
    'a@b\r\nBcc: c@d',
    '@',
    'ok@b.example',
  ]
  const contacts = new Map([['billing', tricky]])
  const one = { find: (id: string) => ({ id, name: null, plan: null, timezone: null, contacts }) }
  expect(addressesOf('t', 'billing', one)).toEqual(['ok@b.example'])
})

test('the tenant of some alerts is the one that all of them are about', () => {
  expect(tenantOf([spike, spike])).toBe('acme')
  expect(tenantOf([spike, alertOf({ labels: { tenant: 'birch' } })])).toBeNull()
  expect(tenantOf([alertOf({ labels: {} })])).toBeNull()
  expect(tenantOf([])).toBeNull()
})
