import { type ComponentChildren, createContext } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import { type Feed, type FeedQuery, LiveFeed, nothingYet } from './live-feed.ts'

const FeedContext = createContext<Feed>(nothingYet)

/** One feed for the whole page, whatever view is open. */
export function FeedRoot({ query, children }: { readonly query: FeedQuery; readonly children: ComponentChildren }) {
  const [feed, setFeed] = useState(nothingYet)
  const newest = useRef(feed)
  useEffect(() => {
    const follow = new LiveFeed(query, newest.current, (next) => {
      newest.current = next
      setFeed(next)
    })
    follow.start()
    return () => follow.stop()
  }, [query.window, query.limit, query.sparkline])
  return <FeedContext.Provider value={feed}>{children}</FeedContext.Provider>
}

export function useFeed(): Feed {
  return useContext(FeedContext)
}

/** Milliseconds between two ticks of the page's clock. */
const tickMs = 1_000

/**
 * The daemon's time, going on by itself between its answers: the reader's clock may be wrong, and a stream is silent
 * when nothing happens. Null before the first answer.
 */
export function useServerNow(): number | null {
  const { status, live } = useFeed()
  // Whoever may not ask for the status takes the time of the newest records.
  const text = status?.now ?? live?.at ?? null
  const anchor = useRef<{ readonly text: string; readonly now: number; readonly at: number } | null>(null)
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = window.setInterval(() => tick((count) => count + 1), tickMs)
    return () => window.clearInterval(timer)
  }, [])
  if (text === null) return null
  if (anchor.current?.text !== text) anchor.current = { text, now: Date.parse(text), at: performance.now() }
  return anchor.current.now + (performance.now() - anchor.current.at)
}
