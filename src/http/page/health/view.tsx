import type { HealthReport } from '../answers.ts'
import { useFeed, useServerNow } from '../ask/feed-root.tsx'
import { usePoll } from '../ask/poll.ts'
import { Asked } from '../asked.tsx'
import { Figure } from '../figure.tsx'
import { bytes, count, duration } from '../format.ts'
import { When } from '../when.tsx'
import { Audit } from './audit.tsx'
import { DeadLetters } from './dead-letters.tsx'
import { Lanes } from './lanes.tsx'
import { Notifications } from './notifications.tsx'
import { Verify } from './verify.tsx'

const pollMs = 5_000

/** Whether Tollwatch itself can be believed: how far it has come, what it could not read, whom it could not reach. */
export function HealthView() {
  const asked = usePoll<HealthReport>('/api/v1/health-report', pollMs)
  const now = useServerNow() ?? 0
  return (
    <Asked asked={asked} what="The state of Tollwatch">
      {(report) => (
        <>
          <Summary report={report} now={now} />
          <Lanes lanes={report.lanes} />
          <DeadLetters letters={report.dead_letters} now={now} />
          <Verify last={report.verify} now={now} />
          <Notifications notifications={report.notifications} />
          <Audit now={now} />
        </>
      )}
    </Asked>
  )
}

function Summary({ report, now }: { readonly report: HealthReport; readonly now: number }) {
  const { status } = useFeed()
  const lags = report.lanes.flatMap(({ lag }) => lag ?? [])
  return (
    <section aria-labelledby="state">
      <h2 id="state">Can the numbers be believed?</h2>
      {report.problems.length === 0 ? (
        <p class="calm">
          <span class="ok" aria-hidden="true">
            ✓{' '}
          </span>
          Yes. Everything is read, counted and written.
        </p>
      ) : (
        <ul class="plain problems">
          {report.problems.map((problem) => (
            <li key={problem} class="trouble">
              {problem}
            </li>
          ))}
        </ul>
      )}
      <dl class="figures">
        <Figure name="Waiting to be read">
          {lags.length === 0 ? 'not known' : `${count(lags.reduce((sum, lag) => sum + lag, 0))} records`}
        </Figure>
        <Figure name="Complete to">
          {report.watermark === null ? 'no record yet' : <When at={report.watermark} now={now} seconds ago />}
        </Figure>
        <Figure name="Oldest unwritten">
          {report.oldest_unwritten_seconds < 1 ? 'nothing' : duration(report.oldest_unwritten_seconds * 1_000)}
        </Figure>
        <Figure name="Series in memory">{count(report.series)}</Figure>
        <Figure name="Folded records">
          {report.folded_total === 0 ? 'none' : count(report.folded_total)}
          {report.folded_total === 0 ? null : (
            <small class="muted">
              counted under <code>__other__</code>; raise <code>window.series_limit</code>
            </small>
          )}
        </Figure>
        <Figure name="Memory">{bytes(report.memory_bytes)}</Figure>
        <Figure name="Waits for stragglers">{duration(report.lateness_ms)}</Figure>
        {status === null ? null : (
          <Figure name="Running">
            {duration(now - Date.parse(status.started))} <small class="muted">version {status.version}</small>
          </Figure>
        )}
      </dl>
    </section>
  )
}
