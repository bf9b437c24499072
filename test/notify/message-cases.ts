import type { Alert } from '../../src/alert/alert.ts'
import { composeMessage, type Message, type MessageContext, type MessageInput } from '../../src/notify/message.ts'
import { testMessage } from '../../src/notify/test-message.ts'
import type { Trend } from '../../src/notify/trend.ts'
import type { TenantDirectory } from '../../src/tenants/directory.ts'
import { alertOf, context, eleven, hour, minute } from './sample.ts'

type Change = Partial<Omit<MessageInput, 'firing' | 'resolved'>> & {
  readonly firing?: readonly Alert[]
  readonly resolved?: readonly Alert[]
}

export function inputOf(change: Change): MessageInput {
  const member = (alert: Alert) => ({ alert, noticedAtMs: alert.activeAtMs + 80_000, told: null, doneAtMs: null })
  return {
    id: '0123456789abcdef0123',
    thread: 'fedcba98765432100123',
    receiver: 'oncall',
    now: eleven,
    routeText: 'severity="page"',
    reminder: false,
    mutedCount: 0,
    folded: 0,
    groups: 1,
    maxPerMinute: 20,
    subject: null,
    ...change,
    firing: (change.firing ?? []).map(member),
    resolved: (change.resolved ?? []).map(member),
  }
}

/** A message of some alerts, made as the dispatcher makes it. */
export function messageOf(change: Change, shared: Partial<MessageContext> = {}): Message {
  return composeMessage(inputOf(change), { ...context, ...shared }).message
}

/** Refusals in steps of five minutes; a dot is a step without data, `a` is 40 and `b` 60. */
const refused = [...'010210121012..13212101012210102132ab'].map((sign) =>
  sign === '.' ? null : sign === 'a' ? 40 : sign === 'b' ? 60 : Number(sign),
)

export const trend = (): Trend => ({
  endMs: eleven,
  stepMs: 5 * minute,
  steps: refused.map((count) => (count === null ? null : new Map([['quota_exceeded' as const, count]]))),
})

const outageTrend = (): Trend => ({
  endMs: eleven,
  stepMs: 5 * minute,
  steps: refused.map((count, step) =>
    count === null
      ? null
      : new Map([
          ['payment_gateway_error' as const, step > 32 ? 400 + 7 * step : count],
          ['insufficient_funds' as const, 30 + (step % 5) * 4],
          ['quota_exceeded' as const, 20 + (step % 3) * 9],
          ['permission_denied' as const, step % 4],
          ['unknown' as const, step % 2],
        ]),
  ),
})

export const spike = alertOf({
  annotations: {
    summary: 'acme is refused on chat: quota exceeded. 27× normal, 60 of 1,004 (6.0 %) in 5 min, usually 2.2.',
  },
})
const outage = alertOf({
  rule: 'FleetWideSpike',
  labels: { cause: 'payment_gateway_error' },
  annotations: { summary: 'payment gateway error rises over all tenants', runbook: 'runbooks/processor-outage.md' },
  numbers: {
    observed: 1_240,
    requests: 48_200,
    expected: 31,
    pValue: 1e-30,
    soFar: 3_100,
    tenants: 42,
    top: [
      { tenant: 'acme', api: 'chat', cause: 'payment_gateway_error', count: 410 },
      { tenant: 'birch', api: 'search', cause: 'payment_gateway_error', count: 120 },
      { tenant: 'cedar', api: 'chat', cause: 'payment_gateway_error', count: 77 },
      { tenant: 'dale', api: 'chat', cause: 'payment_gateway_error', count: 12 },
    ],
  },
})
const high = alertOf({
  rule: 'PaymentRefusalsHigh',
  severity: 'ticket',
  labels: { tenant: 'acme', api: 'images' },
  annotations: { summary: 'a third of the calls is refused' },
  numbers: {
    observed: 31,
    requests: 90,
    expected: 18,
    pValue: null,
    soFar: 55,
    top: [{ tenant: 'acme', api: 'images', cause: 'insufficient_funds', count: 31 }],
  },
})
const stalled = alertOf({
  rule: 'LogInputStalled',
  labels: { topic: 'gateway-logs' },
  annotations: { summary: 'no record for 4 min on gateway-logs' },
  numbers: { windowMs: 0, observed: 0, requests: 0, expected: null, pValue: null, soFar: 0, peak: 0, tenants: 0 },
})
const over = alertOf({
  state: 'resolved',
  activeAtMs: eleven - 52 * minute,
  resolvedAtMs: eleven - 3 * minute,
  annotations: {
    summary: 'acme on chat: quota exceeded is back to normal after 49 min; 1,312 refused in all, at most 80 in 5 min.',
  },
  numbers: { observed: 2, requests: 990, soFar: 1_312, peak: 80 },
})
const many = Array.from({ length: 14 }, (_, i) =>
  alertOf({
    labels: { tenant: `tenant-${String(i).padStart(2, '0')}`, api: 'chat', cause: 'quota_exceeded' },
    annotations: { summary: `tenant-${String(i).padStart(2, '0')} is refused on chat: quota exceeded.` },
    numbers: { observed: 60 + i },
  }),
)
const hostile = alertOf({
  labels: {
    tenant: `<img src=x onerror=alert(1)>&"' <!channel> <https://evil.example.com|click> @here \u202Egnp.exe\r\nBcc: spy@example.com`,
    api: '*bold* _it_ `code` </td><script>alert(2)</script> javascript:alert(3)',
    cause: 'quota_exceeded',
  },
  annotations: { summary: '<b>summary</b> & <!everyone>', runbook: 'javascript:alert(4)' },
})
const rightToLeft = alertOf({ labels: { tenant: 'شركة الاختبار 🚀', api: 'צ׳אט', cause: 'insufficient_funds' } })
const endless = alertOf({
  labels: { tenant: 't'.repeat(10_240), api: `${'&<'.repeat(5_120)}`, cause: 'insufficient_funds' },
  annotations: { summary: `${'s&'.repeat(5_000)}` },
  numbers: {
    top: Array.from({ length: 10 }, () => ({
      tenant: 'x'.repeat(10_240),
      api: '<'.repeat(10_240),
      cause: 'unknown',
      count: 1,
    })),
  },
})

