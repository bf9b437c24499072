import type { ComponentChildren } from 'preact'
import { concerns } from '../alert-concerns.ts'
import { AlertSentence } from '../alert-sentence.tsx'
import type { PageAlert, Silence } from '../answers.ts'
import { useFeed } from '../ask/feed-root.tsx'
import { Waiting } from '../asked.tsx'
import { SeriesChips } from '../filter-bar.tsx'
import { FirstFew } from '../first-few.tsx'
import { useNavigation } from '../navigation.tsx'
import { broadestFirst, incidentsOf, lastEndedFirst } from '../urgency.ts'
import { silenceOf } from './silencing.ts'
import { useSilences } from './use-silences.ts'

/** The alerts of this moment, by what they ask of the reader. */
export function Active({ now }: { readonly now: number }) {
  const { alerts } = useFeed()
  const { view } = useNavigation()
  const { silences, again } = useSilences()
  if (alerts === null) {
    return (
      <section>
        <Waiting>Asking the daemon…</Waiting>
      </section>
    )
  }
  const chosen = broadestFirst(alerts.filter((alert) => concerns(alert, view)))
  const isMuted = (alert: PageAlert) => silenceOf(alert, silences) !== null
  const firing = chosen.filter(({ state }) => state === 'firing')
  const listing = { now, silences, onSilenced: again }
  return (
    <>
      <Part title="Firing" items={firing.filter((alert) => !isMuted(alert))} {...listing}>
        Nothing fires. What fires would stand here as a sentence, the most urgent first.
        {chosen.length < alerts.length ? ' Drop the filters to see the alerts about others.' : ''}
      </Part>
      <Part title="Firing, but silenced" items={firing.filter(isMuted)} {...listing} />
      <Part title="Pending" items={chosen.filter(({ state }) => state === 'pending')} {...listing}>
        No condition is true without having lasted long enough to fire.
      </Part>
      <Part
        title="Resolved lately"
        items={lastEndedFirst(chosen.filter(({ state }) => state === 'resolved'))}
        {...listing}
      />
    </>
  )
}

function Part(props: {
  readonly title: string
  readonly items: readonly PageAlert[]
  readonly now: number
  readonly silences: readonly Silence[]
  readonly onSilenced: () => void
  /** Said of an empty part; without it an empty part is left out. */
  readonly children?: ComponentChildren
}) {
  const { title, items, silences } = props
  if (items.length === 0 && props.children === undefined) return null
  const id = `part-${title.toLowerCase().replaceAll(/\W+/g, '-')}`
  return (
    <section aria-labelledby={id}>
      <div class="heading">
        <h2 id={id}>
          {title} {items.length > 0 ? <span class="muted">{items.length}</span> : null}
        </h2>
        {title === 'Firing' ? <SeriesChips /> : null}
      </div>
      {items.length === 0 ? <p class="empty">{props.children}</p> : null}
      <FirstFew items={incidentsOf(items)}>
        {(part) => (
          <ul class="alerts">
            {part.map(({ alert, parts }) => (
              <AlertSentence
                key={alert.fingerprint}
                alert={alert}
                parts={parts}
                now={props.now}
                silence={silenceOf(alert, silences)}
                onSilenced={props.onSilenced}
              />
            ))}
          </ul>
        )}
      </FirstFew>
    </section>
  )
}
