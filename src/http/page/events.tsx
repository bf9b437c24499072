import type { EventRow } from './answers.ts'
import { Swatch } from './cause-chip.tsx'
import { causeName } from './causes.ts'
import { clockSeconds, exactTime } from './format.ts'

/** The refusals one by one that the chosen numbers are made of. */
export function Events({ rows }: { readonly rows: readonly EventRow[] }) {
  if (rows.length === 0) {
    return (
      <p class="empty">
        No single refusals of this choice are in history for this range; new ones take up to half a minute.
      </p>
    )
  }
  const newest = Date.parse(rows[0]?.time ?? '')
  return (
    <div class="scroll">
      <table class="events">
        <caption class="hidden">Latest refusals of this choice, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">API</th>
            <th scope="col">Cause</th>
            <th scope="col">Decided by</th>
            <th scope="col">Consumer</th>
            <th scope="col">Request</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            // Requests may lack an id, so the place in the list is part of the key.
            <tr key={`${row.time} ${row.request_id} ${i}`}>
              <td>
                <time dateTime={row.time} title={exactTime(Date.parse(row.time))}>
                  {clockSeconds(Date.parse(row.time), newest)}
                </time>
              </td>
              <td>{row.api}</td>
              <td title={row.cause}>
                <Swatch cause={row.cause} /> {causeName(row.cause)}
              </td>
              <td>
                {row.cause_code === null ? (
                  <span class="muted">nothing in the log</span>
                ) : (
                  <code>{row.cause_code}</code>
                )}
                {row.cause_source === null ? null : <span class="muted"> in {row.cause_source}</span>}
              </td>
              <td>{row.consumer ?? <span class="muted">unknown</span>}</td>
              <td>
                <code>{row.request_id ?? ''}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
