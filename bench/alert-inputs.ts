import { planGrouping } from '../src/alert/grouping.ts'
import { Groupings } from '../src/alert/step-sums.ts'
import type { Column } from '../src/window/columns.ts'
import { sliceMs, windowLengthsMs } from '../src/window/view.ts'
import { type Figure, msText } from './figures.ts'
import { type ManySeries, manySeries } from './many-series.ts'
import { collect, median } from './measure.ts'
import type { Progress } from './progress.ts'

const startMs = Date.UTC(2026, 10, 21, 12, 0, 0)
const slicesPerRound = 6
/** What a threshold rule with a short and a long window and one more rule ask for. */
const asked = ['1m', '5m', '1h'] as const
const million = 1_000_000
/** Where the other figures are about so many series, moving on is also measured at a million. */
const manyEnough = 100_000

interface Times {
  readonly columns: number[]
  readonly sums: number[]
  readonly totals: number[]
  readonly advances: number[]
  readonly minutes: number[]
}

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
  const times = timesAt(series, { rounds, progress })
  const rows = [
    [`columns of all series, ${asked.join(' + ')}`, msText(times.columns)],
    ['... added up by tenant, API and cause', msText(times.sums)],
    ['the same as rows, for pages', msText(times.totals)],
    ...movingOn(series, times),
  ]
  const most = series >= manyEnough ? timesAt(million, { rounds, progress }) : null
  if (most !== null) {
    rows.push([`columns of ${million.toLocaleString('en')} series, added up`, msText(most.sums)])
    rows.push(...movingOn(million, most))
  }
  return {
    title: `Alert inputs at ${series.toLocaleString('en')} series`,
    note: 'Every series has requests in each window, one in ten has refusals. In brackets the extremes.',
    columns: ['', 'ms'],
    rows,
    data: { series, ...times, million: most },
  }
}

function movingOn(series: number, { advances, minutes }: Times): string[][] {
  return [
    [`moving on by one 10 s slice at ${series.toLocaleString('en')}`, msText(advances)],
    ['... by the slice that ends a minute (forgets silent series)', msText(minutes)],
  ]
}

function timesAt(series: number, { rounds, progress }: { rounds: number; progress: Progress }): Times {
  const many = manySeries({ series, refusedSeries: 0.1, endMs: startMs })
  const groupings = new Groupings()
  const grouping = groupings.get(planGrouping(['tenant', 'api', 'cause'], []))
  const times: Times = { columns: [], sums: [], totals: [], advances: [], minutes: [] }
  let endMs = startMs
  for (let round = 0; round <= rounds; round++) {
    collect()
    const columns = timed(() => {
      for (const name of asked) requireColumns(many, many.windows.columns(endMs - windowLengthsMs[name], endMs))
    })
    const step = groupings.step(many.windows, endMs)
    const sums = timed(() => {
      for (const name of asked) requireAll(many, step.sums(grouping, windowLengthsMs[name]).requests.length)
    })
    const totals = timed(() => {
      for (const name of asked) requireAll(many, many.windows.totals(endMs - windowLengthsMs[name], endMs).length)
    })
    const steps: number[] = []
    for (let i = 0; i < slicesPerRound; i++) {
      endMs += sliceMs
      steps.push(timed(() => void [...many.windows.advanceTo(endMs)]))
    }
    fill(many, endMs)
    progress.step()
    // The first round learns which series belongs to which group.
    if (round === 0) continue
    times.columns.push(columns)
    times.sums.push(sums)
    times.totals.push(totals)
    // The last step of a minute also looks for series that have gone silent.
    times.advances.push(median(steps.slice(0, -1)))
    times.minutes.push(steps.at(-1) ?? 0)
  }
  return times
}

function requireColumns(many: ManySeries, columns: readonly Column[]): void {
  if ((columns[0]?.counts.length ?? 0) < many.series) throw new Error('the column is too short')
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
