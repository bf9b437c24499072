import { useEffect, useRef, useState } from 'preact/hooks'
import { useFeed } from '../ask/feed-root.tsx'
import { fresh, newsOf } from './news.ts'

/** At most one announcement in so long: a screen reader that never stops talking is switched off. */
const quietMs = 15_000

/** Tells screen readers of alerts that begin while the page is open; what fired before is on the page anyway. */
export function Announcer() {
  const { alerts } = useFeed()
  const [text, setText] = useState('')
  const known = useRef<ReadonlySet<string> | null>(null)
  const readyAt = useRef(0)
  useEffect(() => {
    if (alerts === null) return
    const firing = alerts.filter(({ state }) => state === 'firing')
    if (known.current === null) {
      known.current = new Set(firing.map(fresh))
      return
    }
    const before = known.current
    const begun = firing.filter((alert) => !before.has(fresh(alert)))
    if (begun.length === 0 || performance.now() < readyAt.current) return
    known.current = new Set(firing.map(fresh))
    readyAt.current = performance.now() + quietMs
    setText(newsOf(begun))
  }, [alerts])
  return (
    <p class="hidden" aria-live="polite">
      {text}
    </p>
  )
}
