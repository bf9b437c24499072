import type uPlot from 'uplot'
import { clockTime, count, percent } from '../format.ts'
import type { Theme } from './theme.ts'

const font = '12px system-ui, sans-serif'

/** Time below, counts or shares on the left. */
export function axesOf({ muted, line }: Theme, unit: 'count' | 'share'): uPlot.Axis[] {
  return [
    {
      stroke: muted,
      font,
      grid: { show: false },
      ticks: { stroke: line, width: 1 },
      values: (made, times) => times.map((time) => tick(time, times, (made.scales['x']?.max ?? time) * 1_000)),
      space: 70,
      size: 30,
    },
    {
      stroke: muted,
      font,
      size: 50,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
      ...(unit === 'count'
        ? {
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7],
            values: (_, values) => values.map((value) => count(value)),
          }
        : { values: (_, values) => values.map((value) => percent(value)) }),
    },
  ]
}

/** Times of one day need no day; days need no midnight. */
function tick(time: number, times: readonly number[], now: number): string {
  const apart = (times[1] ?? time) - (times[0] ?? time)
  const text = clockTime(time * 1_000, now)
  return apart >= 86_400 ? text.replace(/ \d\d:\d\d$/, '') : text
}

/** The whole span with the right edge at its end. */
export function scalesOf(span: () => readonly [number, number], least: number): uPlot.Scales {
  return {
    x: { time: true, range: () => [...span()] as [number, number] },
    y: { range: (_, __, max) => [0, Math.max(least, (max ?? 0) * 1.08)] },
  }
}
