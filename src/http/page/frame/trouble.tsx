import { useFeed } from '../ask/feed-root.tsx'
import { helpFor } from '../asked.tsx'
import { clockSeconds, count } from '../format.ts'
import { Go } from '../navigation.tsx'

/** What is wrong with Tollwatch itself, what that means for the numbers, and what to do. */
export function Trouble() {
  const { status, error } = useFeed()
  return (
    <div class="troubles" role="status">
      {error === null ? null : (
        <p class="trouble">
          {error.message} {helpFor(error)}
          {status === null
            ? ''
            : ` The numbers below are those of ${clockSeconds(Date.parse(status.now), Date.parse(status.now))}.`}
        </p>
      )}
      {error === null && status !== null && !status.ready ? (
        <p class="trouble">
          Tollwatch is not ready: {status.reasons.join('; ')}. The numbers may be incomplete;{' '}
          <Go to={{ place: 'health' }}>Health</Go> says more.
        </p>
      ) : null}
      {status !== null && status.folded_total > 0 ? (
        <p class="trouble mild">
          {count(status.folded_total)} records were counted under <code>__other__</code> because a series limit was
          reached; totals are exact, some names are missing. Raise <code>window.series_limit</code> to see them.
        </p>
      ) : null}
    </div>
  )
}
