import type { Alert } from '../../../src/alert/alert.ts'
import { loadRules } from '../../../src/alert/rule-files.ts'
import type { Cause } from '../../../src/classify/cause.ts'
import { Fault } from '../../../src/fault/fault.ts'
import { silentLog } from '../../../src/fault/log.ts'
import type { VerifyReport } from '../../../src/history/ledger.ts'
import type { EventRow, Queries, TrendPoint } from '../../../src/history/query.ts'
import type { AuditEntry } from '../../../src/http/audit.ts'
import type { HttpDeps, SeriesName } from '../../../src/http/deps.ts'
import type { Account } from '../../../src/notify/account.ts'
import type { Drill, DrillDesk } from '../../../src/notify/drill.ts'
import type { Silence } from '../../../src/notify/silence.ts'
import type { TenantDirectory } from '../../../src/tenants/directory.ts'
import { type Clock, type EpochMs, ManualClock } from '../../../src/time/clock.ts'
import { minuteMs } from '../../../src/time/duration.ts'
import { formatInstant } from '../../../src/time/instant.ts'
import { type SeriesTotals, sliceMs, type WindowView } from '../../../src/window/view.ts'

/** Noon of an invented day, on a slice boundary. */
export const noon = Date.UTC(2026, 4, 1, 12)

interface Trade {
  readonly tenant: string
  readonly api: string
  readonly perMinute: number
  readonly refused: Partial<Record<Cause, number>>
}

/** Requests per minute, and the share of them that is refused for each cause. */
const trades: readonly Trade[] = [
  { tenant: 'acme', api: 'chat', perMinute: 200, refused: { quota_exceeded: 0.055, insufficient_funds: 0.005 } },
  {
    tenant: 'borealis-foods',
    api: 'orders',
    perMinute: 90,
    refused: { payment_failed: 0.06, payment_gateway_error: 0.03 },
  },
  { tenant: 'cinder', api: 'embeddings', perMinute: 640, refused: { resource_exhausted: 0.004 } },
  { tenant: 'dunlin', api: 'search', perMinute: 5, refused: { subscription_expired: 0.4 } },
  { tenant: 'ember', api: 'chat', perMinute: 1_400, refused: { invalid_payment_info: 0.0015, unknown: 0.0005 } },
  { tenant: 'fjord', api: 'images', perMinute: 60, refused: { billing_limit_exceeded: 0.01 } },
  { tenant: 'grove', api: 'chat', perMinute: 330, refused: {} },
  {
    tenant: 'halcyon',
    api: 'a-rather-long-api-name/v2/completions',
    perMinute: 12,
    refused: { permission_denied: 0.2 },
  },
]

/** A directory that knows two of the tenants, one of them without a name, and one that sends nothing. */
const worldTenants: TenantDirectory = {
  find: (id) => {
    if (id === 'quiet-co') return { id, name: 'Quiet & Co', plan: null, timezone: null, contacts: new Map() }
    if (id !== 'acme' && id !== 'dunlin') return null
    const name = id === 'acme' ? 'Acme Instruments Ltd' : null
    return { id, name, plan: 'gold', timezone: null, contacts: new Map([['billing', ['ap@acme.example']]]) }
  },
}

/** A number in [0, 1) that is the same for the same text. */
function chance(text: string): number {
  let hash = 2_166_136_261
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619)
  return ((hash ^ (hash >>> 15)) >>> 0) / 4_294_967_296
}

function expectedCount(trade: Trade, fromMs: EpochMs, toMs: EpochMs): SeriesTotals {
  const minutes = (toMs - fromMs) / minuteMs
  const wobble = 0.85 + 0.3 * chance(`${trade.tenant}${Math.floor(fromMs / sliceMs)}`)
  const requests = Math.round(trade.perMinute * minutes * wobble)
  const causes = Object.entries(trade.refused).flatMap(([cause, share]) => {
    const count = Math.round(requests * share)
    return count > 0 ? [{ cause: cause as Cause, count }] : []
  })
  const paymentRequired = causes.reduce((sum, { count }) => sum + count, 0)
  return { tenant: trade.tenant, api: trade.api, requests, paymentRequired, causes }
}

export function worldView(clock: Clock): WindowView {
  const endMs = Math.floor(clock.now() / sliceMs) * sliceMs
  return {
    endMs: endMs - 3 * sliceMs,
    headMs: endMs,
    oldestMs: endMs - 3_900_000,
    totals: (fromMs, toMs) => trades.map((trade) => expectedCount(trade, fromMs, toMs)),
  }
}

