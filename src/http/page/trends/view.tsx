import { useMemo } from 'preact/hooks'
import { concerns } from '../alert-concerns.ts'
import type { Trends } from '../answers.ts'
import { pathOf } from '../ask/api.ts'
import { useFeed, useServerNow } from '../ask/feed-root.tsx'
import { usePoll } from '../ask/poll.ts'
import { Asked, Failure } from '../asked.tsx'
import { LineChart } from '../chart/line-chart.tsx'
import { linesOf } from '../chart/lines.ts'
import { StackedChart } from '../chart/stacked-chart.tsx'
import { Choice } from '../choice.tsx'
import { CopyButton } from '../copy-button.tsx'
import { downloadCsv } from '../download.ts'
import { FilterBar } from '../filter-bar.tsx'
import { useNavigation } from '../navigation.tsx'
import { trendsCommand } from '../trends-command.ts'
import { filterQuery, groupings, measures, spanLengthMs, spanQuery, steps, type View, weekBefore } from '../view.ts'
import { SeriesFilter } from './series-filter.tsx'
import { trendsSql } from './sql.ts'
import { Totals } from './totals.tsx'
import { trendRows } from './trend-rows.ts'

const pollMs = 10_000
/** A span of the past does not change; only late records would. */
const pastPollMs = 300_000
/** Series asked for; the largest eight are drawn. */
const seriesLimit = 50

/** The history explorer: over any span, in any step, by cause, tenant or API, beside the week before. */
export function TrendsView() {
  const { view, go } = useNavigation()
  const now = useServerNow() ?? 0
  const question = { ...filterQuery(view), by: view.by, step: stepOf(view), limit: String(seriesLimit) }
  const asked = usePoll<Trends>(
    pathOf('/api/v1/trends', { ...spanQuery(view), ...question }),
    view.span === null ? pollMs : pastPollMs,
  )
  const before = usePoll<Trends>(
    view.compare ? pathOf('/api/v1/trends', { ...weekBefore(view), ...question }) : null,
    pastPollMs,
  )
  return (
    <>
      <section aria-labelledby="question">
        <div class="heading">
          <h2 id="question">What to look at</h2>
          <FilterBar now={now} />
        </div>
        <div class="controls">
          <Labelled text="Group by">
            <Choice
              label="Group by"
              words={groupings}
              names={{ api: 'API' }}
              chosen={view.by}
              onChoose={(by) => go({ by })}
            />
          </Labelled>
          <Labelled text="Show">
            <Choice label="Show" words={measures} chosen={view.measure} onChoose={(measure) => go({ measure })} />
          </Labelled>
          <Labelled text="Step">
            <Choice label="Step" words={steps} chosen={view.step} onChoose={(step) => go({ step })} />
          </Labelled>
          <label class="check">
            <input
              type="checkbox"
              checked={view.compare}
              onChange={(event) => go({ compare: event.currentTarget.checked })}
            />{' '}
            compare with the week before
          </label>
        </div>
        <div class="controls second">
          <SeriesFilter />
        </div>
      </section>
      <section aria-labelledby="course">
        <h2 id="course">{titleOf(view)}</h2>
        {view.compare && before.error !== null ? <Failure error={before.error} what="The week before" /> : null}
        <Asked asked={asked} what="History">
          {(trends) => <Course trends={trends} before={view.compare ? before.data : null} />}
        </Asked>
      </section>
    </>
  )
}

function Labelled({ text, children }: { readonly text: string; readonly children: preact.ComponentChildren }) {
  return (
    <div class="labelled">
      <span class="muted" aria-hidden="true">
        {text}
      </span>
      {children}
    </div>
  )
}

function Course({ trends, before }: { readonly trends: Trends; readonly before: Trends | null }) {
  const { view } = useNavigation()
  const { alerts, status } = useFeed()
  const lines = useMemo(() => linesOf(trends, view.by, before), [trends, before, view.by])
  const watermark = status?.watermark ?? null
  const completeMs = watermark === null ? null : Date.parse(watermark)
  const stacked = view.by === 'cause' && view.measure === 'refused'
  if (lines.lines.length === 0 && !trends.series.some(({ points }) => points.length > 0)) {
    return (
      <p class="empty">
        History has nothing for this choice. Choose a longer range or drop a filter; new records take up to half a
        minute to get there.
      </p>
    )
  }
  return (
    <>
      {stacked ? (
        <StackedChart
          trends={trends}
          before={before}
          alerts={(alerts ?? []).filter((alert) => concerns(alert, view))}
          completeMs={completeMs}
          legend={before !== null ? 'week' : 'none'}
        />
      ) : (
        <LineChart trends={trends} lines={lines} measure={view.measure} completeMs={completeMs} />
      )}
      <Totals lines={lines} compared={before !== null} full={trends.series.length >= seriesLimit} />
      <p class="below">
        <button
          type="button"
          class="quiet"
          onClick={() => downloadCsv('tollwatch-trends.csv', trendRows(trends, view.by, before))}
        >
          export as CSV
        </button>
        <CopyButton text={trendsCommand(view, view.by, location.origin)} label="copy as command" />
        <CopyButton text={trendsSql(trends, view)} label="copy as SQL" />
      </p>
    </>
  )
}

function titleOf({ by, measure }: View): string {
  const what = measure === 'refused' ? 'Refused requests' : 'Share of requests refused'
  return `${what} by ${by === 'api' ? 'API' : by}`
}

/** A step that would give more points than the daemon answers is left to the daemon. */
function stepOf(view: View): string | undefined {
  if (view.step === 'auto') return undefined
  const stepMs = { '10s': 10_000, '1m': 60_000, '5m': 300_000, '15m': 900_000, '1h': 3_600_000, '1d': 86_400_000 }
  return spanLengthMs(view) / stepMs[view.step] > 2_000 ? undefined : view.step
}
