import type { Alert } from '../alert/alert.ts'
import type { Queries } from '../history/query.ts'
import type { SeriesTotals, WindowView } from '../window/view.ts'
import type { HttpDeps } from './deps.ts'
import { Problem } from './problem.ts'

/**
 * The daemon as one tenant may see it: whatever an endpoint asks of it, rows of others are not there. What would show
 * more than one tenant at once is refused, also if an endpoint asks for it by mistake.
 */
export function narrowed(deps: HttpDeps, tenant: string): HttpDeps {
  const isOwn = ({ labels }: Alert) => labels['tenant'] === tenant
  const alerts = () =>
    deps
      .alerts()
      .filter(isOwn)
      .map((alert) => ownPart(alert, tenant))
  const knows = (fingerprint: string) =>
    deps.alerts().some((alert) => alert.fingerprint === fingerprint && isOwn(alert))
  const own = deps.tenants.find(tenant)
  return {
    ...{ clock: deps.clock, log: deps.log, version: deps.version, demo: deps.demo, startedMs: deps.startedMs },
    queries: ownQueries(deps.queries, tenant),
    facts: { seen: () => deps.facts.seen(tenant), lastFired: refused, deadLetterReasons: refused },
    tenants: { find: (id) => (id === tenant ? own : null) },
    directory: () => (own === null ? [] : [own]),
    verify: refused,
    view: () => ownView(deps.view(), tenant),
    refusalsByMinute: (series, endMs, minutes) =>
      series.tenant === tenant ? deps.refusalsByMinute(series, endMs, minutes) : refused(),
    watermarkMs: () => deps.watermarkMs(),
    alerts,
    // What happened is the tenant's; how the rule judges it tells of the fleet.
    explain: (fingerprint) => (knows(fingerprint) ? (deps.explain(fingerprint)?.slice(0, 1) ?? null) : null),
    // Messages bundle tenants, and routes name them.
    account: () => null,
    rules: {
      list: refused,
      find: (name) => deps.rules.find(name),
      usual: (series, traffic) => (series.tenant === tenant ? deps.rules.usual(series, traffic) : null),
      band: (fingerprint) => (knows(fingerprint) ? deps.rules.band(fingerprint) : null),
      quotas: () => deps.rules.quotas(tenant),
      seriesLimit: deps.rules.seriesLimit,
    },
    drills: { start: refused, find: refused },
    ready: refused,
    progress: refused,
    health: refused,
    ingest: refused,
    silences: { list: refused, add: refused, expire: refused },
    audit: { add: refused, list: refused },
    mcp: null,
  }
}

function refused(): never {
  throw new Problem(403, 'A token of one tenant sees that tenant alone; this is about more than that.')
}

function ownQueries(queries: Queries, tenant: string): Queries {
  return {
    trends: (select) => queries.trends({ ...select, tenant }),
    summary: (select) => queries.summary({ ...select, tenant }),
    events: (select) => queries.events({ ...select, tenant }),
    alerts: (select) => queries.alerts({ ...select, tenant }),
    minutes: (select) => queries.minutes({ ...select, tenant }),
    deadLetters: refused,
  }
}

function ownView(view: WindowView | null, tenant: string): WindowView | null {
  if (view === null) return null
  const isOwn = (series: SeriesTotals) => series.tenant === tenant
  return {
    ...{ endMs: view.endMs, headMs: view.headMs, oldestMs: view.oldestMs },
    totals: (fromMs, toMs) => view.totals(fromMs, toMs).filter(isOwn),
  }
}

/** An alert about one tenant has no other contributors; if it ever had, they are not told. */
function ownPart(alert: Alert, tenant: string): Alert {
  const top = alert.numbers.top.filter((one) => one.tenant === tenant)
  return { ...alert, numbers: { ...alert.numbers, top } }
}