export function worldAlert(clock: Clock, replace: Partial<Alert> = {}): Alert {
  const activeAtMs = clock.now() - 42 * minuteMs
  return {
    fingerprint: '5f1c0a9be2d47733',
    episode: '5f1c0a9be2d47733-1',
    rule: 'PaymentRefusalSpike',
    severity: 'page',
    state: 'firing',
    labels: { tenant: 'acme', api: 'chat', cause: 'quota_exceeded' },
    annotations: {
      summary: 'acme is refused on chat: quota exceeded',
      runbook: 'alerts/runbooks/quota_exceeded.md',
    },
    activeAtMs,
    firedAtMs: activeAtMs + minuteMs,
    resolvedAtMs: null,
    evaluatedAtMs: clock.now(),
    shadow: false,
    value: 55,
    numbers: {
      windowMs: 300_000,
      observed: 55,
      requests: 1_004,
      expected: 2.04,
      pValue: 1e-12,
      soFar: 431,
      peak: 71,
      top: [{ tenant: 'acme', api: 'chat', cause: 'quota_exceeded', count: 55 }],
      tenants: 1,
      scope: null,
      facts: [],
    },
    ...replace,
  }
}

/** A bad day: one alert over the whole fleet, the others each over one tenant. */
export function manyAlerts(clock: Clock, count: number): readonly Alert[] {
  const one = worldAlert(clock)
  return Array.from({ length: count }, (_, i) => {
    const tenant = `tenant-${String(i).padStart(2, '0')}`
    const fleet = i === count - 1
    const observed = fleet ? 55 : 55 + i
    return worldAlert(clock, {
      fingerprint: `many-${i}`,
      labels: fleet ? { cause: 'quota_exceeded' } : { tenant, api: 'chat', cause: 'quota_exceeded' },
      annotations: {
        ...one.annotations,
        summary: `${fleet ? '14 tenants are refused' : `${tenant} is refused on chat`}: quota exceeded. ${Math.round(observed / 2)}× normal, ${observed} of 1,004 in 5 min, usually 2.`,
      },
      numbers: { ...one.numbers, observed },
    })
  })
}

/** History as it would look if the trades had gone on for ever; acme's and borealis' refusals come and go. */
function worldQueries(clock: Clock): Queries {
  const count = (trade: Trade, at: EpochMs, stepMs: number) => {
    const totals = expectedCount(trade, at, at + stepMs)
    const calm = clock.now() - at > 42 * minuteMs && trade.tenant === 'acme'
    const tide = 1 + Math.sin(at / 2_400_000)
    const causes = totals.causes.map(({ cause, count }) => ({
      cause,
      count: Math.round(calm ? count / 20 : count * tide),
    }))
    return { ...totals, causes }
  }
  const chosen = (select: { tenant?: string; api?: string }) =>
    trades.filter(
      (trade) => (select.tenant ?? trade.tenant) === trade.tenant && (select.api ?? trade.api) === trade.api,
    )
  return {
    trends: async (select) => {
      const { fromMs, toMs, stepMs } = select
      const byCause = new Map<string, TrendPoint[]>()
      for (let at = Math.floor(fromMs / stepMs) * stepMs; at < toMs; at += stepMs) {
        const refused = new Map<string, number>([['', 0]])
        let requests = 0
        for (const trade of chosen(select)) {
          const totals = count(trade, at, stepMs)
          requests += totals.requests
          for (const { cause, count } of totals.causes) refused.set(cause, (refused.get(cause) ?? 0) + count)
        }
        for (const [cause, payment_required] of refused) {
          if (select.cause !== undefined && cause !== select.cause) continue
          const points = byCause.get(cause) ?? []
          byCause.set(cause, points)
          points.push({
            time: formatInstant(at),
            requests,
            payment_required,
            ratio: requests > 0 ? payment_required / requests : null,
          })
        }
      }
      const series = [...byCause].map(([cause, points]) => ({ labels: { cause }, points }))
      return { from: formatInstant(fromMs), to: formatInstant(toMs), step_ms: stepMs, series }
    },
    summary: async (select) => ({
      rows: chosen(select).map((trade) => {
        const { tenant, api, requests, paymentRequired } = expectedCount(trade, select.fromMs, select.toMs)
        const keys = {
          ...(select.by.includes('tenant') ? { tenant } : {}),
          ...(select.by.includes('api') ? { api } : {}),
        }
        return { ...keys, requests, payment_required: paymentRequired, ratio: paymentRequired / requests }
      }),
    }),
    events: async (select) => ({
      rows: chosen(select)
        .flatMap((trade) => eventsOf(trade, select.toMs))
        .slice(0, select.limit),
      next: null,
    }),
    alerts: async () => ({ rows: [], next: null }),
    minutes: async () => ({ complete: true, rows: [] }),
    deadLetters: async () => ({ rows: [], next: null }),
  }
}

