import type { HealthReport, Verified } from '../answers.ts'
import { ask } from '../ask/api.ts'
import { useAction } from '../ask/use-action.ts'
import { Waiting } from '../asked.tsx'
import { CopyButton } from '../copy-button.tsx'
import { count } from '../format.ts'
import { When } from '../when.tsx'

/** Proves that history holds each record once; it reads all that is kept, so it is asked for and not polled. */
export function Verify({ last, now }: { readonly last: HealthReport['verify']; readonly now: number }) {
  const [action, run] = useAction<Verified>()
  const result = action.state === 'done' ? action.answer : last
  return (
    <section aria-labelledby="ledger">
      <div class="heading">
        <h2 id="ledger">Is history whole?</h2>
        <button
          type="button"
          class="end"
          disabled={action.state === 'busy'}
          onClick={() => void run(() => ask<Verified>('/api/v1/history/verify'))}
        >
          {action.state === 'busy' ? 'Verifying…' : 'Verify now'}
        </button>
      </div>
      <div aria-live="polite">
        {action.state === 'failed' ? <p class="trouble">It could not be verified: {action.error.message}</p> : null}
        {action.state === 'busy' ? <Waiting>Comparing every range of the ledger with every table…</Waiting> : null}
        {result === null || action.state === 'busy' ? null : <Result result={result} />}
        {result === null && action.state === 'idle' ? (
          <p class="empty">
            Not verified since the start. Verifying shows that no record is missing or counted twice, per input, and
            that all tables agree.
          </p>
        ) : null}
      </div>
      <p class="below">
        {action.state === 'idle' && last !== null ? (
          <span>
            verified <When at={last.at} now={now} ago />
          </span>
        ) : null}
        <CopyButton text={`tollwatch history verify --url ${location.origin}`} label="copy as command" />
      </p>
    </section>
  )
}

function Result({ result }: { readonly result: Verified }) {
  if (!result.ok) {
    return (
      <ul class="plain problems">
        {result.problems.map((problem) => (
          <li key={problem} class="trouble">
            {problem}
          </li>
        ))}
      </ul>
    )
  }
  const checks = result.checks?.length ?? 0
  return (
    <p class="calm">
      <span class="ok" aria-hidden="true">
        ✓{' '}
      </span>
      Whole: no gap and no overlap
      {result.lane_count === undefined ? '' : ` in ${count(result.lane_count)} inputs`}
      {checks === 0 ? '' : `, and ${checks} comparisons of tables agree`}.
    </p>
  )
}
