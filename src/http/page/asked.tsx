import type { ComponentChildren } from 'preact'
import type { ApiError } from './ask/api.ts'
import type { Polled } from './ask/poll.ts'

/** What an answer becomes on the screen; old answers stay beside the news that there is no newer one. */
export function Asked<Answer>(props: {
  readonly asked: Polled<Answer>
  /** What is asked, to begin a sentence: `History`. */
  readonly what: string
  readonly children: (data: Answer) => ComponentChildren
}) {
  const { data, error } = props.asked
  return (
    <>
      {error === null ? null : (
        <Failure error={error} what={props.what}>
          {data === null ? null : 'This is what it said last.'}
        </Failure>
      )}
      {data !== null ? props.children(data) : error === null ? <Waiting>Asking the daemon…</Waiting> : null}
    </>
  )
}

/** Why something is missing, what that means and what helps. */
export function Failure(props: {
  readonly error: ApiError
  readonly what: string
  readonly children?: ComponentChildren
}) {
  const { error, what } = props
  return (
    <p class="trouble" role="status">
      {what} cannot be asked: {error.message} {props.children ?? helpFor(error)}
    </p>
  )
}

/** What to do about an error, by its kind. */
export function helpFor({ status }: Pick<ApiError, 'status'>): string {
  if (status === 0) return 'Is tollwatch running? The page asks again by itself.'
  if (status === 400) return 'Change the filters or the range and try again.'
  if (status === 401) return 'Load the page again and enter a token.'
  if (status === 403) return 'Your token does not allow it; ask whoever runs Tollwatch for one with more scopes.'
  if (status === 404) return 'Check the name, or choose a longer range.'
  if (status === 429) return 'Too much was asked at once; the page tries again by itself.'
  if (status === 503) return 'What comes from memory goes on; history answers again when its store does.'
  return 'The log of the daemon says more.'
}

export function Waiting({ children }: { readonly children: ComponentChildren }) {
  return (
    <p class="muted waiting" aria-busy="true">
      {children}
    </p>
  )
}
