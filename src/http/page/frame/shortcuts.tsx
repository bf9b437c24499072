import { useEffect, useRef } from 'preact/hooks'
import { useNavigation } from '../navigation.tsx'
import type { Place } from '../view.ts'
import { placeNames } from './header.tsx'

/** The second key after `g`. */
const keys: Readonly<Record<string, Place>> = {
  n: 'now',
  t: 'tenant',
  r: 'trends',
  a: 'alerts',
  u: 'rules',
  h: 'health',
}

/** Keys for those who live on the keyboard: `/` searches, `g` and a letter goes to a view, `?` lists them. */
export function Shortcuts() {
  const dialog = useRef<HTMLDialogElement>(null)
  const { go } = useNavigation()
  useEffect(() => {
    let afterG = false
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return
      const place = afterG ? keys[event.key] : undefined
      afterG = event.key === 'g'
      if (place !== undefined) {
        go({ place, alert: undefined, rule: undefined }, true)
      } else if (event.key === '/') {
        event.preventDefault()
        document.getElementById('search')?.focus()
      } else if (event.key === '?') {
        dialog.current?.showModal()
      }
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [go])
  return (
    <>
      <button type="button" class="quiet" onClick={() => dialog.current?.showModal()}>
        keys (?)
      </button>
      <dialog ref={dialog} aria-labelledby="keys">
        <h2 id="keys">Keys</h2>
        <dl>
          <dt>/</dt>
          <dd>search</dd>
          {Object.entries(keys).map(([key, place]) => (
            <>
              <dt>g {key}</dt>
              <dd>{placeNames[place]}</dd>
            </>
          ))}
          <dt>?</dt>
          <dd>this list</dd>
          <dt>Esc</dt>
          <dd>close</dd>
        </dl>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  )
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
  )
}