function eventsOf(trade: Trade, toMs: EpochMs): EventRow[] {
  return Object.keys(trade.refused).flatMap((cause, i) =>
    [0, 1, 2, 3].map((k) => ({
      time: formatInstant(toMs - (k * 4 + i + 1) * 7_300),
      tenant: trade.tenant,
      api: trade.api,
      cause,
      cause_code: cause === 'quota_exceeded' ? 'insufficient_quota' : null,
      cause_source: cause === 'quota_exceeded' ? 'response.body.error.code' : null,
      kind: 'payment_required',
      method: 'POST',
      consumer: 'key-7',
      plan: k === 0 ? null : 'starter',
      latency_ms: 12 + k,
      request_id: `req-${trade.tenant}-${k}`,
      format: 'kong',
    })),
  )
}

/** Counts lines; a line that does not begin with a brace is unreadable. */
const countLines: HttpDeps['ingest'] = async (_format, body) => {
  let text = ''
  for await (const chunk of body) text += Buffer.from(chunk).toString('utf8')
  const lines = text.split('\n').filter((line) => line !== '')
  const accepted = lines.filter((line) => line.startsWith('{')).length
  return { accepted, unreadable: lines.length - accepted }
}

function silenceBook(): HttpDeps['silences'] {
  const entries = new Map<string, Silence>()
  return {
    list: () => [...entries.values()],
    add: async (silence) => {
      if (silence.matchers.some((matcher) => !matcher.includes('='))) {
        throw new Fault('argument-invalid', 'a matcher needs a name and a value', { retryable: false })
      }
      const entry = { ...silence, id: `s${entries.size + 1}` }
      entries.set(entry.id, entry)
      return entry
    },
    expire: async (id) => entries.delete(id),
  }
}

/** One receiver was told and is reminded in four hours, the other is silenced. */
export function worldAccount(clock: Clock): Account {
  const toldAtMs = clock.now() - 41 * minuteMs
  const group = { rule: 'PaymentRefusalSpike', tenant: 'acme' }
  const way = { group, state: 'firing', muted: null, next: null } as const
  return {
    ways: [
      {
        ...{ ...way, receiver: 'oncall', integration: 'oncall/slack/0', route: 'severity="page"', told: 'page' },
        next: { kind: 'reminder', atMs: toldAtMs + 4 * 60 * minuteMs },
      },
      {
        ...{ ...way, receiver: 'log', integration: 'log/log/0', route: '', told: null },
        muted: { by: 'silence', name: 's1' },
      },
    ],
    messages: [
      {
        ...{ id: 'm1', receiver: 'oncall', integration: 'oncall/slack/0', subject: '[PAGE] acme', state: 'sent' },
        ...{ madeAtMs: toldAtMs, settledAtMs: toldAtMs + 6_000, attempts: 2, reason: null, retryAtMs: null },
      },
    ],
  }
}

function worldDrills(clock: Clock): DrillDesk {
  const past: Drill = {
    ...{ id: 'd0', rule: 'Drill', severity: 'page', labels: { severity: 'page', drill: 'd0' }, isDone: true },
    ...{ startedAtMs: clock.now() - 60 * minuteMs, account: worldAccount(clock) },
  }
  const started = new Map([[past.id, past]])
  return {
    start: async ({ receiver, rule, severity }) => {
      if (receiver === 'nobody') {
        throw new Fault('argument-invalid', 'there is no receiver "nobody"', { retryable: false })
      }
      const drill: Drill = {
        ...{ id: `d${started.size}`, rule: rule ?? 'Drill', severity, labels: { severity, drill: 'd1' } },
        ...{ startedAtMs: clock.now(), isDone: false, account: { ways: [], messages: [] } },
      }
      started.set(drill.id, drill)
      return drill
    },
    find: (id) => started.get(id) ?? null,
  }
}

/** Refusals by minute as the trades have them, the last one not over. */
function worldMinutes(series: SeriesName, endMs: EpochMs, minutes: number): number[] {
  const trade = trades.find(({ tenant, api }) => tenant === series.tenant && api === series.api)
  return Array.from({ length: minutes }, (_, at) => {
    const fromMs = endMs - (minutes - at) * minuteMs
    return trade === undefined ? 0 : expectedCount(trade, fromMs, fromMs + minuteMs).paymentRequired
  })
}

