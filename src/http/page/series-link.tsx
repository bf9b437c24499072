import type { ComponentChildren } from 'preact'
import { type View, writeView } from './view.ts'

/** Chooses a tenant, or one API of it, for the chart and the list of refusals; a true link, so it opens in a new tab too. */
export function SeriesLink(props: {
  readonly view: View
  readonly onView: (change: Partial<View>, push?: boolean) => void
  readonly tenant: string
  readonly api: string | undefined
  readonly children: ComponentChildren
}) {
  const change = { tenant: props.tenant, api: props.api }
  const onClick = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    props.onView(change, true)
    document.getElementById('trend')?.scrollIntoView({ block: 'nearest' })
  }
  return (
    <a href={writeView({ ...props.view, ...change })} onClick={onClick}>
      {props.children}
    </a>
  )
}
