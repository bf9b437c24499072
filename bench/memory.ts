import { setImmediate } from 'node:timers/promises'
import type { Figure } from './figures.ts'
import { type ManySeries, manySeries } from './many-series.ts'
import { collect } from './measure.ts'
import type { Progress } from './progress.ts'

const endMs = Date.UTC(2026, 10, 21, 12, 0, 0)

interface Case {
  readonly series: number
  readonly refusedSeries: number
}

/** Memory of the windows and of the totals behind `/metrics`, per live series, everything else left out. */
export async function memoryFigure({ quick, progress }: { quick: boolean; progress: Progress }): Promise<Figure> {
  const cases: readonly Case[] = [
    { series: 10_000, refusedSeries: 0.1 },
    { series: 100_000, refusedSeries: 0.1 },
    ...(quick ? [] : [10_000, 100_000].map((series) => ({ series, refusedSeries: 0 }))),
    ...(quick ? [] : [{ series: 1_000_000, refusedSeries: 0.1 }]),
  ]
  // Code and shapes that are made once must not be charged to the first case.
  keep(manySeries({ series: 1_000, refusedSeries: 0.5, endMs }))
  const measured: (Case & { arrays: number; heap: number })[] = []
  for (const one of cases) {
    measured.push({ ...one, ...(await bytesOf(() => manySeries({ ...one, endMs }))) })
    progress.step()
  }
  return {
    title: 'Memory per live series',
    note: 'After a garbage collection. Each series has a request in every minute of the last hour. Arrays: the rings of 10 s slices, the running sums, the lifetime totals; heap: labels, maps, handles. Series with refusals have two causes.',
    columns: ['series', 'with refusals', 'B a series', 'in arrays', 'in heap', 'MiB in all'],
    rows: measured.map(({ series, refusedSeries, arrays, heap }) => [
      series.toLocaleString('en'),
      `${refusedSeries * 100} %`,
      ((arrays + heap) / series).toFixed(0),
      (arrays / series).toFixed(0),
      (heap / series).toFixed(0),
      ((arrays + heap) / 1024 / 1024).toFixed(1),
    ]),
    data: measured,
  }
}

async function bytesOf(make: () => ManySeries): Promise<{ arrays: number; heap: number }> {
  await collectAll()
  const before = process.memoryUsage()
  const made = make()
  await collectAll()
  const after = process.memoryUsage()
  keep(made)
  return { arrays: after.arrayBuffers - before.arrayBuffers, heap: after.heapUsed - before.heapUsed }
}

/** The memory behind arrays is given back a little after the collection that finds them dead. */
async function collectAll(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collect()
    await setImmediate()
  }
}

/** Uses what was made, so that it is alive when memory is read. */
function keep({ windows, lifetime, series }: ManySeries): void {
  if (windows.seriesCount !== series || lifetime.totals().length !== series) throw new Error('series are missing')
}
