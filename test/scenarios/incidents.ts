import type { Alert } from '../../src/alert/alert.ts'
import type { Change, Flow } from './fleet.ts'
import { tenantName } from './fleet.ts'

/** Minutes since the incident began. */
export type Minute = number

export interface Incident {
  readonly name: string
  /** What happens, for people. */
  readonly story: string
  readonly minutes: number
  /** What it does to a flow; null while it leaves it alone. */
  readonly change: (flow: Flow, minute: Minute) => Change | null
  /** Whether the log stands still. */
  readonly stalled?: boolean
  /** Whether an alert, by its rule and labels, is about this incident. An incident that nobody should hear of has none. */
  readonly isAbout: ((alert: Alert) => boolean) | null
  /** The rule that must speak, and how many conversations one would want at most. */
  readonly expected: { readonly rules: readonly string[]; readonly conversations: number } | null
  /** Whether a refused call belongs to it, to judge what others say of it. */
  readonly concerns: (tenant: string, api: string) => boolean
}

const nobody = () => false
const everybody = () => true
const victim = tenantName(3)
const stormy = tenantName(12)
const numberOf = (tenant: string) => Number(tenant.slice(-4))
const byCause = (cause: string) => (alert: Alert) =>
  alert.labels['cause'] === cause || alert.numbers.top.some((one) => one.cause === cause)

/** Incidents as they happen to API companies, and what a good alarm makes of them. */
export const incidents: readonly Incident[] = [
  {
    name: 'quota cut by a bad deploy',
    story: 'a release cuts the quota of the chat API: a third of its calls are refused, for everybody',
    minutes: 40,
    change: ({ api }) => (api === 'chat' ? { refused: { cause: 'quota_exceeded', share: 0.35 } } : null),
    isAbout: byCause('quota_exceeded'),
    expected: { rules: ['FleetWideSpike', 'ManyTenantsRefused'], conversations: 2 },
    concerns: (_, api) => api === 'chat',
  },
  {
    name: 'card processor down',
    story: 'the card processor answers with errors: a fifth of all calls of half the customers cannot be paid',
    minutes: 30,
    change: ({ tenant }) =>
      numberOf(tenant) % 2 === 0 ? { refused: { cause: 'payment_gateway_error', share: 0.2 } } : null,
    isAbout: byCause('payment_gateway_error'),
    expected: { rules: ['FleetWideSpike', 'ManyTenantsRefused'], conversations: 2 },
    concerns: (tenant) => numberOf(tenant) % 2 === 0,
  },
  {
    name: "one tenant's card expired",
    story: 'every call of one large customer is refused because its card has expired',
    minutes: 120,
    change: ({ tenant }) => (tenant === victim ? { refused: { cause: 'invalid_payment_info', share: 1 } } : null),
    isAbout: (alert) => alert.labels['tenant'] === victim,
    expected: { rules: ['PaymentRefusalSpike', 'PaymentRefusalsHigh'], conversations: 1 },
    concerns: (tenant) => tenant === victim,
  },
  {
    name: 'gateway misroute',
    story: 'a route of the search API points to the wrong upstream: a seventh of its calls end as misconfigured',
    minutes: 45,
    change: ({ api }) => (api === 'search' ? { refused: { cause: 'misconfiguration', share: 0.15 } } : null),
    isAbout: byCause('misconfiguration'),
    expected: { rules: ['FleetWideSpike'], conversations: 2 },
    concerns: (_, api) => api === 'search',
  },
  {
    name: 'retry storm of one client',
    story: 'a client whose quota is used up tries again without waiting: twenty times the traffic, all of it refused',
    minutes: 60,
    change: ({ tenant }) =>
      tenant === stormy ? { traffic: 20, refused: { cause: 'quota_exceeded', share: 0.95 } } : null,
    isAbout: (alert) => alert.labels['tenant'] === stormy,
    expected: { rules: ['QuotaExhaustionSpike', 'PaymentRefusalsHigh'], conversations: 1 },
    concerns: (tenant) => tenant === stormy,
  },
  {
    name: 'traffic doubles, ratio constant',
    story: 'a campaign doubles the traffic of everybody; the share that is refused stays what it was',
    minutes: 180,
    change: () => ({ traffic: 2 }),
    isAbout: null,
    expected: null,
    concerns: nobody,
  },
  {
    name: 'month-end quota ends',
    story: 'ten middle-sized customers reach the end of their monthly quota, one every quarter of an hour',
    minutes: 180,
    change: ({ tenant }, minute) => {
      const place = numberOf(tenant) - 20
      return place >= 0 && place < 10 && minute >= place * 15
        ? { refused: { cause: 'quota_exceeded', share: 0.9 } }
        : null
    },
    isAbout: (alert) => {
      const place = numberOf(alert.labels['tenant'] ?? '9999') - 20
      return (place >= 0 && place < 10) || alert.labels['tenant'] === undefined
    },
    expected: { rules: ['QuotaExhaustionSpike', 'PaymentRefusalsHigh'], conversations: 12 },
    concerns: (tenant) => numberOf(tenant) >= 20 && numberOf(tenant) < 30,
  },
  {
    name: 'log pipeline stalls',
    story: 'the log stops for twenty minutes and then goes on where it was; no customer notices',
    minutes: 20,
    change: () => null,
    stalled: true,
    isAbout: (alert) => alert.rule === 'InputStalled',
    expected: { rules: ['InputStalled'], conversations: 1 },
    concerns: nobody,
  },
  {
    name: 'tenant migration',
    story: 'a middle-sized customer gets a new id; its traffic and its few refusals move as they are',
    minutes: 180,
    change: ({ tenant }) => (tenant === tenantName(40) ? { movedTo: 'customer-0040-eu' } : null),
    isAbout: null,
    expected: null,
    concerns: nobody,
  },
]

/** A whole day of nothing in particular: whoever speaks is wrong. */
export const quietDay: Incident = {
  name: 'an ordinary day',
  story: 'nothing happens',
  minutes: 24 * 60,
  change: () => null,
  isAbout: null,
  expected: null,
  concerns: everybody,
}
