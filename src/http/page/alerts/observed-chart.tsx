import { useMemo, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import type { AlertChart, PageAlert } from '../answers.ts'
import { pathOf } from '../ask/api.ts'
import { useFeed } from '../ask/feed-root.tsx'
import { usePoll } from '../ask/poll.ts'
import { Asked } from '../asked.tsx'
import { causeName, colourOf } from '../causes.ts'
import { Plot } from '../chart/plot.tsx'
import { spanShown } from '../chart/span-shown.ts'
import { RangeChoice } from '../filter-bar.tsx'
import { clockTime, count, exactTime, share } from '../format.ts'
import { useNavigation } from '../navigation.tsx'
import { spanLengthMs, spanQuery } from '../view.ts'

const pollMs = 15_000

/** What the alert looks at over time: observed, expected, the usual band, the threshold, and the moment it fired. */
export function ObservedChart(props: { readonly fingerprint: string; readonly alert: PageAlert | null }) {
  const { view } = useNavigation()
  const { status } = useFeed()
  const now = Date.parse(status?.now ?? '')
  const since = Date.parse(props.alert?.since ?? '')
  // Where the range would begin after the alert, the daemon chooses one that shows the beginning.
  const reaches = view.span !== null || now - spanLengthMs(view) < since
  const path = pathOf(`/api/v1/alerts/${encodeURIComponent(props.fingerprint)}/chart`, reaches ? spanQuery(view) : {})
  const asked = usePoll<AlertChart>(path, pollMs)
  return (
    <section aria-labelledby="course">
      <div class="heading">
        <h2 id="course">What was observed, and what is usual</h2>
        <RangeChoice now={now} />
      </div>
      {asked.error?.status === 404 ? (
        <p class="empty">
          The daemon no longer knows this alert, so it cannot say what it looked at. Trends still can.
        </p>
      ) : (
        <Asked asked={asked} what="History">
          {(chart) => <Chart chart={chart} cause={props.alert?.labels['cause'] ?? null} />}
        </Asked>
      )}
    </section>
  )
}

function Chart({ chart, cause }: { readonly chart: AlertChart; readonly cause: string | null }) {
  const { points } = chart
  const [hovered, setHovered] = useState<number | null>(null)
  const { status } = useFeed()
  const completeMs = status?.watermark == null ? null : Date.parse(status.watermark)
  const picked = useNavigation().view.span !== null
  const data = useMemo((): uPlot.AlignedData => {
    const times = points.map(({ time }) => Date.parse(time) / 1_000)
    return [
      times,
      points.map(({ upper }) => upper),
      points.map(({ expected }) => expected),
      points.map(({ observed }) => observed),
    ]
  }, [chart])
  const first = points[0]
  const last = points.at(-1)
  if (first === undefined || last === undefined) {
    return <p class="empty">History has nothing of this series in this span. Choose a longer range.</p>
  }
  const hasThreshold = chart.threshold !== null
  const knowsNormal = points.some(({ expected }) => expected !== null)
  const seconds = (time: string) => Date.parse(time) / 1_000
  return (
    <figure>
      <Plot
        data={data}
        shape={`${cause} ${hasThreshold}`}
        series={(theme) => [
          hasThreshold
            ? { label: 'threshold', stroke: theme.ink, width: 1.5, dash: [2, 3], points: { show: false } }
            : { label: 'usual at most', stroke: 'transparent', fill: `${theme.muted}30`, points: { show: false } },
          { label: 'expected', stroke: theme.muted, width: 1.5, dash: [5, 4], points: { show: false } },
          {
            label: 'observed',
            stroke: cause === null ? theme.ink : colourOf(cause),
            width: 2,
            points: { show: false },
          },
        ]}
        moment={{
          span: spanShown(
            { from: first.time, to: last.time },
            points.map(({ time }) => seconds(time)),
            (i) => (points[i]?.requests ?? 0) > 0,
            picked,
          ).span,
          marks: chart.fired_at === null ? [] : [seconds(chart.fired_at)],
          complete: completeMs === null ? Number.POSITIVE_INFINITY : completeMs / 1_000,
        }}
        unit="count"
        label={spoken(chart)}
        onHover={setHovered}
      />
      <Readout chart={chart} column={hovered} />
      <ul class="legend">
        <li>
          <span
            class="stroke"
            style={{ background: cause === null ? 'currentColor' : colourOf(cause) }}
            aria-hidden="true"
          />{' '}
          observed{cause === null ? '' : `: ${causeName(cause)}`}
        </li>
        {hasThreshold ? (
          <li>
            <span class="dash dotted" aria-hidden="true" /> threshold
          </li>
        ) : null}
        {knowsNormal ? (
          <li>
            <span class="dash" aria-hidden="true" /> expected
          </li>
        ) : null}
        {knowsNormal && !hasThreshold ? (
          <li>
            <span class="band" aria-hidden="true" /> usual
          </li>
        ) : null}
        {knowsNormal || hasThreshold ? null : (
          <li class="muted">What is usual is not known for this kind of rule, or not yet.</li>
        )}
      </ul>
    </figure>
  )
}

function Readout({ chart, column }: { readonly chart: AlertChart; readonly column: number | null }) {
  const point = column === null ? undefined : chart.points[column]
  if (point === undefined) return <figcaption class="readout muted">{spoken(chart)}</figcaption>
  const at = Date.parse(point.time)
  return (
    <figcaption class="readout">
      <time dateTime={point.time} title={exactTime(at)}>
        {clockTime(at, Date.parse(chart.points.at(-1)?.time ?? point.time))}
      </time>
      {' · '}
      {`observed ${count(point.observed)}`}
      {point.expected === null ? '' : ` · expected ${round(point.expected)}`}
      {point.upper === null ? '' : ` · ${chart.threshold === null ? 'usual' : 'allowed'} up to ${round(point.upper)}`}
      {` · refused ${share(point.payment_required, point.requests)}`}
    </figcaption>
  )
}

function spoken({ points, fired_at: firedAt }: AlertChart): string {
  const most = Math.max(0, ...points.map(({ observed }) => observed))
  const last = points.at(-1)?.observed ?? 0
  const fired = firedAt === null ? '' : '; the dashed line is the moment it fired'
  return `At most ${count(most)} in a step, ${count(last)} in the last one${fired}.`
}

function round(value: number): string {
  return value >= 100 ? count(value) : String(Math.round(value * 10) / 10)
}
