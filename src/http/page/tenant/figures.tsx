import type { SummaryRow, TenantAnswer } from '../answers.ts'
import { pathOf } from '../ask/api.ts'
import { usePoll } from '../ask/poll.ts'
import { Figure } from '../figure.tsx'
import { change, count, duration, percent } from '../format.ts'
import { useNavigation } from '../navigation.tsx'
import { filterQuery, spanLengthMs, spanQuery, weekBefore } from '../view.ts'
import { When } from '../when.tsx'

const pollMs = 10_000
const weekPollMs = 300_000

interface Summary {
  readonly rows: readonly SummaryRow[]
}

/** The tenant in numbers: over the chosen range, and the same range a week before. */
export function Figures(props: { readonly tenant: string; readonly about: TenantAnswer | null; readonly now: number }) {
  const { view } = useNavigation()
  const { about, now } = props
  const filters = filterQuery(view)
  const current = usePoll<Summary>(pathOf('/api/v1/summary', { ...spanQuery(view), ...filters }), pollMs).data
  const before = usePoll<Summary>(pathOf('/api/v1/summary', { ...weekBefore(view), ...filters }), weekPollMs).data
  const row = current?.rows[0] ?? null
  const earlier = before?.rows[0] ?? null
  const range = duration(spanLengthMs(view))
  return (
    <dl class="figures">
      <Figure name={`Requests in ${range}`}>
        {row === null ? (current === null ? '…' : '0') : count(row.requests)}
        <Against now={row?.requests} before={earlier?.requests} />
      </Figure>
      <Figure name="Refused">
        {row === null ? (current === null ? '…' : '0') : count(row.payment_required)}
        <Against now={row?.payment_required} before={earlier?.payment_required} />
      </Figure>
      <Figure name="Share refused">{row === null ? '…' : percent(row.ratio)}</Figure>
      {about?.plan == null ? null : <Figure name="Plan">{about.plan}</Figure>}
      {about?.expires == null ? null : (
        <Figure name={Date.parse(about.expires) < now ? 'Expired' : 'Expires'}>
          <When at={about.expires} now={now} />
        </Figure>
      )}
      {about?.last_seen == null ? null : (
        <Figure name="Last seen">
          <When at={about.last_seen} now={now} />
        </Figure>
      )}
      {about?.first_seen == null ? null : (
        <Figure name="First seen">
          <When at={about.first_seen} now={now} />
        </Figure>
      )}
    </dl>
  )
}

function Against({ now, before }: { readonly now: number | undefined; readonly before: number | undefined }) {
  if (now === undefined || before === undefined) return null
  const text = change(now, before)
  return text === null ? null : (
    <small class="muted">
      {' '}
      {text} of last week’s {count(before)}
    </small>
  )
}
