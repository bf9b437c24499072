import { type Severity, severities } from './alert.ts'

/** What a condition with several severities says at one step. */
export interface LevelReading {
  /** The highest level that is reached now; null if none is. */
  readonly reached: Severity | null
  /** The highest level that is not over yet: levels end later than they begin, or they would flap. */
  readonly kept: Severity | null
}

/** Nothing is reached and nothing kept: an alert that is about to end stays as severe as it was. */
export const noLevel: LevelReading = { reached: null, kept: null }

/** Where an alert stands among its levels. */
export interface LevelState {
  readonly severity: Severity
  /** How long a lower level has been enough; null while it is not. */
  readonly lowerMs: number | null
}

export interface LevelStep {
  readonly elapsedMs: number
  readonly keepFiringForMs: number
}

/** The severity of an alert after one more step: it rises at once and falls only after `keep_firing_for`. */
export function nextLevel(current: LevelState, { reached, kept }: LevelReading, step: LevelStep): LevelState {
  if (reached !== null && compareSeverity(reached, current.severity) > 0) return { severity: reached, lowerMs: null }
  const enough = highest([reached, kept])
  // With nothing reached or kept the alert is about to end; until then it stays what it was.
  if (enough === null || compareSeverity(enough, current.severity) >= 0) {
    return current.lowerMs === null ? current : { ...current, lowerMs: null }
  }
  const lowerMs = current.lowerMs === null ? 0 : current.lowerMs + step.elapsedMs
  return lowerMs >= step.keepFiringForMs ? { severity: enough, lowerMs: null } : { ...current, lowerMs }
}

export function compareSeverity(a: Severity, b: Severity): number {
  return severities.indexOf(a) - severities.indexOf(b)
}

/** The most severe of some; null if there is none. */
export function highest(some: readonly (Severity | null)[]): Severity | null {
  let best: Severity | null = null
  for (const one of some) if (one !== null && (best === null || compareSeverity(one, best) > 0)) best = one
  return best
}
