import { useRef, useState } from 'preact/hooks'
import type { Silence } from '../answers.ts'
import { mayOperate, useMe } from '../ask/me.tsx'
import { SilenceForm } from './silence-form.tsx'

/** Opens the form for a silence in a dialog. */
export function SilenceButton(props: {
  readonly matchers: readonly string[]
  readonly label?: string
  readonly onDone: (silence: Silence) => void
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [open, setOpen] = useState(false)
  const me = useMe()
  const onOpen = () => {
    setOpen(true)
    dialog.current?.showModal()
  }
  const allowed = mayOperate(me)
  return (
    <>
      <button
        type="button"
        class="quiet"
        disabled={!allowed}
        title={allowed ? undefined : 'Your token may look but not change anything.'}
        onClick={onOpen}
      >
        {props.label ?? 'silence'}
      </button>
      <dialog ref={dialog} aria-label="New silence" class="wide" onClose={() => setOpen(false)}>
        {open ? (
          <>
            <h2>New silence</h2>
            <SilenceForm
              matchers={props.matchers}
              onDone={(silence) => {
                dialog.current?.close()
                props.onDone(silence)
              }}
              onCancel={() => dialog.current?.close()}
            />
          </>
        ) : null}
      </dialog>
    </>
  )
}
