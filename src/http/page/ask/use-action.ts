import { useRef, useState } from 'preact/hooks'
import type { ApiError } from './api.ts'
import { asApiError } from './poll.ts'

/** Something the reader asked for: not yet, under way, done with an answer, or failed. */
export type Action<Answer> =
  | { readonly state: 'idle' }
  | { readonly state: 'busy' }
  | { readonly state: 'done'; readonly answer: Answer }
  | { readonly state: 'failed'; readonly error: ApiError }

/** Runs one question at a time; of two in a row only the later one is shown. */
export function useAction<Answer>(): readonly [Action<Answer>, (work: () => Promise<Answer>) => Promise<void>] {
  const [action, setAction] = useState<Action<Answer>>({ state: 'idle' })
  const turn = useRef(0)
  const run = async (work: () => Promise<Answer>) => {
    turn.current += 1
    const mine = turn.current
    setAction({ state: 'busy' })
    try {
      const answer = await work()
      if (mine === turn.current) setAction({ state: 'done', answer })
    } catch (caught) {
      if (mine === turn.current) setAction({ state: 'failed', error: asApiError(caught) })
    }
  }
  return [action, run]
}
