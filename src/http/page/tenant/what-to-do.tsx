import { Advice } from '../advice.tsx'
import type { PageAlert, SummaryRow } from '../answers.ts'
import { CopyButton } from '../copy-button.tsx'
import { shellWord } from '../csv.ts'
import { worstCauses } from './worst-causes.ts'

/** More advice at once is none. */
const mostCauses = 2

/** First steps for what fires about the tenant, else for what it is refused for most. */
export function WhatToDo(props: {
  readonly tenant: string
  readonly alerts: readonly PageAlert[]
  readonly rows: readonly SummaryRow[]
}) {
  const causes = worstCauses(props.alerts, props.rows).slice(0, mostCauses)
  if (causes.length === 0) return <p class="empty">Nothing is refused in this range, so there is nothing to do.</p>
  return (
    <>
      {causes.map((cause) => (
        <Advice key={cause} cause={cause} />
      ))}
      <p class="below">
        <CopyButton
          text={`tollwatch query events --tenant ${shellWord(props.tenant)} --cause ${causes[0]} --from -1h --url ${location.origin}`}
          label="copy: its refusals on the command line"
        />
      </p>
    </>
  )
}
