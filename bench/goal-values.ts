import { z } from 'zod'
import type { Figure } from './figures.ts'
import { median } from './measure.ts'

const memoryData = z.array(
  z.object({ series: z.number(), refusedSeries: z.number(), arrays: z.number(), heap: z.number() }),
)
/** Milliseconds, round by round. */
const alertData = z.object({ series: z.number(), columns: z.array(z.number()), sums: z.array(z.number()) })

/** Puts into the table of goals what the figure says of the number of series that the goal is about. */
export function withMemoryGoal(figure: Figure): Figure {
  const cases = memoryData.parse(figure.data).filter(({ series }) => series === 1_000_000)
  const measured = cases.map(({ series, refusedSeries, arrays, heap }) => {
    return { goal: 'memory' as const, of: `${refusedSeries * 100} % with 402s`, value: (arrays + heap) / series }
  })
  return { ...figure, measured }
}

/** Both what is read for rules, and the same added up as a rule by tenant, API and cause wants it. */
export function withAlertGoal(figure: Figure): Figure {
  const { series, columns, sums } = alertData.parse(figure.data)
  if (series !== 100_000) return figure
  const measuredOf = (of: string, ms: readonly number[]) => {
    return { goal: 'alerts' as const, of, value: median(ms), low: Math.min(...ms), high: Math.max(...ms) }
  }
  return { ...figure, measured: [measuredOf('read', columns), measuredOf('added up', sums)] }
}
