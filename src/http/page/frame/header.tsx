import type { WhoAmI } from '../answers.ts'
import { useFeed, useServerNow } from '../ask/feed-root.tsx'
import { clockSeconds, duration, exactTime } from '../format.ts'
import { Go, useNavigation } from '../navigation.tsx'
import { type Place, places } from '../view.ts'

/** Older than this, the newest record is worth a remark. */
const staleMs = 60_000

export const placeNames: Readonly<Record<Place, string>> = {
  now: 'Now',
  tenant: 'Tenant',
  trends: 'Trends',
  alerts: 'Alerts',
  rules: 'Rules',
  health: 'Health',
}

/** What a caller who may see one tenant alone has no part in. */
const forAllTenants: readonly Place[] = ['rules', 'health']

export function Header({ me }: { readonly me: WhoAmI | null }) {
  const { status } = useFeed()
  return (
    <header>
      <div class="brand">
        <p class="title">
          <img src="/icon.svg" alt="" width="26" height="26" /> {status?.title ?? 'Tollwatch'}
        </p>
        {status?.demo === true ? (
          <span class="demo" title="All tenants and requests on this page are made up.">
            DEMO DATA
          </span>
        ) : null}
        <Freshness />
      </div>
      <Places me={me} />
      <Search />
    </header>
  )
}

function Places({ me }: { readonly me: WhoAmI | null }) {
  const { view } = useNavigation()
  const { alerts } = useFeed()
  const firing = (alerts ?? []).filter(({ state }) => state === 'firing').length
  const shown = me?.tenant == null ? places : places.filter((place) => !forAllTenants.includes(place))
  return (
    <nav aria-label="Views">
      <ul>
        {shown.map((place) => (
          <li key={place}>
            <Go to={{ place, alert: undefined, rule: undefined }} current={place === view.place ? 'page' : undefined}>
              {placeNames[place]}
              {place === 'alerts' && firing > 0 ? (
                <>
                  {' '}
                  <span class="badge">
                    {firing}
                    <span class="hidden"> firing</span>
                  </span>
                </>
              ) : null}
            </Go>
          </li>
        ))}
      </ul>
    </nav>
  )
}

/** Filters the table of Now as one types; from elsewhere Enter goes there. */
function Search() {
  const { view, go } = useNavigation()
  const onSubmit = (event: Event) => {
    event.preventDefault()
    const input = document.querySelector<HTMLInputElement>('#search')
    go({ place: 'now', search: input?.value ?? '', tenant: undefined, api: undefined, cause: undefined }, true)
  }
  return (
    <search>
      <form onSubmit={onSubmit}>
        <input
          id="search"
          type="search"
          aria-label="Search tenants, APIs and causes"
          placeholder="Search tenant, API, cause"
          value={view.place === 'now' ? view.search : ''}
          onInput={(event) => (view.place === 'now' ? go({ search: event.currentTarget.value }) : undefined)}
        />
      </form>
    </search>
  )
}

/** Whether the numbers move, how, and how old they are; in words. */
function Freshness() {
  const { live, by, error } = useFeed()
  const now = useServerNow()
  if (error !== null) return <span class="fresh bad">✕ stopped: no answer</span>
  if (by === 'connecting' || live === null || now === null) {
    return <span class="fresh muted">connecting…</span>
  }
  if (live.at === null) return <span class="fresh muted">waiting for the first record</span>
  const at = Date.parse(live.at)
  // The newest slice ends ahead of the clock while it is being filled.
  const age = Math.max(0, now - at)
  const how = by === 'stream' ? 'As it happens.' : 'Asked for every two seconds; no stream could be had.'
  if (age > staleMs) {
    return (
      <span class="fresh bad" title={exactTime(at)}>
        ▲ newest record is {duration(age)} old
      </span>
    )
  }
  return (
    <span class="fresh muted" title={`${how} Newest record: ${exactTime(at)}`}>
      <span class={by === 'stream' ? 'pulse' : 'pulse slow'} aria-hidden="true" />
      {by === 'stream' ? 'live' : 'every 2 s'} to {clockSeconds(at, now)}
    </span>
  )
}
