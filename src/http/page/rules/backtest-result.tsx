import type { Backtested } from '../answers.ts'
import { useServerNow } from '../ask/feed-root.tsx'
import { causeName } from '../causes.ts'
import { count, duration } from '../format.ts'
import { Go } from '../navigation.tsx'
import { When } from '../when.tsx'

const mostShown = 50
/** Shown around a firing when its course is opened. */
const roomMs = 30 * 60_000

/** How often it would have fired, about whom, and for how long. */
export function BacktestResult({ result }: { readonly result: Backtested }) {
  const now = useServerNow() ?? 0
  const { fired, series, episodes, warnings, complete } = result
  return (
    <>
      <p class="calm">
        Would have fired <b>{fired === 1 ? 'once' : `${count(fired)} times`}</b>
        {series > 1 ? `, about ${count(series)} series` : ''}.
      </p>
      {complete ? null : (
        <p class="trouble mild">Only part of the span could be judged: history no longer holds all its minutes.</p>
      )}
      {warnings.map((warning) => (
        <p key={warning} class="trouble mild">
          {warning}
        </p>
      ))}
      {episodes.length === 0 ? null : (
        <table class="cards">
          <caption class="hidden">Firings of the trial</caption>
          <thead>
            <tr>
              <th scope="col">About</th>
              <th scope="col">Fired</th>
              <th scope="col">Lasted</th>
              <th scope="col" class="number">
                At most
              </th>
            </tr>
          </thead>
          <tbody>
            {episodes.slice(0, mostShown).map(({ labels, started, ended, peak }) => (
              <tr key={`${JSON.stringify(labels)} ${started}`}>
                <th scope="row" class="tenant">
                  <Go to={toCourse(labels, started, ended)}>{aboutOf(labels)}</Go>
                </th>
                <td class="api">
                  <When at={started} now={now} />
                </td>
                <td class="since">
                  {ended === null ? 'to the end' : duration(Date.parse(ended) - Date.parse(started))}
                </td>
                <td class="number refused">{count(peak)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {episodes.length > mostShown ? <p class="muted">The first {mostShown} are shown.</p> : null}
    </>
  )
}

function aboutOf({ tenant, api, cause }: Readonly<Record<string, string>>): string {
  const parts = [tenant, api, cause === undefined ? undefined : causeName(cause)].flatMap((part) => part ?? [])
  return parts.length === 0 ? 'everything' : parts.join(' · ')
}

function toCourse(labels: Readonly<Record<string, string>>, started: string, ended: string | null) {
  const fromMs = Date.parse(started) - roomMs
  const span = { fromMs, toMs: (ended === null ? Date.parse(started) : Date.parse(ended)) + roomMs }
  const { tenant, api, cause } = labels
  return { place: 'trends', tenant, api, cause, span, rule: undefined } as const
}
