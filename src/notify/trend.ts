import type { Alert } from '../alert/alert.ts'
import { minuteMs } from '../time/duration.ts'
import type { WindowView } from '../window/view.ts'

const stepMs = 10 * minuteMs

/**
 * The refusals of what an alert is about, in steps of ten minutes up to the newest closed slice: as many steps as the
 * rings hold. Null before there are windows.
 */
export function trendOf(alert: Alert, view: WindowView | null): readonly number[] | null {
  const endMs = view?.endMs ?? null
  const oldestMs = view?.oldestMs ?? null
  if (view === null || endMs === null || oldestMs === null) return null
  const { tenant, api, cause } = alert.labels
  const steps: number[] = []
  for (let toMs = endMs; toMs - stepMs >= oldestMs; toMs -= stepMs) {
    let refused = 0
    for (const row of view.totals(toMs - stepMs, toMs)) {
      if ((tenant !== undefined && row.tenant !== tenant) || (api !== undefined && row.api !== api)) continue
      for (const one of row.causes) if (cause === undefined || one.cause === cause) refused += one.count
    }
    steps.unshift(refused)
  }
  return steps
}
