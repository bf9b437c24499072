import type { PageAlert, Silence } from '../answers.ts'
import { ask } from '../ask/api.ts'
import { useFeed } from '../ask/feed-root.tsx'
import { mayOperate, useMe } from '../ask/me.tsx'
import { useAction } from '../ask/use-action.ts'
import { Failure } from '../asked.tsx'
import { duration } from '../format.ts'
import { useNavigation } from '../navigation.tsx'
import { When } from '../when.tsx'
import { SilenceButton } from './silence-button.tsx'
import { exactly, mutes } from './silencing.ts'
import { useSilences } from './use-silences.ts'

const order: Readonly<Record<Silence['state'], number>> = { active: 0, scheduled: 1, expired: 2 }

/** Who is held back, until when and why; ended with a click. */
export function Silences({ now }: { readonly now: number }) {
  const { silences, error, again } = useSilences()
  const { alerts } = useFeed()
  const { view } = useNavigation()
  const sorted = [...silences].sort(
    (a, b) => order[a.state] - order[b.state] || Date.parse(a.ends_at) - Date.parse(b.ends_at),
  )
  const chosen = (['tenant', 'api', 'cause'] as const).flatMap((label) => {
    const value = view[label]
    return value === undefined ? [] : [exactly(label, value)]
  })
  const start = chosen.length > 0 ? chosen : ['tenant=""']
  return (
    <section aria-labelledby="silences">
      <div class="heading">
        <h2 id="silences">Silences</h2>
        <span class="end">
          <SilenceButton matchers={start} label="new silence" onDone={again} />
        </span>
      </div>
      {error === null ? null : <Failure error={error} what="The silences" />}
      {sorted.length === 0 ? (
        <p class="empty">
          Nobody is silenced. A silence holds messages about matching alerts back until it ends; the alerts still show
          here. Set one from any alert, or with “new silence”.
        </p>
      ) : (
        <div class="scroll">
          <table>
            <caption class="hidden">Silences, active ones first</caption>
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Silences</th>
                <th scope="col">Why</th>
                <th scope="col">By</th>
                <th scope="col">Ends</th>
                <th scope="col">Holds back now</th>
                <th scope="col">
                  <span class="hidden">Action</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {sorted.map((silence) => (
                <Row key={silence.id} silence={silence} now={now} alerts={alerts ?? []} onExpired={again} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

function Row(props: {
  readonly silence: Silence
  readonly now: number
  readonly alerts: readonly PageAlert[]
  readonly onExpired: () => void
}) {
  const { silence, now } = props
  const me = useMe()
  const [action, run] = useAction<unknown>()
  const held = props.alerts.filter((alert) => alert.state === 'firing' && mutes(silence.matchers, alert)).length
  const left = Date.parse(silence.ends_at) - now
  const onEnd = () =>
    void run(async () => {
      await ask(`/api/v1/silences/${encodeURIComponent(silence.id)}`, { method: 'DELETE' })
      props.onExpired()
    })
  return (
    <tr class={silence.state === 'expired' ? 'past' : ''}>
      <td>{silence.state}</td>
      <td>
        {silence.matchers.map((matcher) => (
          <code key={matcher} class="matcher">
            {matcher}
          </code>
        ))}
      </td>
      <td class="text">{silence.comment}</td>
      <td>{silence.created_by}</td>
      <td>
        <When at={silence.ends_at} now={now} />
        {silence.state === 'active' ? <span class="muted"> (in {duration(left)})</span> : null}
      </td>
      <td>{silence.state === 'active' ? `${held} firing` : ''}</td>
      <td>
        {silence.state === 'expired' ? null : (
          <button type="button" disabled={!mayOperate(me) || action.state === 'busy'} onClick={onEnd}>
            end now
          </button>
        )}
        {action.state === 'failed' ? <span class="flaw"> {action.error.message}</span> : null}
      </td>
    </tr>
  )
}
