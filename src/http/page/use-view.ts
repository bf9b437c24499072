import { useEffect, useState } from 'preact/hooks'
import { readView, type View, writeView } from './view.ts'

/** The view in the URL, and a way to change it; `push` makes a step that the Back button undoes. */
export function useView(): readonly [View, (change: Partial<View>, push?: boolean) => void] {
  const [view, setView] = useState(() => readView(location.search))
  useEffect(() => {
    const onBack = () => setView(readView(location.search))
    window.addEventListener('popstate', onBack)
    return () => window.removeEventListener('popstate', onBack)
  }, [])
  const change = (changes: Partial<View>, push = false) => {
    const next = { ...readView(location.search), ...changes }
    if (push) history.pushState(null, '', writeView(next))
    else history.replaceState(null, '', writeView(next))
    setView(next)
  }
  return [view, change]
}
