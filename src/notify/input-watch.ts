import type { Alert, AlertFact, Severity } from '../alert/alert.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { hourMs, minuteMs } from '../time/duration.ts'
import { formatInstant } from '../time/instant.ts'
import { builtInAlert, inputStoppedRule, inputUnreadableRule, recordsLostRule, topicAnewRule } from './built-in.ts'

/*
 * Alerts that no rule raises, about what comes in. They are held in memory only: after a restart what still is wrong is
 * found again, and what was is over.
 */

/** How long something that happened once is told of. */
const toldForMs = hourMs
/** How long after the last unreadable value an input counts as mended. */
const mendedAfterMs = 10 * minuteMs
/** Below so many values nothing is said of their share. */
const leastValues = 100
/** Inputs that are told of at most, of each kind. */
const inputLimit = 100

interface Event {
  readonly rule: string
  readonly severity: Severity
  readonly input: string
  readonly sinceMs: EpochMs
  /** Null while it lasts. */
  untilMs: EpochMs | null
  summary: string
  facts: readonly AlertFact[]
}

interface Share {
  sinceMs: EpochMs
  values: number
  unreadable: number
}

/** Remembers what is wrong with the inputs, as built-in alerts. */
export class InputWatch {
  readonly #clock: Clock
  readonly #events = new Map<string, Event>()
  readonly #lost = new Map<string, number>()
  readonly #shares = new Map<string, Share>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Offsets `[lo, hi]` of an input were deleted before they were read. */
  lost(input: string, lo: number, hi: number): void {
    const known = this.#events.get(`${recordsLostRule}:${input}`)
    const before = known === undefined ? 0 : (this.#lost.get(input) ?? 0)
    const count = before + hi - lo + 1
    this.#lost.set(input, count)
    this.#note({
      rule: recordsLostRule,
      severity: 'page',
      input,
      untilMs: this.#clock.now() + toldForMs,
      summary: `${count} records of ${input} were deleted before they were read. They are missing from rates and history, where they stand as a gap. Raise the topic's retention, or find out why reading was behind.`,
      facts: [
        { label: 'Records', text: String(count) },
        { label: 'Offsets', text: `${lo} to ${hi}` },
        { label: 'Found', text: formatInstant(this.#clock.now()) },
      ],
    })
  }

  /** An input is not read until a person has done something. */
  stopped(input: string, reason: string): void {
    const facts = [{ label: 'Input', text: input }]
    const summary = `Tollwatch does not read ${input}: ${reason}`
    this.#note({ rule: inputStoppedRule, severity: 'page', input, untilMs: null, summary, facts })
  }

  /** The input is read, or not ours any more. */
  running(input: string): void {
    const event = this.#events.get(`${inputStoppedRule}:${input}`)
    if (event !== undefined) event.untilMs = this.#clock.now()
  }

  /** A topic was deleted and made again under its name. */
  madeAnew(input: string): void {
    this.#note({
      rule: topicAnewRule,
      severity: 'info',
      input,
      untilMs: this.#clock.now() + toldForMs,
      summary: `${input} was deleted and made again. Tollwatch reads the new one from its beginning. What the old one still held and was not read yet is gone.`,
      facts: [{ label: 'Found', text: formatInstant(this.#clock.now()) }],
    })
  }

  /** How many values of an input came, and how many of them could not be read. */
  values(input: string, count: number, unreadable: number): void {
    const now = this.#clock.now()
    const known = this.#shares.get(input)
    if (known === undefined && this.#shares.size >= inputLimit) return
    const isOver = known === undefined || now - known.sinceMs >= minuteMs
    const share = isOver ? { sinceMs: now, values: 0, unreadable: 0 } : known
    share.values += count
    share.unreadable += unreadable
    this.#shares.set(input, share)
    if (share.values < leastValues || share.unreadable * 2 <= share.values) return
    const percent = Math.floor((100 * share.unreadable) / share.values)
    this.#note({
      rule: inputUnreadableRule,
      severity: 'page',
      input,
      untilMs: now + mendedAfterMs,
      summary: `Most of what comes from ${input} cannot be read. Its layout has probably changed, or decode.format does not fit. Ask "tollwatch query dead-letters" why.`,
      facts: [{ label: 'Unreadable', text: `${percent} % of ${share.values} values within a minute` }],
    })
  }

  /** The alerts that are to fire. */
  alerts(): readonly Alert[] {
    const now = this.#clock.now()
    return this.#current().map(({ rule, severity, input, sinceMs, summary, facts }) =>
      builtInAlert({
        key: `${rule}:${input}`,
        rule,
        severity,
        labels: { input },
        activeAtMs: sinceMs,
        now,
        summary,
        facts,
      }),
    )
  }

  #current(): readonly Event[] {
    const now = this.#clock.now()
    for (const [key, { rule, input, untilMs }] of this.#events) {
      if (untilMs === null || now < untilMs) continue
      this.#events.delete(key)
      if (rule === recordsLostRule) this.#lost.delete(input)
    }
    return [...this.#events.values()]
  }

  #note(event: Omit<Event, 'sinceMs'>): void {
    const key = `${event.rule}:${event.input}`
    const known = this.#events.get(key)
    const ofItsKind = [...this.#events.values()].filter(({ rule }) => rule === event.rule).length
    if (known === undefined && ofItsKind >= inputLimit) return
    this.#events.set(key, { ...event, sinceMs: known?.sinceMs ?? this.#clock.now() })
  }
}
