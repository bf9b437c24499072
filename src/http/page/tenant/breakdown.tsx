import { useState } from 'preact/hooks'
import type { SummaryRow } from '../answers.ts'
import { CauseChip } from '../cause-chip.tsx'
import { count, percent } from '../format.ts'
import { Go } from '../navigation.tsx'

const few = 8

/** Which API is refused why, over the chosen range; each row narrows the page down to it. */
export function Breakdown({ rows }: { readonly rows: readonly SummaryRow[] }) {
  const [all, setAll] = useState(false)
  if (rows.length === 0) return null
  return (
    <>
      <table class="cards breakdown">
        <caption class="hidden">Refusals by API and cause over the chosen range</caption>
        <thead>
          <tr>
            <th scope="col">API</th>
            <th scope="col">Cause</th>
            <th scope="col" class="number">
              Refused
            </th>
            <th scope="col" class="number">
              Share
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, all ? rows.length : few).map(({ api = '', cause = '', requests, payment_required, ratio }) => (
            <tr key={`${api}\n${cause}`}>
              <th scope="row" class="api">
                <Go to={{ api }}>{api}</Go>
              </th>
              <td class="why">
                {cause === '' ? (
                  <span class="muted">nothing refused</span>
                ) : (
                  <Go to={{ api, cause }}>
                    <CauseChip cause={cause} />
                  </Go>
                )}
              </td>
              <td class="number refused">
                <b>{count(payment_required)}</b> of {count(requests)}
              </td>
              <td class="number share">{percent(ratio)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > few ? (
        <p class="below">
          <button type="button" class="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'show fewer' : `show all ${rows.length}`}
          </button>
        </p>
      ) : null}
    </>
  )
}
