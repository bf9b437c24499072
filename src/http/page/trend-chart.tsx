import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { PageAlert, Trends } from './answers.ts'
import { Swatch } from './cause-chip.tsx'
import { causeName, colourOf } from './causes.ts'
import { clockTime, count, duration, exactTime, percent, share } from './format.ts'
import { type Stack, stackOf, topsOf } from './stacked.ts'

const heightPixels = 240

interface ChartProps {
  readonly trends: Trends
  readonly alerts: readonly PageAlert[]
  /** Up to here all input has been counted; columns after it still grow. Epoch milliseconds, null where unknown. */
  readonly completeMs: number | null
}

/** What a chart looks up whenever it draws; it changes more often than the chart is made. */
interface Moment {
  /** The span asked for, epoch seconds. */
  span: readonly [number, number]
  /** When alerts fired, epoch seconds. */
  marks: readonly number[]
  /** Epoch seconds. */
  complete: number
}

/** The third answer: since when. Refusals as columns stacked by cause, and the moments alerts fired. */
export function TrendChart({ trends, alerts, completeMs }: ChartProps) {
  const stack = stackOf(trends)
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const [hovered, setHovered] = useState<number | null>(null)
  const dark = useDark()
  const moment: Moment = {
    span: [Date.parse(trends.from) / 1_000, Date.parse(trends.to) / 1_000],
    marks: alerts.flatMap(({ fired_at }) => (fired_at === null ? [] : [Date.parse(fired_at) / 1_000])),
    complete: completeMs === null ? Number.POSITIVE_INFINITY : completeMs / 1_000,
  }
  const newest = useRef(moment)
  newest.current = moment
  // The set of columns is fixed when a chart is made; other causes, another step or other colours need a new one.
  const shape = JSON.stringify([stack.layers.map(({ cause }) => cause), trends.step_ms, dark])
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const made = new uPlot(chartOptions(stack, element, { dark, newest, setHovered }), dataOf(stack), element)
    chart.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: heightPixels }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      chart.current = null
    }
  }, [shape])
  useEffect(() => {
    const made = chart.current
    if (made === null) return
    // A zoomed chart stays where the reader put it; double click brings the whole span back.
    const zoomed = made.root.dataset['zoomed'] === 'yes'
    made.setData(dataOf(stack), !zoomed)
    if (zoomed) made.redraw()
  }, [trends])
  // Between answers of history only the marks and the edge of what is complete move.
  useEffect(() => chart.current?.redraw(false), [moment.marks.join(), moment.complete])
  return (
    <figure>
      <div class="chart" ref={place} role="img" aria-label={spoken(stack, trends)} />
      <Readout stack={stack} trends={trends} column={hovered} complete={moment.complete} />
      <Legend stack={stack} />
    </figure>
  )
}

function useDark(): boolean {
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const onChange = () => setDark(query.matches)
    query.addEventListener('change', onChange)
    return () => query.removeEventListener('change', onChange)
  }, [])
  return dark
}

function dataOf(stack: Stack): uPlot.AlignedData {
  return [[...stack.times], ...topsOf(stack).map(({ tops }) => [...tops])]
}

interface Live {
  readonly dark: boolean
  readonly newest: { readonly current: Moment }
  readonly setHovered: (column: number | null) => void
}

function chartOptions(stack: Stack, element: HTMLElement, live: Live): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const ink = style.getPropertyValue('--muted').trim()
  const line = style.getPropertyValue('--line').trim()
  const edge = style.getPropertyValue('--panel').trim()
  // Narrow columns have no room for a line around them.
  const roomy = element.clientWidth / Math.max(1, stack.times.length) > 5
  const bars = uPlot.paths.bars?.({ size: [0.92, 60], align: 1 })
  return {
    width: element.clientWidth,
    height: heightPixels,
    padding: [12, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false } },
    scales: {
      x: { time: true, range: (_, min, max) => spanOf(live.newest.current.span, min, max, stack.times) },
      y: { range: (_, __, max) => [0, Math.max(4, (max ?? 0) * 1.08)] },
    },
    axes: axesOf(ink, line),
    series: [
      {},
      ...topsOf(stack).map(({ cause }) => ({
        label: cause,
        fill: colourOf(cause),
        // A hairline in the colour of the ground keeps neighbours apart that some eyes see as one colour.
        stroke: live.dark ? '#ffffff55' : edge,
        width: roomy ? 0.5 : 0,
        points: { show: false },
        ...(bars === undefined ? {} : { paths: bars }),
      })),
    ],
    hooks: hooksOf(live, { ink, edge }),
  }
}

