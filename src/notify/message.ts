import type { Alert, Severity } from '../alert/alert.ts'
import { spanText } from '../alert/span.ts'
import type { EpochMs } from '../time/clock.ts'
import { type Fact, factsOf, seriesName } from './facts.ts'
import { count, factor, share, timeOfDay } from './figures.ts'
import { digest, type Member } from './group.ts'
import { headline, severityShape, worstFirst } from './headline.ts'
import { labelOf } from './labels.ts'
import { type Link, type LinkBases, linksOf, runbookOf } from './links.ts'
import { nameText, plainText } from './plain-text.ts'
import { adviceOn, causeName, isCause } from './runbook.ts'

/** Everything a message says, in the order it says it; mail, Slack and the log only lay it out. */
export interface Message {
  /** The same for every attempt to deliver it. */
  readonly id: string
  /** The conversation it belongs to. */
  readonly thread: string
  readonly receiver: string
  readonly madeAtMs: EpochMs
  readonly status: 'firing' | 'resolved' | 'test'
  readonly severity: Severity
  /** For mail: steady while the same alerts fire. At most 90 characters, in ASCII if the names are. */
  readonly subject: string
  /** For a screen: as the subject, with the numbers of now. */
  readonly headline: string
  /** What happened in a sentence, then the rule's own summary if it says more. */
  readonly sentences: readonly string[]
  readonly facts: readonly Fact[]
  readonly advice: { readonly likely: string; readonly steps: readonly string[] } | null
  /** An address or a path. */
  readonly runbook: string | null
  /** The other alerts of the group, a line each, and how many more there are. */
  readonly others: readonly string[]
  readonly more: number
  readonly notes: readonly string[]
  readonly links: readonly Link[]
  /** Why the reader got this and how to change that, and how to look closer. */
  readonly why: readonly string[]
}

/** What a message is made from. */
export interface MessageInput {
  readonly id: string
  readonly thread: string
  readonly receiver: string
  readonly now: EpochMs
  /** The route as people write it; empty for the first one. */
  readonly routeText: string
  readonly reminder: boolean
  readonly firing: readonly Member[]
  readonly resolved: readonly Member[]
  readonly mutedCount: number
  readonly folded: number
  /** How many groups were put together into this message; 1 unless it is a digest. */
  readonly groups: number
  readonly maxPerMinute: number
  /** The subject of the same alerts last time. */
  readonly subject: Subject | null
}

/** A subject and the alerts it was made for. */
export interface Subject {
  readonly text: string
  readonly of: string
}

/** What all messages of a daemon share. */
export interface MessageContext extends LinkBases {
  readonly demo: boolean
  readonly timezone: string
  readonly file: string
  /** The alert with its newest numbers; null when there are none. */
  readonly current: (fingerprint: string) => Alert | null
  /** Refusals in steps of ten minutes, oldest first, NaN for a step without data. */
  readonly trend: (alert: Alert) => readonly number[] | null
}

/** Other alerts that get a line of their own. */
const othersLimit = 10

/** Makes the message, and the subject to keep for the conversation. */
export function composeMessage(input: MessageInput, context: MessageContext): { message: Message; subject: Subject } {
  const noticed = new Map(
    [...input.firing, ...input.resolved].map((member) => [member.alert.episode, member.noticedAtMs]),
  )
  const firing = worstFirst(input.firing.map(({ alert }) => refreshed(alert, context)))
  const resolved = worstFirst(input.resolved.map(({ alert }) => alert))
  const shown = [...firing, ...resolved]
  const lead = shown[0]
  const status = firing.length > 0 || lead === undefined ? 'firing' : 'resolved'
  const severity = firing[0]?.severity ?? lead?.severity ?? 'ticket'
  const about = status === 'firing' ? firing : resolved
  const prefix = prefixOf(context.demo, status === 'resolved' ? 'RESOLVED' : severity.toUpperCase())
  const subject = subjectOf(input, about, prefix)
  const cause = lead === undefined ? null : causeOf(lead)
  const others = shown.slice(1)
  const message: Message = {
    id: input.id,
    thread: input.thread,
    receiver: input.receiver,
    madeAtMs: input.now,
    status,
    severity,
    subject: prefix + subject.text,
    headline: titleOf(input, about, `${context.demo ? '[DEMO] ' : ''}${shapeAndWord(status, severity)}`, '×'),
    sentences: lead === undefined ? [] : sentencesOf(lead, input.reminder),
    facts:
      lead === undefined
        ? []
        : factsOf(lead, {
            now: input.now,
            timezone: context.timezone,
            noticedAtMs: noticed.get(lead.episode) ?? input.now,
            trend: context.trend(lead),
          }),
    advice: status === 'resolved' || cause === null || !isCause(cause) ? null : adviceOn[cause],
    runbook: lead === undefined ? null : runbookOf(lead, cause, context.runbookUrl),
    others: others.slice(0, othersLimit).map((alert) => lineOf(alert, context, input.now)),
    more: Math.max(0, others.length - othersLimit) + input.folded,
    notes: notesOf(input, context),
    links: lead === undefined ? [] : linksOf(lead, context, input.now),
    why: whyOf(input, context, lead),
  }
  return { message, subject }
}

/** `[DEMO] [PAGE] `; part of the ninety characters. */
export function prefixOf(demo: boolean, word: string): string {
  return `${demo ? '[DEMO] ' : ''}[${word}] `
}

function shapeAndWord(status: 'firing' | 'resolved', severity: Severity): string {
  return status === 'resolved' ? '✔ RESOLVED ' : `${severityShape[severity]} ${severity.toUpperCase()} `
}

