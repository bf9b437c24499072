import { useState } from 'preact/hooks'
import type { PageAlert, Silence } from '../answers.ts'
import { ask } from '../ask/api.ts'
import { useFeed } from '../ask/feed-root.tsx'
import { useAction } from '../ask/use-action.ts'
import { CopyButton } from '../copy-button.tsx'
import { shellWord } from '../csv.ts'
import { flawOf, mutes } from './silencing.ts'

/** How long; all others can be written as a duration. */
const lengths = ['30m', '1h', '4h', '12h', '1d', '3d', '7d'] as const
const nameKey = 'tollwatch-name'
/** Of those that would be muted, so many are named. */
const mostNamed = 5

/** Asks what to silence, how long and why, and shows first whom it would hold back. */
export function SilenceForm(props: {
  readonly matchers: readonly string[]
  readonly onDone: (silence: Silence) => void
  readonly onCancel: () => void
}) {
  const [text, setText] = useState(props.matchers.join('\n'))
  const [length, setLength] = useState<string>('4h')
  const [comment, setComment] = useState('')
  const [by, setBy] = useState(() => localStorage.getItem(nameKey) ?? '')
  const [action, run] = useAction<Silence>()
  const matchers = text.split('\n').filter((line) => line.trim() !== '')
  const flaw = flawOf(matchers)
  const onSubmit = (event: Event) => {
    event.preventDefault()
    if (flaw !== null) return
    localStorage.setItem(nameKey, by)
    void run(async () => {
      const json = { matchers, duration: length, created_by: by.trim() || 'page', comment: comment.trim() }
      const silence = await ask<Silence>('/api/v1/silences', { method: 'POST', json })
      props.onDone(silence)
      return silence
    })
  }
  const command = ['tollwatch silence add', ...matchers.map(shellWord), `--duration ${length}`].join(' ')
  return (
    <form class="form" onSubmit={onSubmit}>
      <label>
        What to silence: one matcher a line, all must match
        <textarea
          rows={Math.max(3, matchers.length + 1)}
          spellcheck={false}
          value={text}
          aria-describedby="silence-effect"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <div class="fields">
        <label>
          How long
          <select value={length} onChange={(event) => setLength(event.currentTarget.value)}>
            {lengths.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <label>
          Your name
          <input value={by} autocomplete="name" maxLength={200} onInput={(event) => setBy(event.currentTarget.value)} />
        </label>
      </div>
      <label>
        Why, for whoever finds the silence later
        <input
          required
          value={comment}
          maxLength={1_000}
          placeholder="Called them; they top up on Monday"
          onInput={(event) => setComment(event.currentTarget.value)}
        />
      </label>
      <div id="silence-effect" aria-live="polite">
        {flaw === null ? <Effect matchers={matchers} /> : <p class="flaw">{flaw}</p>}
      </div>
      {action.state === 'failed' ? <p class="trouble">The silence was not set: {action.error.message}</p> : null}
      <div class="buttons">
        <button type="submit" class="main" disabled={flaw !== null || action.state === 'busy'}>
          {action.state === 'busy' ? 'Setting…' : 'Silence'}
        </button>
        <button type="button" onClick={props.onCancel}>
          Cancel
        </button>
        <CopyButton text={command} label="copy as command" />
      </div>
    </form>
  )
}

function Effect({ matchers }: { readonly matchers: readonly string[] }) {
  const { alerts } = useFeed()
  const active = (alerts ?? []).filter(({ state }) => state !== 'resolved')
  const muted = active.filter((alert) => mutes(matchers, alert))
  if (muted.length === 0) return <p class="muted">Matches no alert of this moment; later ones that match are muted.</p>
  return (
    <>
      <p>
        Mutes {muted.length === active.length ? 'all' : muted.length} of {active.length} active{' '}
        {active.length === 1 ? 'alert' : 'alerts'}, and later ones that match:
      </p>
      <ul class="plain">
        {muted.slice(0, mostNamed).map((alert) => (
          <li key={alert.fingerprint}>{nameOf(alert)}</li>
        ))}
        {muted.length > mostNamed ? <li class="muted">and {muted.length - mostNamed} more</li> : null}
      </ul>
    </>
  )
}

function nameOf({ rule, labels }: PageAlert): string {
  const where = ['tenant', 'api', 'cause'].flatMap((label) => labels[label] ?? [])
  return [rule, ...where].join(' · ')
}
