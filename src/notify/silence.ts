import { randomUUID } from 'node:crypto'
import type { Alert } from '../alert/alert.ts'
import { formatMatcher, type Matcher, matchesAll, parseMatcher } from '../alert/matcher.ts'
import { Fault } from '../fault/fault.ts'
import type { StateStore } from '../history/state.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { dayMs, hourMs, minuteMs } from '../time/duration.ts'
import { isSpecific, type Labels, labelsOf } from './labels.ts'
import { plainText } from './plain-text.ts'
import { type ScheduledSilence, ScheduledSilences, type SilencedSpan } from './scheduled-silences.ts'

/** What somebody asks for. */
export interface NewSilence {
  /** Such as `tenant="acme"`; all must match. */
  readonly matchers: readonly string[]
  readonly startsAtMs: EpochMs
  readonly endsAtMs: EpochMs
  readonly createdBy: string
  readonly comment: string
}

export interface Silence extends NewSilence {
  readonly id: string
}

/** The longest silence; a longer one outlives everybody's memory of it. */
export const longestSilenceMs = 30 * dayMs
/** Whoever silences for less than an hour still remembers it when it ends. */
const worthReminderMs = hourMs
export const reminderAheadMs = 15 * minuteMs
const silenceLimit = 500
const expiredForMs = 5 * dayMs
const expiredLimit = 500

/**
 * Silences: those that people add, in memory and in the store (kind `silence`), and the scheduled ones of the routing
 * file. They mute announcements and reminders; whoever was told of a start is told of the end all the same.
 */
export class Silences {
  readonly #store: StateStore
  readonly #clock: Clock
  readonly #scheduled: ScheduledSilences
  readonly #silences = new Map<string, { readonly silence: Silence; readonly matchers: readonly Matcher[] }>()

  private constructor(store: StateStore, clock: Clock, scheduled: ScheduledSilences) {
    this.#store = store
    this.#clock = clock
    this.#scheduled = scheduled
  }

  /** @param options `scheduled` as the routing has them */
  static async open(options: {
    store: StateStore
    clock: Clock
    scheduled?: readonly ScheduledSilence[]
  }): Promise<Silences> {
    const scheduled = await ScheduledSilences.open(options.store, options.scheduled ?? [])
    const silences = new Silences(options.store, options.clock, scheduled)
    for (const text of (await options.store.load('silence')).values()) silences.#keep(JSON.parse(text) as Silence)
    return silences
  }

  /** Active, to come and expired lately, of each scheduled one the latest or next time; what ends first comes first. */
  list(): readonly Silence[] {
    const scheduled = this.#scheduled.spans(this.#clock.now()).map(asSilence)
    return [...this.#added(), ...scheduled].sort((a, b) => a.endsAtMs - b.endsAtMs)
  }

  /**
   * Which of these alerts a silence with such matchers would mute.
   *
   * @throws Fault `argument-invalid` when the matchers cannot be read or would match everything
   */
  preview(matchers: readonly string[], alerts: Iterable<Alert>): readonly Alert[] {
    const read = checkedMatchers(matchers)
    return [...alerts].filter((alert) => matchesAll(read, labelsOf(alert)))
  }

  /** Silences that somebody added and that end soon; scheduled ones come again and need no reminder. */
  ending(now: EpochMs): readonly { readonly silence: Silence; readonly matchers: readonly Matcher[] }[] {
    return [...this.#silences.values()].filter(({ silence: { startsAtMs, endsAtMs } }) => {
      const isOn = startsAtMs <= now && now < endsAtMs
      return isOn && endsAtMs - startsAtMs >= worthReminderMs && endsAtMs - now <= reminderAheadMs
    })
  }

  /**
   * Durable when it resolves.
   *
   * @throws Fault `argument-invalid` when it would match everything, has no comment, is over, lasts too long, or there
   *   are too many; a retryable Fault while the store is away
   */
  async add(asked: NewSilence): Promise<Silence> {
    const now = this.#clock.now()
    checkAsked(asked, now)
    const open = this.#added().filter((silence) => silence.endsAtMs > now)
    if (open.length >= silenceLimit) throw invalid(`there are ${silenceLimit} silences already; expire some first`)
    const silence: Silence = {
      id: randomUUID(),
      matchers: asked.matchers,
      startsAtMs: asked.startsAtMs,
      endsAtMs: asked.endsAtMs,
      createdBy: plainText(asked.createdBy, 200),
      comment: plainText(asked.comment, 1_000),
    }
    await this.#store.put([{ kind: 'silence', key: silence.id, value: JSON.stringify(silence) }])
    this.#keep(silence)
    return silence
  }

