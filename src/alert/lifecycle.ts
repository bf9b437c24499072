/*
 * inactive ──met──▶ pending ──met for `for`──▶ firing ──calm for `keep_firing_for`──▶ resolved ──15 min──▶ (forgotten)
 *     ▲                │                        │   ▲                                    │
 *     └───not met──────┘                        └───┘ not calm: the keeping starts anew  └──met──▶ a new episode
 *
 * `for: 0` goes from inactive straight to firing. Both waits count evaluated event time only: while the input is stale
 * nothing is evaluated, so their clocks stand still.
 */

/** The clocks of one active alert. */
export interface Lifecycle {
  readonly state: 'pending' | 'firing' | 'resolved'
  /** How long the condition has been met; counts while pending. */
  readonly pendingMs: number
  /** How long it has been calm; null while it is not. */
  readonly calmMs: number | null
}

export interface LifecycleInput {
  readonly met: boolean
  readonly calm: boolean
  /** Event time evaluated since the step before. */
  readonly elapsedMs: number
  readonly forMs: number
  readonly keepFiringForMs: number
}

/** The next state; null is inactive. */
export function advance(current: Lifecycle | null, input: LifecycleInput): Lifecycle | null {
  if (current === null || current.state === 'resolved') {
    if (!input.met) return current
    return { state: input.forMs === 0 ? 'firing' : 'pending', pendingMs: 0, calmMs: null }
  }
  if (current.state === 'pending') {
    if (!input.met) return null
    const pendingMs = current.pendingMs + input.elapsedMs
    return { state: pendingMs >= input.forMs ? 'firing' : 'pending', pendingMs, calmMs: null }
  }
  if (!input.calm) return current.calmMs === null ? current : { ...current, calmMs: null }
  const calmMs = current.calmMs === null ? 0 : current.calmMs + input.elapsedMs
  return { ...current, state: calmMs >= input.keepFiringForMs ? 'resolved' : 'firing', calmMs }
}