function worldFacts(clock: Clock): HttpDeps['facts'] {
  return {
    seen: async (tenant) =>
      trades.some((trade) => trade.tenant === tenant)
        ? { firstMs: noon - 90 * 86_400_000, lastMs: Math.floor(clock.now() / minuteMs) * minuteMs }
        : null,
    lastFired: async () => new Map([['PaymentRefusalSpike', clock.now() - 41 * minuteMs]]),
    deadLetterReasons: async () => new Map([['not-json', 3]]),
  }
}

/** Read once: it takes a while. */
const shipped = loadRules(['shipped'], '.')

/** The shipped rules, of which one has a baseline. */
function worldRules(clock: Clock): HttpDeps['rules'] {
  if (!shipped.ok) throw new Error('the shipped rules have problems')
  const { rules } = shipped
  return {
    seriesLimit: 1_000,
    list: () =>
      rules.map((rule) => ({ rule, firing: rule.name === 'PaymentRefusalSpike' ? 1 : 0, pending: 0, status: [] })),
    find: (name) => rules.find((rule) => rule.name === name) ?? null,
    usual: ({ tenant }, { requests }) => (tenant === 'acme' ? requests * 0.002 : null),
    band: (fingerprint) =>
      fingerprint === worldAlert(clock).fingerprint
        ? ({ requests }) => ({ expected: requests * 0.002, upper: requests * 0.002 + 9 })
        : null,
    quotas: (tenant) =>
      tenant === 'acme'
        ? [
            {
              ...{ api: null, quota: 'month', limit: 1_000_000, used: 912_000, source: 'header', chance: 0.93 },
              ...{ resetAtMs: clock.now() + 9 * 86_400_000, runsOutAtMs: clock.now() + 2 * 86_400_000 },
            },
          ]
        : [],
  }
}

function worldHealth(clock: Clock): ReturnType<HttpDeps['health']> {
  const lane = {
    source: 'kafka:c1:gateway-logs',
    lane: 0,
    label: 'gateway-logs/0',
    lag: 12,
    position: 4_711,
    problem: null,
  }
  return {
    lanes: [lane],
    ...{ latenessMs: 30_000, memoryBytes: 180_000_000 },
    verify: { atMs: clock.now() - 10 * minuteMs, report: soundReport },
    notifications: new Map([['oncall', { ok: 3, failed: 1, waiting: 0 }]]),
  }
}

const soundReport: VerifyReport = {
  ...{ ok: true, lanes: [], lane_count: 0, problems: [], checks: [], erasures: 0, totals: {} },
}

function worldAudit(clock: Clock): HttpDeps['audit'] {
  const entries: AuditEntry[] = []
  return {
    add: async (entry) => {
      entries.unshift({ ...entry, atMs: clock.now(), id: `a${entries.length}` })
    },
    list: () => entries,
  }
}

/** A daemon that is not there: lively, and the same on every run with a `ManualClock`. */
export function worldDeps(replace: Partial<HttpDeps> = {}): HttpDeps {
  const clock = replace.clock ?? new ManualClock(noon + 7_000)
  return {
    clock,
    log: silentLog,
    version: '0.1.0-test',
    facts: worldFacts(clock),
    directory: () => ['acme', 'dunlin', 'quiet-co'].flatMap((id) => worldTenants.find(id) ?? []),
    refusalsByMinute: (series, endMs, minutes) => worldMinutes(series, endMs, minutes),
    rules: worldRules(clock),
    health: () => worldHealth(clock),
    audit: worldAudit(clock),
    mcp: null,
    demo: true,
    startedMs: clock.now() - 3 * 3_600_000,
    queries: worldQueries(clock),
    tenants: worldTenants,
    verify: async () => soundReport,
    explain: (fingerprint) => (fingerprint === worldAlert(clock).fingerprint ? ['It is as it is.'] : null),
    account: (fingerprint) => (fingerprint === worldAlert(clock).fingerprint ? worldAccount(clock) : null),
    drills: worldDrills(clock),
    view: () => worldView(clock),
    watermarkMs: () => clock.now() - 31_000,
    alerts: () => [worldAlert(clock)],
    ready: () => [],
    progress: () => ({ lagRecords: 12, oldestUnwrittenSeconds: 0.4, series: trades.length, foldedTotal: 0 }),
    ingest: countLines,
    silences: silenceBook(),
    ...replace,
  }
}
