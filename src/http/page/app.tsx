import { useEffect, useRef, useState } from 'preact/hooks'
import { AlertsView } from './alerts/view.tsx'
import type { WhoAmI } from './answers.ts'
import { FeedRoot, useFeed } from './ask/feed-root.tsx'
import { MeRoot } from './ask/me.tsx'
import { usePoll } from './ask/poll.ts'
import { Announcer } from './frame/announcer.tsx'
import { Footer } from './frame/footer.tsx'
import { Header, placeNames } from './frame/header.tsx'
import { TokenForm } from './frame/token-form.tsx'
import { Trouble } from './frame/trouble.tsx'
import { HealthView } from './health/view.tsx'
import { NavigationRoot, useNavigation } from './navigation.tsx'
import { NowView } from './now/view.tsx'
import { RulesView } from './rules/view.tsx'
import { TenantView } from './tenant/view.tsx'
import { TrendsView } from './trends/view.tsx'
import { type Place, places } from './view.ts'

const whoPollMs = 600_000
const sparklineMinutes = '30'

/** Six views of one daemon behind one frame. */
export function App() {
  const [tokens, setTokens] = useState(0)
  return (
    <NavigationRoot key={tokens}>
      <Feeding onToken={() => setTokens(tokens + 1)} />
    </NavigationRoot>
  )
}

/** How many rows the table of Now asks for; more only when somebody asks to see more. */
const rowSteps = [50, 200, 1_000] as const

function Feeding({ onToken }: { readonly onToken: () => void }) {
  const { view } = useNavigation()
  const [more, setMore] = useState(0)
  // A search looks through more rows than a glance does.
  const step = view.search === '' ? more : Math.max(more, 1)
  const limit = rowSteps[Math.min(step, rowSteps.length - 1)] ?? rowSteps[0]
  return (
    <FeedRoot query={{ window: view.window, limit: String(limit), sparkline: sparklineMinutes }}>
      <Page onToken={onToken} onMore={limit < (rowSteps.at(-1) ?? 0) ? () => setMore(step + 1) : null} />
    </FeedRoot>
  )
}

function Page(props: { readonly onToken: () => void; readonly onMore: (() => void) | null }) {
  const { view, go } = useNavigation()
  const { error } = useFeed()
  const me = usePoll<WhoAmI>('/api/v1/whoami', whoPollMs).data
  useTitle(view.place)
  useFocusOnChange(view.place)
  // Whoever may see one tenant alone begins there.
  const only = me?.tenant ?? null
  useEffect(() => {
    if (only !== null && view.tenant !== only) go({ place: 'tenant', tenant: only })
  }, [only])
  if (error?.status === 401) return <TokenForm problem={error.message} onToken={props.onToken} />
  return (
    <MeRoot me={me}>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <Header me={me} />
      <main id="content" data-view={view.place}>
        <Trouble />
        <h1 id="view" tabIndex={-1} class="hidden">
          {placeNames[view.place]}
        </h1>
        <Body place={view.place} onMore={props.onMore} />
      </main>
      <Footer me={me} />
      <Announcer />
    </MeRoot>
  )
}

function Body({ place, onMore }: { readonly place: Place; readonly onMore: (() => void) | null }) {
  switch (place) {
    case 'now':
      return <NowView onMore={onMore} />
    case 'tenant':
      return <TenantView />
    case 'trends':
      return <TrendsView />
    case 'alerts':
      return <AlertsView />
    case 'rules':
      return <RulesView />
    case 'health':
      return <HealthView />
    default:
      return place satisfies never
  }
}

/** A reader with a keyboard or a screen reader goes on from the top of the view that was opened. */
function useFocusOnChange(place: Place): void {
  const shown = useRef(place)
  useEffect(() => {
    if (shown.current === place) return
    shown.current = place
    document.getElementById('view')?.focus()
    window.scrollTo(0, 0)
  }, [place])
}

/** The tab tells which view it is and how many alerts fire, for those who keep it in the background. */
function useTitle(place: Place): void {
  const { alerts, status } = useFeed()
  const firing = (alerts ?? []).filter(({ state }) => state === 'firing').length
  const name = status?.title ?? 'Tollwatch'
  const where = place === places[0] ? name : `${placeNames[place]} – ${name}`
  const title = `${firing > 0 ? `(${firing}) ` : ''}${where}${status?.demo === true ? ' – demo data' : ''}`
  useEffect(() => {
    document.title = title
  }, [title])
}
