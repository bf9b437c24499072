import { useMemo, useState } from 'preact/hooks'
import uPlot from 'uplot'
import type { PageAlert, Trends } from '../answers.ts'
import { Swatch } from '../cause-chip.tsx'
import { causeName, colourOf } from '../causes.ts'
import { clockTime, count, duration, exactTime, percent, share } from '../format.ts'
import { useNavigation } from '../navigation.tsx'
import type { Moment } from './marks.ts'
import { Plot } from './plot.tsx'
import { type SpanShown, spanShown } from './span-shown.ts'
import { type Stack, shiftedTotals, stackOf, topsOf } from './stacked.ts'
import type { Theme } from './theme.ts'

interface ChartProps {
  readonly trends: Trends
  /** The same span some time before, drawn as a dashed line; null for none. */
  readonly before?: Trends | null
  readonly alerts: readonly Pick<PageAlert, 'fired_at'>[]
  /** Up to here all input has been counted. Epoch milliseconds, null where unknown. */
  readonly completeMs: number | null
  /** `week` explains the dashed line alone; a table beside the chart has the rest. */
  readonly legend?: 'full' | 'week' | 'none'
}

/** Refusals as columns stacked by cause, and the moments alerts fired. */
export function StackedChart({ trends, before = null, alerts, completeMs, legend = 'full' }: ChartProps) {
  const stack = useMemo(() => stackOf(trends), [trends])
  const earlier = useMemo(
    () => (before === null ? null : shiftedTotals(stack, trends, before)),
    [stack, trends, before],
  )
  const [hovered, setHovered] = useState<number | null>(null)
  const picked = useNavigation().view.span !== null
  const shown = spanShown(trends, stack.times, (column) => stack.requests[column] != null, picked)
  const moment = momentOf(shown, alerts, completeMs)
  const data = useMemo((): uPlot.AlignedData => {
    const tops = topsOf(stack).map(({ tops }) => [...tops])
    return [[...stack.times], ...tops, ...(earlier === null ? [] : [[...earlier]])]
  }, [stack, earlier])
  const shape = JSON.stringify([stack.layers.map(({ cause }) => cause), trends.step_ms, earlier !== null])
  return (
    <figure>
      <Plot
        data={data}
        shape={shape}
        series={(theme, width) => seriesOf(stack, earlier !== null, theme, width)}
        moment={moment}
        unit="count"
        label={spoken(stack, trends, shown)}
        onHover={setHovered}
      />
      <Readout
        stack={stack}
        trends={trends}
        shown={shown}
        earlier={earlier}
        column={hovered}
        complete={moment.complete}
      />
      {legend === 'none' ? null : (
        <Legend layers={legend === 'full' ? stack.layers : []} stack={stack} compared={earlier !== null} />
      )}
    </figure>
  )
}

/** What every chart over a span of history marks. */
export function momentOf(
  shown: SpanShown,
  alerts: readonly Pick<PageAlert, 'fired_at'>[],
  completeMs: number | null,
): Moment {
  return {
    span: shown.span,
    marks: alerts.flatMap(({ fired_at }) => (fired_at === null ? [] : [Date.parse(fired_at) / 1_000])),
    complete: completeMs === null ? Number.POSITIVE_INFINITY : completeMs / 1_000,
  }
}

function seriesOf(stack: Stack, compared: boolean, theme: Theme, width: number): uPlot.Series[] {
  // Narrow columns have no room for a line around them.
  const roomy = width / Math.max(1, stack.times.length) > 5
  const bars = uPlot.paths.bars?.({ size: [0.92, 60], align: 1 })
  const columns = topsOf(stack).map(({ cause }) => ({
    label: cause,
    fill: colourOf(cause),
    // A hairline in the colour of the ground keeps neighbours apart that some eyes see as one colour.
    stroke: theme.dark ? '#ffffff55' : theme.ground,
    width: roomy ? 0.5 : 0,
    points: { show: false },
    ...(bars === undefined ? {} : { paths: bars }),
  }))
  const line = { label: 'a week before', stroke: theme.ink, width: 1.5, dash: [5, 4], points: { show: false } }
  return compared ? [...columns, line] : columns
}

/** What the column under the pointer is made of; the whole span while the pointer is elsewhere. */
function Readout(props: {
  readonly stack: Stack
  readonly trends: Trends
  readonly shown: SpanShown
  readonly earlier: readonly (number | null)[] | null
  readonly column: number | null
  /** Epoch seconds. */
  readonly complete: number
}) {
  const { stack, trends, column, complete } = props
  if (column === null || stack.times[column] === undefined) {
    return <figcaption class="readout muted">{spoken(stack, trends, props.shown)}</figcaption>
  }
  const at = stack.times[column] * 1_000
  const requests = stack.requests[column] ?? null
  const parts = stack.layers.filter(({ counts }) => (counts[column] ?? 0) > 0)
  const before = props.earlier?.[column] ?? null
  return (
    <figcaption class="readout">
      <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
        {clockTime(at, Date.parse(trends.to))}
      </time>
      {' · '}
      {requests === null ? 'no data' : share(stack.refused[column] ?? 0, requests)}
      {at + trends.step_ms > complete * 1_000 ? ' so far' : ''}
      {parts.map(({ cause, counts }) => ` · ${causeName(cause)} ${count(counts[column] ?? 0)}`)}
      {before === null ? '' : ` · a week before ${count(before)}`}
    </figcaption>
  )
}

function spoken(stack: Stack, trends: Trends, { begins }: SpanShown): string {
  const span = duration(Date.parse(trends.to) - Date.parse(trends.from))
  const requests = stack.requests.reduce((sum: number, value) => sum + (value ?? 0), 0)
  const step = duration(trends.step_ms)
  if (requests === 0) return `No data in these ${span}.`
  const first = begins === null ? '' : ` The first record is of ${clockTime(begins * 1_000, Date.parse(trends.to))}.`
  return `${share(stack.totalRefused, requests)} refused in ${span}; one column is ${step}.${first}`
}

function Legend(props: { readonly stack: Stack; readonly layers: Stack['layers']; readonly compared: boolean }) {
  const { stack, compared } = props
  const bySize = [...props.layers].sort((a, b) => b.total - a.total)
  return (
    <ul class="legend">
      {bySize.map(({ cause, total }) => (
        <li key={cause} title={cause}>
          <Swatch cause={cause} /> {causeName(cause)} <b>{count(total)}</b>{' '}
          <span class="muted">{percent(total / stack.totalRefused)}</span>
        </li>
      ))}
      {compared ? (
        <li>
          <span class="dash" aria-hidden="true" /> a week before
        </li>
      ) : null}
    </ul>
  )
}
