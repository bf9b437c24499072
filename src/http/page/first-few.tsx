import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { count } from './format.ts'

/** So many sentences can be taken in at a glance; a hundred hide the one that matters. */
const few = 6

/**
 * The first few of a list, and a button for the others. They appear after the button, so that a reader with a keyboard
 * or a screen reader comes to them next and nothing moves under a mouse. What was chosen lasts while the page is open.
 */
export function FirstFew<Item>(props: {
  readonly items: readonly Item[]
  /** Lays out the items of one part. */
  readonly children: (items: readonly Item[]) => ComponentChildren
}) {
  const { items, children } = props
  const [open, setOpen] = useState(false)
  const more = items.length - few
  if (more <= 0) return <>{items.length > 0 ? children(items) : null}</>
  return (
    <>
      {children(items.slice(0, few))}
      <p class="muted more">
        and {count(more)} more:{' '}
        <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'hide' : 'show all'}
        </button>
      </p>
      {open ? children(items.slice(few)) : null}
    </>
  )
}
