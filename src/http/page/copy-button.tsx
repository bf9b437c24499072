import { useState } from 'preact/hooks'

/** Copies a command; where the browser does not let us, the text itself appears to be copied by hand. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [state, setState] = useState<'ready' | 'copied' | 'refused'>('ready')
  const onClick = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setState('copied')
    } catch {
      setState('refused')
    }
    window.setTimeout(() => setState((now) => (now === 'copied' ? 'ready' : now)), 2_000)
  }
  if (state === 'refused') return <code class="copied">{text}</code>
  return (
    <button type="button" class="quiet" title={text} onClick={onClick}>
      <span aria-live="polite">{state === 'copied' ? 'copied' : label}</span>
    </button>
  )
}
