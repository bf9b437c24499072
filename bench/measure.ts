/** What one piece of work took. CPU time is of all threads of this process, so a second thread shows. */
export interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
}

/** Starts a measurement; the function that it returns ends it. */
export function startCost(): () => Cost {
  const cpu = process.cpuUsage()
  const wall = performance.now()
  return () => {
    const wallMs = performance.now() - wall
    const { user, system } = process.cpuUsage(cpu)
    return { wallMs, cpuMs: (user + system) / 1_000 }
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The values of one round over those of another variant in the same round: their median, and the extremes. */
export interface Ratio {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** Rounds are compared one by one, so that what slows the whole machine down for a while does not count. */
export function ratioOf(rates: readonly number[], base: readonly number[]): Ratio {
  const ratios = rates.map((rate, round) => rate / (base[round] ?? Number.NaN))
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) }
}

/**
 * Frees what was made just now, so that the work does not pay for what was made for it. Not more: a full collection that
 * is forced makes V8 throw away the compiled code whose objects are gone, and compiling it anew costs as much as the work.
 */
export function collectYoung(): void {
  globalThis.gc?.({ type: 'minor', execution: 'sync' })
}

/** Frees what can be freed, so that one variant does not pay for the rubbish of another. */
export function collect(): void {
  globalThis.gc?.()
}

/** The least value that so large a share of all does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
