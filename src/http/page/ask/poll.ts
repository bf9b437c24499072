import { useCallback, useEffect, useState } from 'preact/hooks'
import { ApiError, ask } from './api.ts'

/** What a poll knows: the newest answer, and the error since then, if any. */
export interface Polled<Answer> {
  /** The newest answer to this very question; null until it came. */
  readonly data: Answer | null
  readonly error: ApiError | null
  /** Asks at once, for instance after something was changed. */
  readonly again: () => void
}

/**
 * Asks the same question again and again, each time some milliseconds after the last answer. A tab that nobody sees
 * does not ask. An error keeps the last answer, so that the screen shows old numbers (and says so) and not none.
 */
export function usePoll<Answer>(path: string | null, everyMs: number): Polled<Answer> {
  const [turns, setTurns] = useState(0)
  const again = useCallback(() => setTurns((count) => count + 1), [])
  const [state, setState] = useState<Omit<Polled<Answer>, 'again'> & { readonly path: string | null }>({
    path,
    data: null,
    error: null,
  })
  useEffect(() => {
    if (path === null) return
    const stop = new AbortController()
    let timer: number | undefined
    const turn = async () => {
      window.clearTimeout(timer)
      if (!document.hidden) {
        try {
          const data = await ask<Answer>(path, { signal: stop.signal })
          if (!stop.signal.aborted) setState({ path, data, error: null })
        } catch (caught) {
          if (stop.signal.aborted) return
          const error = asApiError(caught)
          setState((last) => ({ path, data: last.path === path ? last.data : null, error }))
        }
      }
      if (!stop.signal.aborted) timer = window.setTimeout(turn, everyMs)
    }
    const onVisible = () => {
      if (!document.hidden) void turn()
    }
    document.addEventListener('visibilitychange', onVisible)
    void turn()
    return () => {
      stop.abort()
      window.clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisible)
    }
  }, [path, everyMs, turns])
  return state.path === path ? { ...state, again } : { data: null, error: null, again }
}

export function asApiError(caught: unknown): ApiError {
  return caught instanceof ApiError ? caught : new ApiError(0, String(caught))
}
