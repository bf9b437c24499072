import { sliceMs, windowLengthsMs } from '../src/window/view.ts'
import { type Figure, msText } from './figures.ts'
import { type ManySeries, manySeries } from './many-series.ts'
import { collect, median } from './measure.ts'
import type { Progress } from './progress.ts'

const startMs = Date.UTC(2026, 10, 21, 12, 0, 0)
const slicesPerRound = 6
/** What a threshold rule with a short and a long window and one more rule ask for. */
const asked = ['1m', '5m', '1h'] as const

/** What evaluating rules costs before the first rule is looked at: reading every series in three windows. */
export function alertInputsFigure({
  rounds,
  series,
  progress,
}: {
  rounds: number
  series: number
  progress: Progress
}): Figure {
  const many = manySeries({ series, refusedSeries: 0.1, endMs: startMs })
  const totals: number[] = []
  const advances: number[] = []
  const minutes: number[] = []
  let endMs = startMs
  for (let round = 0; round <= rounds; round++) {
    collect()
    const all = timed(() => {
      for (const name of asked) requireAll(many, many.windows.totals(endMs - windowLengthsMs[name], endMs).length)
    })
    const steps: number[] = []
    for (let i = 0; i < slicesPerRound; i++) {
      endMs += sliceMs
      steps.push(timed(() => void [...many.windows.advanceTo(endMs)]))
    }
    fill(many, endMs)
    if (round > 0) {
      totals.push(all)
      // The last step of a minute also looks for series that have gone silent.
      advances.push(median(steps.slice(0, -1)))
      minutes.push(steps.at(-1) ?? 0)
    }
    progress.step()
  }
  return {
    title: `Alert inputs at ${series.toLocaleString('en')} series`,
    note: 'Every series has requests in each window, one in ten has refusals. In brackets the extremes.',
    columns: ['', 'ms'],
    rows: [
      [`totals of all series, ${asked.join(' + ')}`, msText(totals)],
      ['moving on by one 10 s slice', msText(advances)],
      ['the slice that ends a minute (forgets silent series)', msText(minutes)],
    ],
    data: { series, totalsMs: totals, advanceMs: advances, minuteMs: minutes },
  }
}

function requireAll({ series }: ManySeries, found: number): void {
  if (found !== series) throw new Error(`${found} series instead of ${series} have requests`)
}

/** A request of every series in the minute that comes, so that all stay alive. */
function fill({ windows }: ManySeries, endMs: number): void {
  const slice = endMs / sliceMs
  for (const { tenant, api } of windows.totals(endMs - windowLengthsMs['1h'], endMs)) {
    windows.add(windows.series(tenant, api), slice, { requests: 1, refusals: 0, cause: -1 })
  }
}

function timed(work: () => void): number {
  const started = performance.now()
  work()
  return performance.now() - started
}
