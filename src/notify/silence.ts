import { randomUUID } from 'node:crypto'
import { type Matcher, matchesAll, parseMatcher } from '../alert/matcher.ts'
import { Fault } from '../fault/fault.ts'
import type { StateStore } from '../history/state.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { dayMs } from '../time/duration.ts'
import { isSpecific, type Labels } from './labels.ts'
import { plainText } from './plain-text.ts'

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
const silenceLimit = 500
const expiredForMs = 5 * dayMs
const expiredLimit = 500

/**
 * Silences, in memory and in the store (kind `silence`). They mute announcements and reminders; whoever was told of a
 * start is told of the end all the same.
 */
export class Silences {
  readonly #store: StateStore
  readonly #clock: Clock
  readonly #silences = new Map<string, { readonly silence: Silence; readonly matchers: readonly Matcher[] }>()

  private constructor(store: StateStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  static async open(options: { store: StateStore; clock: Clock }): Promise<Silences> {
    const silences = new Silences(options.store, options.clock)
    for (const text of (await options.store.load('silence')).values()) silences.#keep(JSON.parse(text) as Silence)
    return silences
  }

  /** Active, to come and expired lately; those that end first come first. */
  list(): readonly Silence[] {
    return [...this.#silences.values()].map(({ silence }) => silence).sort((a, b) => a.endsAtMs - b.endsAtMs)
  }

  /**
   * Durable when it resolves.
   *
   * @throws Fault `argument-invalid` when it would match everything, has no comment, is over, lasts too long, or there
   *   are too many; a retryable Fault while the store is away
   */
  async add(asked: NewSilence): Promise<Silence> {
    const now = this.#clock.now()
    const matchers = checked(asked, now)
    const open = this.list().filter((silence) => silence.endsAtMs > now)
    if (open.length >= silenceLimit) throw invalid(`there are ${silenceLimit} silences already; expire some first`)
    const silence: Silence = {
      id: randomUUID(),
      matchers: matchers.map(({ text }) => text),
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
    if (found === undefined || found.endsAtMs <= now) return false
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
    return null
  }

  /** Forgets what expired long ago. */
  async sweep(now: EpochMs): Promise<void> {
    const expired = this.list().filter((silence) => silence.endsAtMs <= now)
    const gone = expired.filter((silence, place) => {
      return place < expired.length - expiredLimit || silence.endsAtMs + expiredForMs <= now
    })
    if (gone.length === 0) return
    await this.#store.put(gone.map(({ id }) => ({ kind: 'silence', key: id, value: null })))
    for (const { id } of gone) this.#silences.delete(id)
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

function checked(asked: NewSilence, now: EpochMs): readonly { text: string }[] {
  const matchers = asked.matchers.map((text) => {
    if (text.length > 500) throw invalid('a matcher is longer than 500 characters')
    const read = parseMatcher(text)
    if (!read.ok) throw invalid(`${read.message}; ${read.fix}`)
    return { text, matcher: read.matcher }
  })
  if (matchers.length > 20) throw invalid('a silence takes at most 20 matchers')
  if (!matchers.some(({ matcher }) => isSpecific(matcher))) {
    throw invalid('the matchers would silence everything; name at least one value, such as tenant="acme"')
  }
  if (asked.comment.trim() === '') throw invalid('a comment is missing; say why, for whoever finds the silence later')
  if (asked.createdBy.trim() === '') throw invalid('the author is missing; say who to ask')
  if (!(asked.endsAtMs > asked.startsAtMs)) throw invalid('the silence ends before it starts')
  if (asked.endsAtMs <= now) throw invalid('the silence would be over already')
  if (asked.endsAtMs - asked.startsAtMs > longestSilenceMs) throw invalid('a silence lasts at most 30d')
  if (asked.startsAtMs - now > longestSilenceMs) throw invalid('a silence starts at most 30d ahead')
  return matchers
}

function invalid(message: string): Fault {
  return new Fault('argument-invalid', message, { retryable: false })
}
