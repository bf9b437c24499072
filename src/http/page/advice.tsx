import { adviceOn, isCause, runbookTitle } from '../../notify/runbook.ts'
import { Runbook } from './runbook.tsx'

/** What a cause usually means and what to do first; the whole runbook below it. */
export function Advice({ cause }: { readonly cause: string }) {
  if (!isCause(cause)) return <p class="muted">There is no runbook for {cause}.</p>
  const { likely, steps } = adviceOn[cause]
  return (
    <div class="advice">
      <p>
        <b>{runbookTitle(cause)}:</b> {likely}.
      </p>
      <ol>
        {steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <Runbook cause={cause} />
    </div>
  )
}
