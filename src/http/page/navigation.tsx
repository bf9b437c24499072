import { type ComponentChildren, createContext } from 'preact'
import { useContext, useEffect, useMemo, useState } from 'preact/hooks'
import { readView, type View, writeView } from './view.ts'

interface Navigation {
  readonly view: View
  /** Changes what is on the screen; `push` makes a step that the Back button undoes. */
  readonly go: (change: Partial<View>, push?: boolean) => void
}

const NavigationContext = createContext<Navigation | null>(null)

/** Keeps the view in the URL for everything inside. */
export function NavigationRoot({ children }: { readonly children: ComponentChildren }) {
  const [view, setView] = useState(() => readView(location.search))
  useEffect(() => {
    const onBack = () => setView(readView(location.search))
    window.addEventListener('popstate', onBack)
    return () => window.removeEventListener('popstate', onBack)
  }, [])
  const navigation = useMemo(() => {
    const go = (change: Partial<View>, push = false) => {
      const next = { ...readView(location.search), ...change }
      const url = writeView(next)
      if (push && url !== location.pathname + location.search) history.pushState(null, '', url)
      else history.replaceState(null, '', url)
      setView(next)
    }
    return { view, go }
  }, [view])
  return <NavigationContext.Provider value={navigation}>{children}</NavigationContext.Provider>
}

export function useNavigation(): Navigation {
  const navigation = useContext(NavigationContext)
  if (navigation === null) throw new Error('there is a NavigationRoot around the page')
  return navigation
}

/** A link to another state of the page: a true one, so it opens in a new tab too. */
export function Go(props: {
  readonly to: Partial<View>
  readonly children: ComponentChildren
  readonly class?: string
  readonly title?: string | undefined
  readonly label?: string
  readonly current?: 'page' | 'true' | undefined
}) {
  const { view, go } = useNavigation()
  const onClick = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    go(props.to, true)
  }
  return (
    <a
      href={writeView({ ...view, ...props.to })}
      onClick={onClick}
      {...(props.class === undefined ? {} : { class: props.class })}
      {...(props.title === undefined ? {} : { title: props.title })}
      {...(props.label === undefined ? {} : { 'aria-label': props.label })}
      {...(props.current === undefined ? {} : { 'aria-current': props.current })}
    >
      {props.children}
    </a>
  )
}
