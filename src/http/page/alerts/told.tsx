import type { Explained } from '../answers.ts'
import { usePoll } from '../ask/poll.ts'
import { Asked } from '../asked.tsx'
import { When } from '../when.tsx'

/** Why the alert is what it is, who is told of it and who was. */
export function Told(props: { readonly fingerprint: string; readonly now: number; readonly pollMs: number }) {
  const path = `/api/v1/alerts/${encodeURIComponent(props.fingerprint)}/explain`
  const asked = usePoll<Explained>(path, props.pollMs)
  return (
    <section aria-labelledby="why">
      <h2 id="why">Why, and who was told</h2>
      {asked.error?.status === 404 ? (
        <p class="empty">It ended too long ago: the reasons are kept for a quarter of an hour after the end.</p>
      ) : (
        <Asked asked={asked} what="The reasons">
          {(explained) => <Account explained={explained} now={props.now} />}
        </Asked>
      )}
    </section>
  )
}

function asSentence(text: string): string {
  const said = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(said) ? said : `${said}.`
}

/** The daemon says the account in words as well, at the end, at most so many lines of each kind and one for the rest. */
const mostLines = 20

function ownSentences({ sentences, ways, messages }: Explained): readonly string[] {
  const said = [ways, messages].reduce((sum, { length }) => sum + Math.min(length, mostLines + 1), 0)
  return sentences.slice(0, Math.max(0, sentences.length - said))
}

function Account({ explained, now }: { readonly explained: Explained; readonly now: number }) {
  const { ways, messages } = explained
  return (
    <>
      <ul class="plain reasons">
        {ownSentences(explained).map((sentence) => (
          <li key={sentence}>{asSentence(sentence)}</li>
        ))}
      </ul>
      {ways.length === 0 ? (
        <p class="muted">Nobody is told of it: no route sends it anywhere, or it is still pending.</p>
      ) : (
        <div class="scroll">
          <table>
            <caption class="hidden">Who is told of this alert</caption>
            <thead>
              <tr>
                <th scope="col">Receiver</th>
                <th scope="col">By the route</th>
                <th scope="col">Told</th>
                <th scope="col">Next</th>
              </tr>
            </thead>
            <tbody>
              {ways.map((way) => (
                <tr key={`${way.receiver} ${way.integration} ${way.route}`}>
                  <th scope="row">
                    {way.receiver} <span class="muted">{way.integration}</span>
                  </th>
                  <td>{way.route === '' ? 'the first one' : <code>{way.route}</code>}</td>
                  <td>
                    {way.muted_by === null ? null : (
                      <b title={way.muted_by.name}>
                        held back by{' '}
                        {way.muted_by.by === 'silence' ? 'a silence' : `${way.muted_by.by} ${way.muted_by.name}`};{' '}
                      </b>
                    )}
                    {way.told === null ? 'not yet' : `as ${way.told}`}
                  </td>
                  <td>
                    {way.next === null ? (
                      <span class="muted">nothing</span>
                    ) : (
                      <>
                        {way.next.kind} {way.next.at === null ? 'under way' : <When at={way.next.at} now={now} />}
                      </>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {messages.length === 0 ? null : (
        <ul class="plain">
          {messages.map((message) => (
            <li key={message.id}>
              <When at={message.settled_at ?? message.made_at} now={now} /> {message.state} to {message.receiver}: “
              {message.subject}”{message.reason === null ? '' : ` (${message.reason})`}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
