import { setImmediate as breath } from 'node:timers/promises'
import type { Finding } from './auditor.ts'
import type { Blow } from './plan.ts'
import type { Safeguard } from './safeguards.ts'
import { simulate } from './world.ts'

/** What many runs came to. */
export interface Survey {
  readonly runs: number
  readonly failed: number
  /** Runs that met nothing but a known limit. */
  readonly limited: number
  readonly records: number
  readonly lives: number
  /** Of one core. */
  readonly seconds: number
}

/** Runs seeds `from` to `from + count - 1`, one after another. */
export async function survey(options: {
  readonly from: number
  readonly count: number
  readonly without?: Safeguard
  readonly more?: readonly Blow[]
  readonly untilFailure?: boolean
  /** @param soFar how many have failed, this one included */
  readonly onFailure?: (seed: number, findings: readonly Finding[], soFar: number) => void
  readonly onProgress?: (done: number) => void
}): Promise<Survey> {
  const { from, count, without, more = [], onFailure, onProgress } = options
  const startedUs = process.cpuUsage()
  let [failed, limited, records, lives] = [0, 0, 0, 0]
  let unhandled: unknown = null
  const onUnhandled = (error: unknown): void => {
    unhandled ??= error
  }
  process.on('unhandledRejection', onUnhandled)
  let seed = from
  for (; seed < from + count && !(options.untilFailure && failed > 0); seed++) {
    const outcome = await simulate(seed, { more, ...(without === undefined ? {} : { without }) })
    // Only now does Node.js tell of promises that nobody waited for.
    await breath()
    const findings = [...outcome.findings]
    if (unhandled !== null) findings.push({ kind: 'daemon', text: `a rejection nobody handles: ${String(unhandled)}` })
    unhandled = null
    records += outcome.values
    lives += outcome.lives
    if (findings.some(({ kind }) => kind !== 'limit')) {
      failed++
      onFailure?.(seed, findings, failed)
    } else if (findings.length > 0) limited++
    if (seed % 50 === 0) onProgress?.(seed - from + 1)
  }
  process.off('unhandledRejection', onUnhandled)
  const { user, system } = process.cpuUsage(startedUs)
  const seconds = (user + system) / 1e6
  return { runs: seed - from, failed, limited, records, lives, seconds }
}
