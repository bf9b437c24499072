import type { Alert } from '../../src/alert/alert.ts'
import type { MetricsInputs } from '../../src/telemetry/inputs.ts'
import type { SeriesTotals, WindowView } from '../../src/window/view.ts'

/** A series with refusals of one cause. */
export function series(tenant: string, api: string, requests: number, refused = 0): SeriesTotals {
  const causes = refused > 0 ? [{ cause: 'quota_exceeded' as const, count: refused }] : []
  return { tenant, api, requests, paymentRequired: refused, causes }
}

/** Windows that answer the same totals for every span, or by the span's length. */
export function view(totals: (lengthMs: number) => readonly SeriesTotals[]): WindowView {
  const endMs = Date.UTC(2026, 4, 1, 12)
  return { endMs, headMs: endMs + 30_000, oldestMs: 0, totals: (fromMs, toMs) => totals(toMs - fromMs) }
}

export function alert(rule: string, state: Alert['state'], severity: Alert['severity'] = 'page'): Alert {
  return {
    fingerprint: '0f3a',
    episode: '0f3a-1',
    rule,
    severity,
    state,
    labels: {},
    annotations: { summary: 's' },
    activeAtMs: 0,
    firedAtMs: 0,
    resolvedAtMs: null,
    evaluatedAtMs: 0,
    shadow: false,
    value: 1,
    numbers: {
      windowMs: 300_000,
      observed: 1,
      requests: 1,
      expected: null,
      pValue: null,
      soFar: 1,
      peak: 1,
      top: [],
      tenants: 1,
      scope: null,
      facts: [],
    },
  }
}

export function inputs(replace: Partial<MetricsInputs> = {}): MetricsInputs {
  return {
    lifetime: () => [],
    view: () => null,
    lag: () => [],
    watermarkDelaySeconds: () => null,
    series: () => 0,
    foldedTotal: () => 0,
    oldestUnwrittenSeconds: () => 0,
    alerts: () => [],
    ...replace,
  }
}
