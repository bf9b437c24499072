import { useEffect, useRef } from 'preact/hooks'

const places: Readonly<Record<string, string>> = { n: 'now', w: 'who', t: 'trend' }

/** Keys for those who live on the keyboard: `/` searches, `g n`, `g w`, `g t` go to the answers, `?` lists them. */
export function Shortcuts() {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    let afterG = false
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return
      const place = afterG ? places[event.key] : undefined
      afterG = event.key === 'g'
      if (place !== undefined) {
        document.getElementById(place)?.focus()
      } else if (event.key === '/') {
        event.preventDefault()
        document.getElementById('search')?.focus()
      } else if (event.key === '?') {
        dialog.current?.showModal()
      }
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
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
          <dt>g n</dt>
          <dd>is anything wrong now</dd>
          <dt>g w</dt>
          <dd>who and why</dd>
          <dt>g t</dt>
          <dd>since when</dd>
          <dt>?</dt>
          <dd>this list</dd>
        </dl>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  )
}
