import { useEffect, useState } from 'preact/hooks'
import { ApiError, ask } from './api.ts'

/** What a poll knows: the newest answer, and the error since then, if any. */
export interface Polled<Answer> {
  /** The newest answer to this very question; null until it came. */
  readonly data: Answer | null
  readonly error: ApiError | null
}

/**
 * Asks the same question again and again, each time some milliseconds after the last answer. A tab that nobody sees
 * does not ask. An error keeps the last answer, so that the screen shows old numbers (and says so) and not none.
 */
export function usePoll<Answer>(path: string | null, everyMs: number): Polled<Answer> {
  const [state, setState] = useState<Polled<Answer> & { readonly path: string | null }>({
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
          const data = await ask<Answer>(path, stop.signal)
          if (!stop.signal.aborted) setState({ path, data, error: null })
        } catch (caught) {
          if (stop.signal.aborted) return
          const error = caught instanceof ApiError ? caught : new ApiError(0, String(caught))
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
  }, [path, everyMs])
  return state.path === path ? state : { data: null, error: null }
}
