import { Fault, messageOf } from '../fault/fault.ts'
import type { VerifyReport } from '../history/ledger.ts'
import type { Queries, Selection } from '../history/query.ts'
import type { Silence } from '../notify/silence.ts'
import { systemClock } from '../time/clock.ts'
import { formatInstant } from '../time/instant.ts'
import { patiently } from './ask-daemon.ts'
import type { SilenceAnswer } from './silence.ts'

/** Asks a running daemon what a command would otherwise ask the store. */
export class RemoteHistory implements Queries {
  readonly #base: string
  readonly #token: string | null

  constructor(url: string, token: string | null) {
    this.#base = url.replace(/\/$/, '')
    this.#token = token
  }

  trends(select: Parameters<Queries['trends']>[0]): ReturnType<Queries['trends']> {
    return this.#get('trends', {
      ...spanOf(select),
      by: select.by.join(','),
      step: `${select.stepMs}ms`,
      limit: select.limit,
    })
  }

  summary(select: Parameters<Queries['summary']>[0]): ReturnType<Queries['summary']> {
    return this.#get('summary', { ...spanOf(select), by: select.by.join(','), limit: select.limit })
  }

  events(select: Parameters<Queries['events']>[0]): ReturnType<Queries['events']> {
    return this.#get('events', { ...spanOf(select), limit: select.limit })
  }

  alerts(select: Parameters<Queries['alerts']>[0]): ReturnType<Queries['alerts']> {
    const { rule, fingerprint, limit } = select
    return this.#get('alerts/history', { ...spanOf(select), rule, fingerprint, limit })
  }

  minutes(select: Parameters<Queries['minutes']>[0]): ReturnType<Queries['minutes']> {
    return this.#get('minutes', spanOf(select))
  }

  deadLetters(select: Parameters<Queries['deadLetters']>[0]): ReturnType<Queries['deadLetters']> {
    return this.#get('dead-letters', { ...spanOf(select), limit: select.limit })
  }

  async silences(): Promise<readonly Silence[]> {
    const { silences } = await this.#get<{ readonly silences: readonly SilenceAnswer[] }>('silences', {})
    return silences.map(({ id, matchers, starts_at, ends_at, created_by: createdBy, comment }) => {
      return { id, matchers, startsAtMs: Date.parse(starts_at), endsAtMs: Date.parse(ends_at), createdBy, comment }
    })
  }

  verify(): Promise<VerifyReport> {
    return this.#get('history/verify', {})
  }

  async #get<Answer>(path: string, query: Readonly<Record<string, string | number | undefined>>): Promise<Answer> {
    const url = new URL(`${this.#base}/api/v1/${path}`)
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined && value !== '') url.searchParams.set(key, String(value))
    }
    const headers = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }
    const response = await patiently(() => fetch(url, { headers }), systemClock).catch((error: unknown) => {
      throw new Fault('daemon-unreachable', `no daemon answers at ${this.#base}: ${messageOf(error)}`, {
        retryable: true,
      })
    })
    const body = (await response.json()) as Answer & { title?: string; detail?: string }
    if (!response.ok) {
      const said = body.detail ?? body.title ?? `status ${response.status}`
      throw new Fault('daemon-unreachable', `the daemon refuses: ${said}`, { retryable: false })
    }
    return body
  }
}

function spanOf(select: Selection): Record<string, string | undefined> {
  return {
    from: formatInstant(select.fromMs),
    to: formatInstant(select.toMs),
    tenant: select.tenant,
    api: select.api,
    cause: select.cause,
  }
}
