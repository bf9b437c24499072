import type { Live, PageAlert, Status } from '../answers.ts'
import { ApiError, ask, fetchFrom, pathOf } from './api.ts'
import { EventReader } from './event-reader.ts'
import { asApiError } from './poll.ts'

/** What the page knows about this moment, and how it comes to know it. */
export interface Feed {
  readonly live: Live | null
  readonly alerts: readonly PageAlert[] | null
  /** Null for a token of one tenant, too. */
  readonly status: Status | null
  /** `stream` as things happen, `poll` every two seconds, `stopped` when neither answers. */
  readonly by: 'connecting' | 'stream' | 'poll' | 'stopped'
  readonly error: ApiError | null
}

export const nothingYet: Feed = { live: null, alerts: null, status: null, by: 'connecting', error: null }

export interface FeedQuery {
  readonly window: string
  readonly limit: string
  readonly sparkline: string
}

const pollMs = 2_000
/** A stream that was refused or broke is tried again after so many polls. */
const pollsBetweenStreams = 10
/** The daemon sends a heartbeat every 15 s; a stream that is silent for longer than two of them is dead. */
const silenceMs = 35_000

/**
 * Follows the daemon by server-sent events, and by polling while there is no stream: an old proxy in between may hold
 * events back. Old numbers stay when both fail, together with the error.
 */
export class LiveFeed {
  readonly #query: FeedQuery
  readonly #onChange: (feed: Feed) => void
  readonly #stop = new AbortController()
  #feed: Feed

  /** @param before what an earlier feed knew, so that another window does not begin with an empty screen */
  constructor(query: FeedQuery, before: Feed, onChange: (feed: Feed) => void) {
    this.#query = query
    this.#feed = before
    this.#onChange = onChange
  }

  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#stream()
      for (let i = 0; i < pollsBetweenStreams && !this.#stop.signal.aborted; i++) {
        // A tab that nobody sees does not ask.
        if (!document.hidden) await this.#poll()
        await this.#wait(pollMs)
        // Nobody answers: a stream is as good a question as a poll.
        if (this.#feed.by === 'stopped') break
      }
    }
  }

  /** Resolves when the stream cannot be had or has ended. */
  async #stream(): Promise<void> {
    const stop = new AbortController()
    const abort = () => stop.abort()
    this.#stop.signal.addEventListener('abort', abort)
    let watchdog = window.setTimeout(abort, silenceMs)
    try {
      const response = await fetchFrom(pathOf('/api/v1/stream', { ...this.#query }), {
        accept: 'text/event-stream',
        signal: stop.signal,
      })
      const body = response.body?.pipeThrough(new TextDecoderStream()).getReader()
      if (body === undefined) return
      const reader = new EventReader()
      for (;;) {
        const { done, value } = await body.read()
        if (done) return
        window.clearTimeout(watchdog)
        watchdog = window.setTimeout(abort, silenceMs)
        for (const { event, data } of reader.push(value)) this.#take(event, data)
      }
    } catch {
      // What is wrong shows when the poll that follows fails as well.
    } finally {
      window.clearTimeout(watchdog)
      this.#stop.signal.removeEventListener('abort', abort)
    }
  }

  #take(event: string, data: string): void {
    const change = readEvent(event, data)
    if (change !== null) this.#tell({ ...change, by: 'stream', error: null })
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stop
    try {
      const [live, { alerts }, status] = await Promise.all([
        ask<Live>(pathOf('/api/v1/live', { ...this.#query }), { signal }),
        ask<{ alerts: readonly PageAlert[] }>('/api/v1/alerts', { signal }),
        this.#askStatus(),
      ])
      this.#tell({ live, alerts, status, by: 'poll', error: null })
    } catch (caught) {
      this.#tell({ by: 'stopped', error: asApiError(caught) })
    }
  }

  /** A token of one tenant may not ask how the daemon is. */
  async #askStatus(): Promise<Status | null> {
    try {
      return await ask<Status>('/api/v1/status', { signal: this.#stop.signal })
    } catch (caught) {
      if (caught instanceof ApiError && caught.status === 403) return null
      throw caught
    }
  }

  #tell(change: Partial<Feed>): void {
    if (this.#stop.signal.aborted) return
    this.#feed = { ...this.#feed, ...change }
    this.#onChange(this.#feed)
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = window.setTimeout(resolve, ms)
      this.#stop.signal.addEventListener('abort', () => {
        window.clearTimeout(timer)
        resolve()
      })
    })
  }
}

function readEvent(event: string, data: string): Partial<Feed> | null {
  switch (event) {
    case 'live':
      return { live: JSON.parse(data) as Live }
    case 'alerts':
      return { alerts: (JSON.parse(data) as { alerts: readonly PageAlert[] }).alerts }
    case 'status':
      return { status: JSON.parse(data) as Status }
    default:
      return null
  }
}
