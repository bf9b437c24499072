import { setTimeout as timeout } from 'node:timers/promises'

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number

/** The only way to learn the time and to wait; a `ManualClock` stands in for it in tests. */
export interface Clock {
  now(): EpochMs
  /** Resolves after `ms`; early, without an error, when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await timeout(ms, undefined, signal === undefined ? {} : { signal })
    } catch {
      // Only an abort ends the wait early, and the caller sees it in the signal.
    }
  },
}

/** A clock moved by hand: `advance` wakes the sleepers that are due, in order. */
export class ManualClock implements Clock {
  #now: EpochMs
  readonly #sleepers: { due: EpochMs; wake: () => void }[] = []

  constructor(now: EpochMs) {
    this.#now = now
  }

  now(): EpochMs {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve()
        return
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.#sleepers.push({ due: this.#now + ms, wake })
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  /** Moves the time on and lets every sleeper that is due by then run, one after another. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      this.#sleepers.sort((a, b) => a.due - b.due)
      const next = this.#sleepers[0]
      if (next === undefined || next.due > end) break
      this.#sleepers.shift()
      this.#now = next.due
      next.wake()
      await settle()
    }
    this.#now = end
    await settle()
  }
}

/** Lets promises that are already resolved run their continuations. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