/** The newest numbers of an alert that still fires; its state and episode stay those we were told of. */
function refreshed(alert: Alert, context: MessageContext): Alert {
  const newest = context.current(alert.fingerprint)
  return newest !== null && newest.episode === alert.episode && newest.state === 'firing' ? newest : alert
}

/** Mail programs put messages of one subject together, so it stays until other alerts fire. */
function subjectOf(input: MessageInput, about: readonly Alert[], prefix: string): Subject {
  const of = digest(about.map((alert) => alert.episode).sort())
  const kept = input.subject
  // When everything is resolved the conversation ends under the subject it had.
  if (kept !== null && (kept.of === of || input.firing.length === 0)) return kept
  const longest = prefix.length > '[RESOLVED] '.length ? prefix : prefixOf(prefix.startsWith('[DEMO]'), 'RESOLVED')
  return { of, text: titleOf(input, about, longest, 'x').slice(longest.length) }
}

function titleOf(input: MessageInput, about: readonly Alert[], prefix: string, sign: '×' | 'x'): string {
  return about.length > 0
    ? headline(about, { prefix, sign })
    : `${prefix}${count(input.folded)} more alerts than could be kept apart`
}

function sentencesOf(lead: Alert, reminder: boolean): readonly string[] {
  const part = (word: string, value: string) => (value === '' ? [] : [`${word} ${value}`])
  const where = [
    ...part('tenant', nameText(labelOf(lead.labels, 'tenant'), 200)),
    ...part('API', nameText(labelOf(lead.labels, 'api'), 200)),
    ...part('cause', causeName(plainText(labelOf(lead.labels, 'cause'), 60))),
  ].join(', ')
  const state = lead.state === 'resolved' ? 'is resolved' : reminder ? 'is still firing' : 'is firing'
  const summary = plainText(lead.annotations['summary'] ?? '', 500)
  const said = where === '' || namesSeries(summary, lead)
  const first = `${plainText(lead.rule, 100)} ${state}${said ? '' : ` for ${where}`}.`
  return summary === '' ? [first] : [first, summary]
}

/** Whether a sentence names all that sets the alert's series apart, so that it need not be said before it as well. */
function namesSeries(sentence: string, { labels }: Alert): boolean {
  const names = [
    nameText(labelOf(labels, 'tenant'), 200),
    nameText(labelOf(labels, 'api'), 200),
    causeName(plainText(labelOf(labels, 'cause'), 60)),
  ]
  // Between letters, as the `a` in "again", a name is no name.
  const isAlone = (at: number, name: string) =>
    !/[\p{L}\p{N}]$/u.test(sentence.slice(0, at)) && !/^[\p{L}\p{N}]/u.test(sentence.slice(at + name.length))
  const isNamed = (name: string) => {
    for (let at = sentence.indexOf(name); at >= 0; at = sentence.indexOf(name, at + 1)) {
      if (isAlone(at, name)) return true
    }
    return false
  }
  return names.every((name) => name === '' || isNamed(name))
}

/** The alert's own cause, else the largest contributor's that is known. */
function causeOf(alert: Alert): string | null {
  const own = labelOf(alert.labels, 'cause')
  if (own !== '') return own
  const known = alert.numbers.top.find((entry) => entry.cause !== 'unknown' && entry.cause !== '')
  return known?.cause ?? alert.numbers.top[0]?.cause ?? null
}

function lineOf(alert: Alert, context: MessageContext, now: EpochMs): string {
  const { numbers } = alert
  const series = {
    tenant: labelOf(alert.labels, 'tenant'),
    api: labelOf(alert.labels, 'api'),
    cause: labelOf(alert.labels, 'cause'),
  }
  const name = seriesName(series) || plainText(alert.annotations['summary'] ?? alert.rule, 120)
  if (alert.state === 'resolved') {
    const lasted = spanText((alert.resolvedAtMs ?? alert.evaluatedAtMs) - alert.activeAtMs)
    return `✔ ${name}, resolved after ${lasted}, ${count(numbers.soFar)} refused`
  }
  const parts = [`${severityShape[alert.severity]} ${name}`]
  if (numbers.windowMs > 0) parts.push(`${share(numbers.observed, numbers.requests)} in ${spanText(numbers.windowMs)}`)
  const times = numbers.expected === null ? null : factor(numbers.observed, numbers.expected, '×')
  if (times !== null) parts.push(`${times} ${numbers.pValue === null ? 'the limit' : 'normal'}`)
  parts.push(`since ${timeOfDay(alert.activeAtMs, context.timezone, now)}`)
  return parts.join(', ')
}

function notesOf(input: MessageInput, context: MessageContext): readonly string[] {
  const notes: string[] = []
  if (context.demo) notes.push('This is demo traffic made up by Tollwatch; no customer is affected.')
  if (input.groups > 1) {
    notes.push(
      `One message for ${count(input.groups)} groups, because more was due than the ${count(input.maxPerMinute)} messages a minute this receiver takes.`,
    )
  }
  if (input.mutedCount > 0) notes.push(`${count(input.mutedCount)} more silenced or inhibited.`)
  if (input.folded > 0)
    notes.push(`${count(input.folded)} alerts came when no more could be kept apart; they are only counted.`)
  return notes
}

function whyOf(input: MessageInput, context: MessageContext, lead: Alert | undefined): readonly string[] {
  const route = input.routeText === '' ? 'the first route' : `route ${plainText(input.routeText, 200)}`
  const why = `You get this because ${route} sends to ${input.receiver}; ${context.file} says so.`
  if (lead === undefined) return [why]
  return [why, `Rule ${plainText(lead.rule, 100)}. More: tollwatch explain ${plainText(lead.fingerprint, 64)}`]
}
