import type { Live, Status } from './answers.ts'
import type { ApiError } from './api.ts'
import { clockSeconds, count, duration, exactTime } from './format.ts'
import { Shortcuts } from './shortcuts.tsx'
import type { View } from './view.ts'

/** Older than this, the newest record is worth a remark. */
const staleMs = 60_000

export function Header(props: {
  readonly status: Status | null
  readonly live: Live | null
  readonly error: ApiError | null
  readonly view: View
  readonly onView: (change: Partial<View>) => void
}) {
  const { status } = props
  return (
    <header>
      <h1>
        <img src="/icon.svg" alt="" width="26" height="26" /> {status?.title ?? 'Tollwatch'}
      </h1>
      {status?.demo === true ? (
        <span class="demo" title="All tenants and requests on this page are made up.">
          DEMO DATA
        </span>
      ) : null}
      <Freshness {...props} />
      <input
        id="search"
        type="search"
        aria-label="Search tenants, APIs and causes"
        placeholder="Search tenant, API, cause"
        value={props.view.search}
        onInput={(event) => props.onView({ search: event.currentTarget.value })}
      />
    </header>
  )
}

/** How old the numbers are, in words. */
function Freshness({ status, live, error }: { status: Status | null; live: Live | null; error: ApiError | null }) {
  if (error !== null) return <span class="fresh bad">no answer</span>
  if (status === null || live === null) return <span class="fresh muted">connecting…</span>
  if (live.at === null) return <span class="fresh muted">waiting for the first record</span>
  const at = Date.parse(live.at)
  // The newest slice ends ahead of the clock while it is being filled.
  const age = Math.max(0, Date.parse(status.now) - at)
  return (
    <span class={age > staleMs ? 'fresh bad' : 'fresh muted'} title={exactTime(at)}>
      {age > staleMs ? `newest record is ${duration(age)} old` : `live to ${clockSeconds(at, Date.parse(status.now))}`}
    </span>
  )
}

/** What is wrong with Tollwatch itself, what that means for the numbers, and what to do. */
export function Trouble({ status, error }: { readonly status: Status | null; readonly error: ApiError | null }) {
  return (
    <div role="status">
      {error === null ? null : (
        <p class="trouble">
          {error.message}{' '}
          {status === null
            ? 'Nothing can be shown until it does; is tollwatch running?'
            : `The numbers below are those of ${clockSeconds(Date.parse(status.now), Date.parse(status.now))}; this page asks again by itself.`}
        </p>
      )}
      {error === null && status !== null && !status.ready ? (
        <p class="trouble">Tollwatch is not ready: {status.reasons.join('; ')}. The numbers may be incomplete.</p>
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

export function Footer({ status, live }: { readonly status: Status | null; readonly live: Live | null }) {
  if (status === null) return null
  const watermark = status.watermark === null ? null : Date.parse(status.watermark)
  const facts = [
    `Tollwatch ${status.version}`,
    `running ${duration(Date.parse(status.now) - Date.parse(status.started))}`,
    `${count(status.series)} series`,
    status.lag_records === null ? null : `${count(status.lag_records)} records waiting`,
    live === null || watermark === null
      ? 'no record yet'
      : `complete to ${clockSeconds(watermark, Date.parse(status.now))}`,
    status.oldest_unwritten_seconds > 30
      ? `history is ${duration(status.oldest_unwritten_seconds * 1_000)} behind`
      : null,
  ]
  return (
    <footer>
      <span>{facts.filter((fact) => fact !== null).join(' · ')}</span>
      <span>
        <a href="/api/v1/openapi.json">API</a> <Shortcuts />
      </span>
    </footer>
  )
}
