import { useEffect, useState } from 'preact/hooks'

/** Colours of the page as a canvas needs them: a canvas knows no style sheet. */
export interface Theme {
  readonly dark: boolean
  readonly ink: string
  readonly muted: string
  readonly line: string
  readonly ground: string
}

export function readTheme(dark: boolean): Theme {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string) => style.getPropertyValue(name).trim()
  return { dark, ink: read('--ink'), muted: read('--muted'), line: read('--line'), ground: read('--panel') }
}

/** Whether the reader's system is dark now; charts are drawn anew when that changes. */
export function useDark(): boolean {
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const onChange = () => setDark(query.matches)
    query.addEventListener('change', onChange)
    return () => query.removeEventListener('change', onChange)
  }, [])
  return dark
}
