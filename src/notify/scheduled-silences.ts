import { type Matcher, matchesAll } from '../alert/matcher.ts'
import type { StateEntry, StateStore } from '../history/state.ts'
import type { EpochMs } from '../time/clock.ts'
import type { Labels } from './labels.ts'
import { Calendar, type Occurrence, type Schedule } from './schedule.ts'

/** A silence that comes again, written in the routing file. */
export interface ScheduledSilence {
  readonly id: string
  readonly matchers: readonly Matcher[]
  readonly schedule: Schedule
  readonly createdBy: string
  readonly comment: string
  /** Ends an occurrence early once nothing it mutes has fired for so long; null for never. */
  readonly expireWhenQuietForMs: number | null
}

/** An occurrence under way, or the next. */
export interface SilencedSpan extends Occurrence {
  readonly silence: ScheduledSilence
}

/** What is kept of one occurrence, so that a restart neither prolongs nor revives it. */
interface Progress {
  readonly startsAtMs: EpochMs
  /** When something it mutes fired last. */
  readonly busyAtMs: EpochMs | null
  /** When it was ended before its time. */
  readonly endedAtMs: EpochMs | null
}

const kind = 'schedule'

/** The scheduled silences, with what became of their latest occurrence (kind `schedule`, by id). */
export class ScheduledSilences {
  readonly #store: StateStore
  readonly #calendars: ReadonlyMap<string, { readonly silence: ScheduledSilence; readonly calendar: Calendar }>
  readonly #progress = new Map<string, Progress>()

  private constructor(store: StateStore, silences: readonly ScheduledSilence[]) {
    this.#store = store
    this.#calendars = new Map(silences.map((one) => [one.id, { silence: one, calendar: new Calendar(one.schedule) }]))
  }

  static async open(store: StateStore, silences: readonly ScheduledSilence[]): Promise<ScheduledSilences> {
    const opened = new ScheduledSilences(store, silences)
    const stored = await store.load(kind)
    const gone: StateEntry[] = []
    for (const [key, text] of stored) {
      if (opened.#calendars.has(key)) opened.#progress.set(key, JSON.parse(text) as Progress)
      else gone.push({ kind, key, value: null })
    }
    if (gone.length > 0) await store.put(gone)
    return opened
  }

  /** Of each silence the occurrence under way, else the next. */
  spans(now: EpochMs): readonly SilencedSpan[] {
    return [...this.#calendars.values()].flatMap(({ silence, calendar }) => {
      const span = this.#active(silence, now) ?? calendar.after(now)
      return span === null ? [] : [{ silence, ...span }]
    })
  }

  muting(labels: Labels, now: EpochMs): SilencedSpan | null {
    for (const { silence } of this.#calendars.values()) {
      if (!matchesAll(silence.matchers, labels)) continue
      const span = this.#active(silence, now)
      if (span !== null) return { silence, ...span }
    }
    return null
  }

  /** Ends the occurrence under way. @returns false when there is none */
  async expire(id: string, now: EpochMs): Promise<boolean> {
    const silence = this.#calendars.get(id)?.silence
    const span = silence === undefined ? null : this.#active(silence, now)
    if (span === null) return false
    await this.#keep([[id, { ...this.#progressOf(id, span), endedAtMs: now }]])
    return true
  }

  /** Notes which occurrences still have something to mute, and ends those that were quiet for long. About once a minute. */
  async sweep(now: EpochMs, firing: readonly Labels[]): Promise<void> {
    const changes: [string, Progress][] = []
    for (const { silence } of this.#calendars.values()) {
      const span = silence.expireWhenQuietForMs === null ? null : this.#active(silence, now)
      if (span === null || silence.expireWhenQuietForMs === null) continue
      const before = this.#progressOf(silence.id, span)
      if (firing.some((labels) => matchesAll(silence.matchers, labels)))
        changes.push([silence.id, { ...before, busyAtMs: now }])
      else if (now - (before.busyAtMs ?? span.startsAtMs) >= silence.expireWhenQuietForMs)
        changes.push([silence.id, { ...before, endedAtMs: now }])
    }
    await this.#keep(changes)
  }

  #active(silence: ScheduledSilence, now: EpochMs): Occurrence | null {
    const span = this.#calendars.get(silence.id)?.calendar.at(now) ?? null
    if (span === null || this.#progressOf(silence.id, span).endedAtMs !== null) return null
    return span
  }

  #progressOf(id: string, { startsAtMs }: Occurrence): Progress {
    const kept = this.#progress.get(id)
    return kept?.startsAtMs === startsAtMs ? kept : { startsAtMs, busyAtMs: null, endedAtMs: null }
  }

  async #keep(changes: readonly [string, Progress][]): Promise<void> {
    if (changes.length === 0) return
    await this.#store.put(changes.map(([key, progress]) => ({ kind, key, value: JSON.stringify(progress) })))
    for (const [id, progress] of changes) this.#progress.set(id, progress)
  }
}
