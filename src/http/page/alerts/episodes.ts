import type { AlertChange, Severity } from '../answers.ts'

/** One firing from its beginning to its end, as the alert log has it. Epoch milliseconds. */
export interface LoggedEpisode {
  readonly fingerprint: string
  readonly rule: string
  readonly severity: Severity
  readonly labels: Readonly<Record<string, string>>
  readonly tenantName: string | null
  readonly summary: string
  /** Null when it began before the span. */
  readonly firedMs: number | null
  /** Null while it still fires. */
  readonly endedMs: number | null
}

/**
 * Puts the changes of alerts together to firings, the newest first. A change that only says anew what was known (a
 * severity that rose) belongs to the firing under way.
 */
export function episodesOf(changes: readonly AlertChange[]): readonly LoggedEpisode[] {
  const done: LoggedEpisode[] = []
  const open = new Map<string, LoggedEpisode>()
  const oldestFirst = [...changes].sort((a, b) => Date.parse(a.time) - Date.parse(b.time))
  for (const change of oldestFirst) {
    const { fingerprint, rule, severity, labels, tenant_name: tenantName, summary } = change
    const at = Date.parse(change.time)
    const known = open.get(fingerprint)
    if (change.state === 'firing') {
      const firedMs = known === undefined ? at : known.firedMs
      open.set(fingerprint, { fingerprint, rule, severity, labels, tenantName, summary, firedMs, endedMs: null })
    } else if (change.state === 'resolved') {
      const said = { fingerprint, rule, severity, labels, tenantName, firedMs: null, ...known }
      done.push({ ...said, summary, endedMs: at })
      open.delete(fingerprint)
    }
  }
  const all = [...done, ...open.values()]
  return all.sort((a, b) => (b.firedMs ?? 0) - (a.firedMs ?? 0) || (b.endedMs ?? 0) - (a.endedMs ?? 0))
}

/** Where a firing lies in a span, as shares of it; null when it lies outside. */
export function placeIn(
  { firedMs, endedMs }: Pick<LoggedEpisode, 'firedMs' | 'endedMs'>,
  span: { readonly fromMs: number; readonly toMs: number },
): { readonly left: number; readonly width: number } | null {
  const length = span.toMs - span.fromMs
  const from = Math.max(firedMs ?? span.fromMs, span.fromMs)
  const to = Math.min(endedMs ?? span.toMs, span.toMs)
  if (length <= 0 || to < from) return null
  // A short one must still be seen.
  const width = Math.max((to - from) / length, 0.004)
  const left = Math.min((from - span.fromMs) / length, 1 - width)
  return { left, width }
}
