import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useNavigation } from '../navigation.tsx'
import { axesOf, scalesOf } from './axes.ts'
import { drawMarks, type Moment, veilIncomplete } from './marks.ts'
import { readTheme, type Theme, useDark } from './theme.ts'

/** All charts of a screen share one cursor. */
const syncKey = 'tollwatch'
/** A shorter drag is a click that slipped. */
const leastDragPixels = 8

export interface PlotProps {
  readonly data: uPlot.AlignedData
  /** Whatever needs another chart when it changes, as text: the set of series, the step. */
  readonly shape: string
  /** The series after the time axis. */
  readonly series: (theme: Theme, width: number) => readonly uPlot.Series[]
  readonly moment: Moment
  readonly unit: 'count' | 'share'
  /** What a screen reader says. */
  readonly label: string
  readonly height?: number
  readonly onHover?: (column: number | null) => void
}

/** One uPlot chart: made when its shape changes, fed with new data otherwise. A drag picks a span, a double click drops it. */
export function Plot(props: PlotProps) {
  const { data, unit, moment } = props
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const dark = useDark()
  const [builtFor, setBuiltFor] = useState(0)
  const { view, go } = useNavigation()
  const newest = useRef({ props, view, go })
  newest.current = { props, view, go }
  const height = props.height ?? 240
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const theme = readTheme(dark)
    const now = () => newest.current.props.moment
    const width = element.clientWidth
    const made = new uPlot(
      {
        width,
        height,
        padding: [12, 8, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: true, y: false, setScale: false },
          sync: { key: syncKey },
          // Our own double click; that of uPlot would only undo a zoom.
          bind: {
            dblclick: () => () => {
              newest.current.go({ span: null }, true)
              return null
            },
          },
        },
        scales: scalesOf(() => now().span, unit === 'count' ? 4 : 0.000_1),
        axes: axesOf(theme, unit),
        series: [{}, ...props.series(theme, width)],
        hooks: {
          setCursor: [(made) => newest.current.props.onHover?.(made.cursor.idx ?? null)],
          setSelect: [(made) => pickSpan(made, (span) => newest.current.go({ span }, true))],
          draw: [(made) => veilIncomplete(made, now(), theme), (made) => drawMarks(made, now(), theme)],
        },
      },
      data,
      element,
    )
    chart.current = made
    // Columns that were laid out for a wide screen have no room on a narrow one, so a large change makes a new chart.
    const observer = new ResizeObserver(() => {
      const changed = Math.abs(element.clientWidth - width) > width / 4
      if (changed) setBuiltFor(element.clientWidth)
      else made.setSize({ width: element.clientWidth, height })
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      chart.current = null
    }
  }, [props.shape, dark, unit, height, builtFor])
  useEffect(() => chart.current?.setData(data), [data])
  // Between answers of history only the marks and the edge of what is complete move.
  useEffect(() => chart.current?.redraw(false), [moment.marks.join(), moment.complete])
  return <div class="chart" ref={place} role="img" aria-label={props.label} />
}

function pickSpan(made: uPlot, onSpan: (span: { fromMs: number; toMs: number }) => void): void {
  const { left, width } = made.select
  if (width < leastDragPixels) return
  const at = (pixels: number) => Math.round(made.posToVal(pixels, 'x')) * 1_000
  const span = { fromMs: at(left), toMs: at(left + width) }
  made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  // History has slices of ten seconds; less than three of them is no span.
  if (span.toMs - span.fromMs >= 30_000) onSpan(span)
}
