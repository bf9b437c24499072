import type { AuditRow } from '../answers.ts'
import { usePoll } from '../ask/poll.ts'
import { Asked } from '../asked.tsx'
import { When } from '../when.tsx'

const pollMs = 30_000

/** What people did: silences, drills, trials of rules. */
export function Audit({ now }: { readonly now: number }) {
  const asked = usePoll<{ rows: readonly AuditRow[] }>('/api/v1/audit?limit=20', pollMs)
  return (
    <section aria-labelledby="audit">
      <h2 id="audit">What people did</h2>
      <Asked asked={asked} what="The audit log">
        {({ rows }) =>
          rows.length === 0 ? (
            <p class="empty">Nobody changed anything. Silences, drills and trials of rules would be listed here.</p>
          ) : (
            <div class="scroll">
              <table>
                <caption class="hidden">The latest operations</caption>
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Who</th>
                    <th scope="col">What</th>
                    <th scope="col">Result</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((row) => (
                    <tr key={`${row.at} ${row.what} ${row.target}`}>
                      <td>
                        <When at={row.at} now={now} seconds />
                      </td>
                      <td>{row.who}</td>
                      <td class="text">
                        {row.what} <span class="muted">{row.target}</span>
                      </td>
                      <td>{row.result}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Asked>
    </section>
  )
}