  /** Ends a silence now. @returns false when there is none of this id that is still to end */
  async expire(id: string): Promise<boolean> {
    const now = this.#clock.now()
    const found = this.#silences.get(id)?.silence
    if (found === undefined) return this.#scheduled.expire(id, now)
    if (found.endsAtMs <= now) return false
    const expired: Silence = { ...found, startsAtMs: Math.min(found.startsAtMs, now), endsAtMs: now }
    await this.#store.put([{ kind: 'silence', key: id, value: JSON.stringify(expired) }])
    this.#keep(expired)
    return true
  }

  /** A silence that mutes these labels now; null when none does. */
  muting(labels: Labels, now: EpochMs): Silence | null {
    for (const { silence, matchers } of this.#silences.values()) {
      if (silence.startsAtMs <= now && now < silence.endsAtMs && matchesAll(matchers, labels)) return silence
    }
    const scheduled = this.#scheduled.muting(labels, now)
    return scheduled === null ? null : asSilence(scheduled)
  }

  /**
   * Forgets what expired long ago, and ends scheduled silences that have had nothing to do for long.
   *
   * @param firing the labels of every alert that fires, muted or not
   */
  async sweep(now: EpochMs, firing: readonly Labels[]): Promise<void> {
    await this.#scheduled.sweep(now, firing)
    const expired = this.#added().filter((silence) => silence.endsAtMs <= now)
    const gone = expired.filter((silence, place) => {
      return place < expired.length - expiredLimit || silence.endsAtMs + expiredForMs <= now
    })
    if (gone.length === 0) return
    await this.#store.put(gone.map(({ id }) => ({ kind: 'silence', key: id, value: null })))
    for (const { id } of gone) this.#silences.delete(id)
  }

  #added(): readonly Silence[] {
    return [...this.#silences.values()].map(({ silence }) => silence).sort((a, b) => a.endsAtMs - b.endsAtMs)
  }

  #keep(silence: Silence): void {
    const matchers = silence.matchers.flatMap((text) => {
      const read = parseMatcher(text)
      return read.ok ? [read.matcher] : []
    })
    // A stored matcher that a later release cannot read must not turn into a silence over everything.
    if (matchers.length === silence.matchers.length) this.#silences.set(silence.id, { silence, matchers })
  }
}

function asSilence({ silence, startsAtMs, endsAtMs }: SilencedSpan): Silence {
  const { id, createdBy, comment } = silence
  return { id, matchers: silence.matchers.map(formatMatcher), startsAtMs, endsAtMs, createdBy, comment }
}

function checkAsked(asked: NewSilence, now: EpochMs): void {
  checkedMatchers(asked.matchers)
  if (asked.comment.trim() === '') throw invalid('a comment is missing; say why, for whoever finds the silence later')
  if (asked.createdBy.trim() === '') throw invalid('the author is missing; say who to ask')
  if (!(asked.endsAtMs > asked.startsAtMs)) throw invalid('the silence ends before it starts')
  if (asked.endsAtMs <= now) throw invalid('the silence would be over already')
  if (asked.endsAtMs - asked.startsAtMs > longestSilenceMs) throw invalid('a silence lasts at most 30d')
  if (asked.startsAtMs - now > longestSilenceMs) throw invalid('a silence starts at most 30d ahead')
}

function checkedMatchers(texts: readonly string[]): readonly Matcher[] {
  const matchers = texts.map((text) => {
    if (text.length > 500) throw invalid('a matcher is longer than 500 characters')
    const read = parseMatcher(text)
    if (!read.ok) throw invalid(`${read.message}; ${read.fix}`)
    return read.matcher
  })
  if (matchers.length > 20) throw invalid('a silence takes at most 20 matchers')
  if (!matchers.some(isSpecific)) {
    throw invalid('the matchers would silence everything; name at least one value, such as tenant="acme"')
  }
  return matchers
}

function invalid(message: string): Fault {
  return new Fault('argument-invalid', message, { retryable: false })
}