const own = { windowMs: 0, observed: 0, requests: 0, expected: null, pValue: null, soFar: 0, peak: 0, tenants: 1 }

export const quota = alertOf({
  rule: 'QuotaRunsOut',
  severity: 'ticket',
  labels: { tenant: 'acme', quota: 'calls' },
  annotations: { summary: 'acme has used 912 of 1,000 of its quota calls (91 %). It lasts until about 15:40 UTC.' },
  value: 0.912,
  numbers: {
    ...own,
    facts: [
      { label: 'Used', text: '912 of 1,000 (91 %)' },
      { label: 'Rate', text: '20 an hour' },
      { label: 'Runs out', text: 'between 14:20 and 17:10 UTC, with a chance of 93 %' },
      { label: 'Resets', text: '2026-03-03 00:00 UTC' },
    ],
  },
})
const burning = alertOf({
  rule: 'PaidTrafficBudgetBurn',
  labels: { api: 'chat' },
  annotations: { summary: 'chat spends its error budget 16 times as fast as it may. At this pace it lasts 1 d 3 h.' },
  value: 16.2,
  numbers: {
    windowMs: hour,
    observed: 812,
    requests: 10_020,
    expected: null,
    pValue: null,
    soFar: 812,
    tenants: 3,
    scope: { labels: { tenant: 'acme' }, share: 0.93 },
    facts: [
      { label: 'Burn rate', text: '16× in 1 h, 18× in 5 min (limit 14.4×)' },
      { label: 'Budget left', text: '61 % of 30 d, used up in about 1 d 3 h' },
    ],
    top: [
      { tenant: 'acme', api: 'chat', cause: 'insufficient_funds', count: 755 },
      { tenant: 'birch', api: 'chat', cause: 'quota_exceeded', count: 40 },
    ],
  },
})
const quiet = alertOf({
  rule: 'BigTenantWentQuiet',
  severity: 'ticket',
  labels: { tenant: 'acme' },
  annotations: { summary: 'acme has sent nothing for 22 min. Its gaps are usually under 40 s.' },
  value: 1_320,
  numbers: {
    ...own,
    facts: [
      { label: 'Last seen', text: '10:42 UTC' },
      { label: 'Usual gap', text: 'under 40 s' },
    ],
  },
})
const unseen = alertOf({
  rule: 'NewCause',
  severity: 'info',
  labels: { cause: 'subscription_expired' },
  annotations: { summary: 'New cause: subscription expired, not seen for 30 d. 3 refusals so far.' },
  value: 3,
  numbers: {
    ...own,
    windowMs: hour,
    observed: 3,
    requests: 4_000,
    soFar: 3,
    facts: [{ label: 'First', text: 'acme / chat at 11:01 UTC' }],
    top: [{ tenant: 'acme', api: 'chat', cause: 'subscription_expired', count: 3 }],
  },
})
const low = alertOf({
  rule: 'RefusalsDropped',
  severity: 'ticket',
  annotations: { summary: 'Refusals of acme on chat for quota exceeded have dropped: only 2 in 5 min, usually 50.' },
  numbers: { observed: 2, requests: 1_004, expected: 50, pValue: 1e-9, soFar: 12 },
})
/** As the rules give it once the spike is over and the alert is kept a while. */
export const calm = alertOf({
  annotations: {
    summary:
      'acme on chat is calm again: quota exceeded, 0 of 1,010 in 5 min, usually 2.2. Resolves in about 8 min unless it comes back.',
  },
  numbers: { observed: 0, requests: 1_010, expected: 2.2, pValue: 1, soFar: 420 },
})

