import { concerns } from '../alert-concerns.ts'
import type { Trends } from '../answers.ts'
import { pathOf } from '../ask/api.ts'
import { useFeed, useServerNow } from '../ask/feed-root.tsx'
import { usePoll } from '../ask/poll.ts'
import { Asked, Waiting } from '../asked.tsx'
import { StackedChart } from '../chart/stacked-chart.tsx'
import { Choice } from '../choice.tsx'
import { CopyButton } from '../copy-button.tsx'
import { RangeChoice, SeriesChips } from '../filter-bar.tsx'
import { Go, useNavigation } from '../navigation.tsx'
import { trendsCommand } from '../trends-command.ts'
import { filterQuery, spanQuery, windows } from '../view.ts'
import { LiveTable } from './live-table.tsx'
import { Sentences } from './sentences.tsx'

/** History is asked less often than memory. */
const historyPollMs = 10_000

/** Three answers without a click: is anything wrong, who is refused and why, since when. */
export function NowView({ onMore }: { readonly onMore: (() => void) | null }) {
  const { view, go } = useNavigation()
  const { live } = useFeed()
  const now = useServerNow() ?? 0
  const nameOf = (tenant: string) => live?.rows.find((row) => row.tenant === tenant)?.tenant_name ?? null
  return (
    <>
      <section aria-labelledby="wrong">
        <h2 id="wrong">Is anything wrong now?</h2>
        <Sentences now={now} />
      </section>
      <section aria-labelledby="who">
        <div class="heading">
          <h2 id="who">Who is refused, and why</h2>
          <SeriesChips nameOf={nameOf} />
          <Choice label="Window" words={windows} chosen={view.window} onChoose={(window) => go({ window })} />
        </div>
        {live === null ? <Waiting>Asking the daemon…</Waiting> : <LiveTable live={live} now={now} onMore={onMore} />}
      </section>
      <SinceWhen now={now} />
    </>
  )
}

function SinceWhen({ now }: { readonly now: number }) {
  const { view } = useNavigation()
  const { alerts, status } = useFeed()
  const watermark = status?.watermark ?? null
  const path = pathOf('/api/v1/trends', { ...spanQuery(view), ...filterQuery(view), by: 'cause' })
  const trends = usePoll<Trends>(path, historyPollMs)
  return (
    <section aria-labelledby="since">
      <div class="heading">
        <h2 id="since">Since when</h2>
        <RangeChoice now={now} />
      </div>
      <Asked asked={trends} what="History">
        {(data) => (
          <StackedChart
            trends={data}
            alerts={(alerts ?? []).filter((alert) => concerns(alert, view))}
            completeMs={watermark === null ? null : Date.parse(watermark)}
          />
        )}
      </Asked>
      <p class="below">
        <Go to={{ place: 'trends' }}>explore in Trends</Go>
        <CopyButton text={trendsCommand(view, 'cause', location.origin)} label="copy as command" />
        <span>drag over the chart to look closer, double click to come back</span>
      </p>
    </section>
  )
}
