import type { DeadLetter, HealthReport } from '../answers.ts'
import { pathOf } from '../ask/api.ts'
import { usePoll } from '../ask/poll.ts'
import { useAction } from '../ask/use-action.ts'
import { Asked } from '../asked.tsx'
import { downloadFrom } from '../download.ts'
import { RangeChoice } from '../filter-bar.tsx'
import { bytes, count } from '../format.ts'
import { useNavigation } from '../navigation.tsx'
import { spanQuery } from '../view.ts'
import { When } from '../when.tsx'

const pollMs = 15_000
const samples = '10'

/** What could not be read, by reason and with samples whose letters and digits are masked. */
export function DeadLetters(props: { readonly letters: HealthReport['dead_letters']; readonly now: number }) {
  const { view } = useNavigation()
  const { letters, now } = props
  const span = spanQuery(view)
  const asked = usePoll<{ rows: readonly DeadLetter[] }>(
    pathOf('/api/v1/dead-letters', { ...span, limit: samples }),
    pollMs,
  )
  const [saving, save] = useAction<void>()
  const onSave = () =>
    void save(() =>
      downloadFrom(
        pathOf('/api/v1/dead-letters', { ...span, limit: '10000', format: 'csv' }),
        'tollwatch-dead-letters.csv',
      ),
    )
  return (
    <section aria-labelledby="dead">
      <div class="heading">
        <h2 id="dead">What could not be read</h2>
        <RangeChoice now={now} />
      </div>
      <p>{letters === null ? 'History is away, so nothing can be said of the last hour.' : lastHour(letters)}</p>
      {saving.state === 'failed' ? <p class="trouble">The file could not be had: {saving.error.message}</p> : null}
      <Asked asked={asked} what="History">
        {({ rows }) =>
          rows.length === 0 ? (
            <p class="empty">
              No dead letters in this range. A record that cannot be read would be here with its place in the input, the
              reason, and its shape without its content.
            </p>
          ) : (
            <>
              <div class="scroll">
                <table class="events">
                  <caption class="hidden">The newest records that could not be read</caption>
                  <thead>
                    <tr>
                      <th scope="col">Time</th>
                      <th scope="col">Reason</th>
                      <th scope="col">Place</th>
                      <th scope="col" class="number">
                        Size
                      </th>
                      <th scope="col">Sketch: letters and digits are masked</th>
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row) => (
                      <tr key={`${row.source} ${row.partition} ${row.offset} ${row.index}`}>
                        <td>
                          <When at={row.time} now={now} seconds />
                        </td>
                        <td title={row.message}>
                          <code>{row.reason}</code>
                        </td>
                        <td>
                          {row.source} {row.partition} @{count(row.offset)}
                        </td>
                        <td class="number">{bytes(row.bytes)}</td>
                        <td class="sketch">
                          <code>{row.sketch}</code>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              <p class="below">
                <span>
                  <code>tollwatch decode</code> on such a line says what would make it readable.
                </span>
                <button type="button" class="quiet" disabled={saving.state === 'busy'} onClick={onSave}>
                  save as CSV
                </button>
              </p>
            </>
          )
        }
      </Asked>
    </section>
  )
}

function lastHour({ last_hour: all, by_reason }: NonNullable<HealthReport['dead_letters']>): string {
  if (all === 0) return 'Nothing in the last hour.'
  const reasons = Object.entries(by_reason).sort((a, b) => b[1] - a[1])
  return `${count(all)} in the last hour: ${reasons.map(([reason, number]) => `${reason} ${count(number)}`).join(', ')}.`
}
