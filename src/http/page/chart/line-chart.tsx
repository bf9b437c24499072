import { useMemo, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import type { Trends } from '../answers.ts'
import { clockTime, count, duration, exactTime, percent } from '../format.ts'
import { useNavigation } from '../navigation.tsx'
import { type Lines, valuesOf } from './lines.ts'
import { Plot } from './plot.tsx'
import { spanShown } from './span-shown.ts'
import { momentOf } from './stacked-chart.tsx'

/** One line per series; the same a week before is dashed in the same colour. */
export function LineChart(props: {
  readonly trends: Trends
  readonly lines: Lines
  readonly measure: 'refused' | 'share'
  readonly completeMs: number | null
}) {
  const { trends, lines, measure } = props
  const [hovered, setHovered] = useState<number | null>(null)
  // Shares a week before would need their requests as well; the totals beside the chart have them.
  const dashed = measure === 'refused' ? lines.lines.filter(({ before }) => before !== null) : []
  const data = useMemo((): uPlot.AlignedData => {
    const solid = lines.lines.map((line) => valuesOf(line, measure))
    return [[...lines.times], ...solid, ...dashed.map(({ before }) => [...(before?.refused ?? [])])]
  }, [lines, measure])
  const shape = JSON.stringify([lines.lines.map(({ id }) => id), dashed.length, trends.step_ms, measure])
  const picked = useNavigation().view.span !== null
  const isKnown = (column: number) => lines.lines.some(({ requests }) => requests[column] != null)
  const shown = spanShown(trends, lines.times, isKnown, picked)
  // A few points are better seen as points, too.
  const points = { show: lines.times.length < 40, size: 5 }
  return (
    <figure>
      <Plot
        data={data}
        shape={shape}
        series={() => [
          ...lines.lines.map(({ id, colour }) => ({ label: id, stroke: colour, width: 2, points })),
          ...dashed.map(({ id, colour }) => ({
            label: `${id} a week before`,
            stroke: colour,
            width: 1.5,
            dash: [5, 4],
            points: { show: false },
          })),
        ]}
        moment={momentOf(shown, [], props.completeMs)}
        unit={measure === 'refused' ? 'count' : 'share'}
        label={spoken(lines, trends, measure)}
        onHover={setHovered}
      />
      <Readout lines={lines} trends={trends} measure={measure} column={hovered} />
    </figure>
  )
}

function Readout(props: {
  readonly lines: Lines
  readonly trends: Trends
  readonly measure: 'refused' | 'share'
  readonly column: number | null
}) {
  const { lines, trends, measure, column } = props
  const time = column === null ? undefined : lines.times[column]
  if (column === null || time === undefined) {
    return <figcaption class="readout muted">{spoken(lines, trends, measure)}</figcaption>
  }
  const at = time * 1_000
  const parts = lines.lines.flatMap((line) => {
    const value = valuesOf(line, measure)[column] ?? null
    if (value === null || value === 0) return []
    return [`${line.name} ${measure === 'share' ? percent(value) : count(value)}`]
  })
  return (
    <figcaption class="readout">
      <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
        {clockTime(at, Date.parse(trends.to))}
      </time>
      {parts.length === 0 ? ' · nothing refused' : ` · ${parts.join(' · ')}`}
    </figcaption>
  )
}

function spoken({ lines }: Lines, trends: Trends, measure: 'refused' | 'share'): string {
  if (lines.length === 0) return 'No data in this span.'
  const what = measure === 'refused' ? 'Refused requests' : 'Share of requests refused'
  return `${what}, one point each ${duration(trends.step_ms)}; ${lines.length} lines, the first is ${lines[0]?.name}.`
}