export const directory: TenantDirectory = {
  find: (id) =>
    id !== 'acme'
      ? null
      : {
          id,
          name: 'Acme Corporation',
          plan: 'gold',
          timezone: 'Europe/Berlin',
          contacts: new Map([['billing', ['pay@acme.example.org', 'pay@acme.example.org', 'not an address']]]),
        },
}
const toTenant = {
  tenants: directory,
  operator: { name: 'Example API', contact: 'help@api.example.net' },
  trend,
} satisfies Partial<MessageContext>

export const operatorCases = {
  firing: messageOf({ firing: [spike] }, { trend }),
  reminder: messageOf({ firing: [spike], reminder: true, now: eleven + 4 * 60 * minute }),
  resolved: messageOf(
    { resolved: [over], subject: { of: 'x', text: 'acme / chat: quota exceeded, 27x normal (60 in 5 min)' } },
    { trend },
  ),
  fleet: messageOf({ firing: [outage], mutedCount: 3 }, { timezone: 'Europe/Berlin', trend: outageTrend }),
  threshold: messageOf({ firing: [high] }, { runbookUrl: 'alerts/runbooks/' }),
  'not-counting': messageOf({ firing: [stalled] }),
  quota: messageOf({ firing: [quota] }, { tenants: directory }),
  'quota-over': messageOf({
    resolved: [
      {
        ...quota,
        state: 'resolved',
        resolvedAtMs: eleven,
        annotations: { summary: 'The quota calls of acme has started anew: 3 of 1,000 used (0.3 %).' },
        numbers: { ...quota.numbers, facts: [{ label: 'Used', text: '3 of 1,000 (0.3 %)' }] },
      },
    ],
  }),
  'burn-rate': messageOf({ firing: [burning] }, { trend: outageTrend }),
  absence: messageOf({ firing: [quiet] }, { trend }),
  'new-value': messageOf({ firing: [unseen] }),
  'spike-down': messageOf({ firing: [low] }),
  'calm-reminder': messageOf({ firing: [calm], reminder: true, now: eleven + 4 * hour }),
  mixed: messageOf({ firing: [spike, quota, calm, quiet].map((alert, i) => ({ ...alert, episode: `e${i}` })) }),
  /** A second alert joined, and the first became a page. */
  changed: messageOf(
    {
      firing: [{ ...spike, numbers: { ...spike.numbers, observed: 85 } }, high],
      subject: { of: 'one alert', text: 'acme' },
    },
    { trend },
  ),
  test: testMessage('oncall', 'oncall/slack/0', eleven, context),
  drill: messageOf({ firing: [spike], drill: true }, { trend }),
  group: messageOf({ firing: [...many, high], resolved: [over] }),
  demo: messageOf({ firing: [spike] }, { demo: true, dashboardUrl: null }),
  digest: messageOf({ firing: many, groups: 296, folded: 5, routeText: '' }),
  hostile: messageOf({ firing: [hostile, high] }),
  'right-to-left': messageOf({ firing: [rightToLeft] }),
  endless: messageOf({
    firing: [
      endless,
      ...Array.from({ length: 12 }, (_, i) => ({ ...endless, fingerprint: `e${i}`, episode: `e${i}` })),
    ],
  }),
}

/** Messages to the tenant itself. */
export const externalCases = {
  'external-firing': messageOf({ firing: [spike], tenant: 'acme', to: ['pay@acme.example.org'] }, toTenant),
  'external-reminder': messageOf({ firing: [calm], tenant: 'acme', reminder: true }, toTenant),
  'external-resolved': messageOf({ resolved: [over], tenant: 'acme' }, toTenant),
  'external-quota': messageOf({ firing: [quota], tenant: 'acme' }, toTenant),
  'external-expiry': messageOf(
    {
      firing: [
        alertOf({
          rule: 'SubscriptionEnds',
          labels: { tenant: 'acme' },
          numbers: { ...own, facts: [{ label: 'Expires', text: 'after 8 Mar 2026 (Europe/Berlin), in 6 d 12 h' }] },
        }),
      ],
      tenant: 'acme',
    },
    toTenant,
  ),
  'external-several': messageOf(
    {
      firing: [
        spike,
        quota,
        alertOf({
          labels: { tenant: 'acme', api: 'images', cause: 'payment_gateway_error' },
          numbers: { observed: 20, requests: 400 },
        }),
        ...many,
      ],
      resolved: [over],
      tenant: 'acme',
    },
    toTenant,
  ),
  'external-drill': messageOf({ firing: [spike], tenant: 'acme', drill: true }, toTenant),
  'external-hostile': messageOf(
    { firing: [hostile], tenant: hostile.labels['tenant'] ?? '' },
    { ...toTenant, demo: true },
  ),
}
