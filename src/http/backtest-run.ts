import { setImmediate } from 'node:timers/promises'
import { Backtest, type Episode } from '../alert/backtest.ts'
import { MinuteView } from '../alert/minute-view.ts'
import type { Rule } from '../alert/rule.ts'
import { minutesSpanMs, type Queries } from '../history/query.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { dayMs, hourMs, minuteMs } from '../time/duration.ts'
import { formatInstant } from '../time/instant.ts'

/** The longest span that is tried over the API; `tollwatch rules backtest` has no such bound. */
export const longestSpanMs: number = 31 * dayMs
/** Then the answer is what was found so far. */
const longestRunMs = 20_000
const seriesLimit = 20_000

export interface BacktestRun {
  /** In the order in which they fired. */
  readonly episodes: readonly (Episode & Judged)[]
  /** False where a part of the span was not judged, or by coarse data. */
  readonly complete: boolean
  readonly warnings: readonly string[]
}

/** What the rule saw when it fired. */
interface Judged {
  readonly observed: number
  readonly expected: number | null
}

/** What history has of a span in minutes, and how a rule is tried on it. */
export interface BacktestOrder {
  readonly rule: Rule
  readonly fromMs: EpochMs
  readonly toMs: EpochMs
  readonly queries: Pick<Queries, 'minutes'>
  readonly seriesLimit: number
  readonly clock: Clock
  /** Aborted when the server closes. */
  readonly signal: AbortSignal
}

/** What one rule would have done over a span, as far as some seconds reach. Lets others run after each minute. */
export async function runBacktest(order: BacktestOrder): Promise<BacktestRun> {
  const { rule, queries, clock, signal } = order
  const fromMs = Math.floor(order.fromMs / minuteMs) * minuteMs
  const toMs = Math.floor(order.toMs / minuteMs) * minuteMs
  const startMs = fromMs - warmUpMs(rule)
  const deadline = clock.now() + longestRunMs
  const test = new Backtest([rule], { reportFromMs: fromMs, baselineSeriesLimit: order.seriesLimit })
  const view = new MinuteView(startMs)
  const judged = new Map<string, Judged>()
  const minute = async (): Promise<void> => {
    for (const { alert } of test.step(view)) {
      const { observed, expected } = alert.numbers
      if (!judged.has(keyOf(alert))) judged.set(keyOf(alert), { observed, expected })
    }
    await setImmediate()
  }
  const warnings: string[] = []
  let whole = true
  for (let at = startMs; at < toMs; at += minutesSpanMs) {
    const reason = signal.aborted
      ? 'the daemon stops'
      : clock.now() > deadline
        ? `${longestRunMs / 1000} s are over`
        : view.seriesCount > seriesLimit
          ? `there are more than ${seriesLimit} series`
          : null
    if (reason !== null) {
      warnings.push(`judged up to ${formatInstant(at)} only: ${reason}; tollwatch rules backtest has no such bounds`)
      break
    }
    const endMs = Math.min(at + minutesSpanMs, toMs)
    const { rows, complete } = await queries.minutes({ fromMs: at, toMs: endMs })
    whole &&= complete
    await view.take(rows, (endMs - at) / minuteMs, minute)
  }
  if (!whole) warnings.push('history by the minute does not reach back so far; what came before is not known')
  return {
    episodes: test.episodes().map((episode) => ({ ...episode, ...(judged.get(keyOf(episode)) ?? unknown) })),
    complete: warnings.length === 0,
    warnings,
  }
}

const unknown: Judged = { observed: 0, expected: null }

function keyOf({ fingerprint, activeAtMs }: { readonly fingerprint: string; readonly activeAtMs: EpochMs }): string {
  return `${fingerprint} ${activeAtMs}`
}

/** What it must have seen before it is asked. */
function warmUpMs({ condition }: Rule): number {
  return condition.type === 'threshold' ? hourMs : dayMs
}