/** What the chart tells us, and what we draw over it. */
function hooksOf(live: Live, colours: { readonly ink: string; readonly edge: string }): uPlot.Hooks.Arrays {
  return {
    setCursor: [(made) => live.setHovered(made.cursor.idx ?? null)],
    setSelect: [
      (made) => {
        made.root.dataset['zoomed'] = made.select.width > 0 ? 'yes' : 'no'
      },
    ],
    ready: [
      (made) =>
        made.over.addEventListener('dblclick', () => {
          made.root.dataset['zoomed'] = 'no'
        }),
    ],
    draw: [
      (made) => veilIncomplete(made, live.newest.current.complete, colours.edge),
      (made) => drawMarks(made, live.newest.current.marks, colours.ink),
    ],
  }
}

function axesOf(ink: string, line: string): uPlot.Axis[] {
  const font = '12px system-ui, sans-serif'
  return [
    {
      stroke: ink,
      font,
      grid: { show: false },
      ticks: { stroke: line, width: 1 },
      values: (_, times) => times.map((time) => clockTime(time * 1_000, (times.at(-1) ?? time) * 1_000)),
      space: 70,
      size: 30,
    },
    {
      stroke: ink,
      font,
      size: 46,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
      incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7],
      values: (_, values) => values.map((value) => count(value)),
    },
  ]
}

/** The whole span with the right edge at its end, unless the reader zoomed into a part of it. */
function spanOf(
  span: readonly [number, number],
  min: number | null,
  max: number | null,
  times: readonly number[],
): [number, number] {
  const zoomed = min !== null && max !== null && times.length > 1 && max - min < (span[1] - span[0]) * 0.97
  return zoomed ? [min, max] : [span[0], span[1]]
}

/** Columns that still grow are paler, lest their shortness be read as an end of the trouble. */
function veilIncomplete(made: uPlot, complete: number, ground: string): void {
  const { ctx, bbox } = made
  const x = Math.max(made.valToPos(complete, 'x', true), bbox.left)
  const right = bbox.left + bbox.width
  if (!(x < right)) return
  ctx.save()
  ctx.globalAlpha = 0.55
  ctx.fillStyle = ground
  ctx.fillRect(x, bbox.top, right - x, bbox.height)
  ctx.restore()
}

/** A dashed line at each moment an alert fired. */
function drawMarks(made: uPlot, marks: readonly number[], ink: string): void {
  const { ctx, bbox } = made
  ctx.save()
  ctx.strokeStyle = ink
  ctx.fillStyle = ink
  ctx.lineWidth = devicePixelRatio
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio])
  for (const mark of marks) {
    const x = made.valToPos(mark, 'x', true)
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.textAlign = x > bbox.left + bbox.width - 60 * devicePixelRatio ? 'right' : 'left'
    ctx.fillText(' fired ', x, bbox.top + 10 * devicePixelRatio)
  }
  ctx.restore()
}

/** What the column under the pointer is made of; the whole span while the pointer is elsewhere. */
function Readout(props: {
  readonly stack: Stack
  readonly trends: Trends
  readonly column: number | null
  /** Epoch seconds. */
  readonly complete: number
}) {
  const { stack, trends, column, complete } = props
  if (column === null || stack.times[column] === undefined) {
    return <figcaption class="readout muted">{spoken(stack, trends)}</figcaption>
  }
  const at = stack.times[column] * 1_000
  const requests = stack.requests[column] ?? null
  const parts = stack.layers.filter(({ counts }) => (counts[column] ?? 0) > 0)
  return (
    <figcaption class="readout">
      <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
        {clockTime(at, Date.parse(trends.to))}
      </time>
      {' · '}
      {requests === null ? 'no data' : share(stack.refused[column] ?? 0, requests)}
      {at + trends.step_ms > complete * 1_000 ? ' so far' : ''}
      {parts.map(({ cause, counts }) => ` · ${causeName(cause)} ${count(counts[column] ?? 0)}`)}
    </figcaption>
  )
}

function spoken(stack: Stack, trends: Trends): string {
  const span = duration(Date.parse(trends.to) - Date.parse(trends.from))
  const requests = stack.requests.reduce((sum: number, value) => sum + (value ?? 0), 0)
  const step = duration(trends.step_ms)
  if (requests === 0) return `No data in the last ${span}.`
  return `${share(stack.totalRefused, requests)} refused in ${span}; one column is ${step}.`
}

function Legend({ stack }: { readonly stack: Stack }) {
  const bySize = [...stack.layers].sort((a, b) => b.total - a.total)
  return (
    <ul class="legend">
      {bySize.map(({ cause, total }) => (
        <li key={cause} title={cause}>
          <Swatch cause={cause} /> {causeName(cause)} <b>{count(total)}</b>{' '}
          <span class="muted">{percent(total / stack.totalRefused)}</span>
        </li>
      ))}
    </ul>
  )
}
