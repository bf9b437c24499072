import type { Alert, Severity } from '../alert/alert.ts'
import { spanText } from '../alert/span.ts'
import type { TenantDirectory } from '../tenants/directory.ts'
import type { EpochMs } from '../time/clock.ts'
import { type Chart, chartOf } from './chart.ts'
import { tenantOf } from './contact.ts'
import { composeExternal } from './external.ts'
import { compared, type Fact, factsOf, farBelow, seriesName } from './facts.ts'
import { count, share, timeOfDay } from './figures.ts'
import { digest, type Member } from './group.ts'
import { headline, marksOf, ownWords, severityShape, worstFirst } from './headline.ts'
import { labelOf } from './labels.ts'
import { type Link, type LinkBases, linksOf, runbookOf } from './links.ts'
import { clipWords, plainText } from './plain-text.ts'
import { type Advice, adviceOn, expiryAdvice, isCause, quotaAdvice, stalledAdvice } from './runbook.ts'
import { sentencesOf } from './sentences.ts'
import type { Trend } from './trend.ts'

/** Everything a message says, in the order it says it; mail, Slack and the log only lay it out. */
export interface Message {
  /** The same for every attempt to deliver it. */
  readonly id: string
  /** The conversation it belongs to. */
  readonly thread: string
  readonly receiver: string
  /** Whom it speaks to; `external` is the tenant itself and holds nothing internal but `receiver`, which is not shown. */
  readonly audience: 'operators' | 'external'
  /** The addresses it goes to, where they follow from the alert and not from the receiver's settings. */
  readonly to: readonly string[] | null
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
  /**
   * The refusals of the leading alert over the last hours; the fact `Trend` says the same in text. Missing in messages
   * that an earlier version left in the store.
   */
  readonly chart: Chart | null
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
  /** A fire drill: everything is real but the trouble. */
  readonly drill?: boolean
  /** The addresses found for this message; null or absent for those of the receiver. */
  readonly to?: readonly string[] | null
  /**
   * The tenant that the message goes to itself (`audience: external`); null or absent for operators. Alerts of anybody
   * else are left out, so a group over several tenants needs a message for each.
   */
  readonly tenant?: string | null
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
  readonly trend: (alert: Alert) => Trend | null
  readonly tenants: TenantDirectory
  /** How tenants know us: what we are called and where to ask, an address or a web page. */
  readonly operator: { readonly name: string | null; readonly contact: string | null }
}

/** Other alerts that get a line of their own. */
const othersLimit = 10

/** Makes the message, and the subject to keep for the conversation. */
export function composeMessage(input: MessageInput, context: MessageContext): { message: Message; subject: Subject } {
  const tenant = input.tenant ?? null
  const alerts = {
    firing: worstFirst(input.firing.map(({ alert }) => refreshed(alert, context))),
    resolved: worstFirst(input.resolved.map(({ alert }) => alert)),
  }
  if (tenant !== null) return composeExternal(input, { ...alerts, tenant }, context)
  return composeInternal(input, alerts, context)
}

function composeInternal(
  input: MessageInput,
  { firing, resolved }: { firing: readonly Alert[]; resolved: readonly Alert[] },
  context: MessageContext,
): { message: Message; subject: Subject } {
  const shown = [...firing, ...resolved]
  const lead = shown[0]
  const status = firing.length > 0 || lead === undefined ? 'firing' : 'resolved'
  const severity = firing[0]?.severity ?? lead?.severity ?? 'ticket'
  const about = status === 'firing' ? firing : resolved
  const marks = marksOf(context.demo, input.drill ?? false)
  const prefix = `${marks}[${status === 'resolved' ? 'RESOLVED' : severity.toUpperCase()}] `
  const subject = subjectOf(input, about, marks)
  const cause = lead === undefined ? null : causeOf(lead)
  const trend = lead === undefined ? null : context.trend(lead)
  const others = shown.slice(1)
  const message: Message = {
    id: input.id,
    thread: input.thread,
    receiver: input.receiver,
    audience: 'operators',
    to: input.to ?? null,
    madeAtMs: input.now,
    status,
    severity,
    subject: prefix + subject.text,
    headline: titleOf(input, about, `${marks}${shapeAndWord(status, severity)}`, '×'),
    sentences: lead === undefined ? [] : sentencesOf(lead, { reminder: input.reminder, tenants: context.tenants }),
    facts:
      lead === undefined
        ? []
        : factsOf(lead, {
            now: input.now,
            timezone: context.timezone,
            noticedAtMs: noticedAt(input, lead),
            trend,
            tenant: context.tenants.find(tenantOf([lead]) ?? ''),
          }),
    chart: lead === undefined ? null : chartOf(lead, trend, context.timezone),
    advice: lead === undefined || status === 'resolved' ? null : adviceFor(lead, cause),
    runbook: lead === undefined ? null : runbookOf(lead, cause, context.runbookUrl),
    others: others.slice(0, othersLimit).map((alert) => lineOf(alert, context, input.now)),
    more: Math.max(0, others.length - othersLimit) + input.folded,
    notes: notesOf(input, context),
    links: lead === undefined ? [] : linksOf(lead, context, input.now),
    why: whyOf(input, context, lead),
  }
  return { message, subject }
}

function noticedAt({ firing, resolved, now }: MessageInput, { episode }: Alert): EpochMs {
  return [...firing, ...resolved].find(({ alert }) => alert.episode === episode)?.noticedAtMs ?? now
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
function subjectOf(input: MessageInput, about: readonly Alert[], marks: string): Subject {
  const of = digest(about.map((alert) => alert.episode).sort())
  const kept = input.subject
  // When everything is resolved the conversation ends under the subject it had.
  if (kept !== null && (kept.of === of || input.firing.length === 0)) return kept
  // There is room for the prefix of the end from the start.
  const longest = `${marks}[RESOLVED] `
  return { of, text: titleOf(input, about, longest, 'x').slice(longest.length) }
}

function titleOf(input: MessageInput, about: readonly Alert[], prefix: string, sign: '×' | 'x'): string {
  return about.length > 0
    ? headline(about, { prefix, sign })
    : `${prefix}${count(input.folded)} more alerts than could be kept apart`
}

/** None where fewer refusals than usual are the news: what causes refusals does not explain that. */
function adviceFor(lead: Alert, cause: string | null): Advice | null {
  if (labelOf(lead.labels, 'quota') !== '') return quotaAdvice
  if (labelOf(lead.labels, 'topic') !== '') return stalledAdvice
  if (labelOf(lead.labels, 'expires') !== '') return expiryAdvice
  if (compared(lead, '×') === farBelow || cause === null || !isCause(cause)) return null
  return adviceOn[cause]
}

/** The alert's own cause, else the largest contributor's that is known. */
function causeOf(alert: Alert): string | null {
  const own = labelOf(alert.labels, 'cause')
  if (own !== '') return own
  if (labelOf(alert.labels, 'quota') !== '') return 'quota_exceeded'
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
    const refused = numbers.soFar > 0 ? `, ${count(numbers.soFar)} refused` : ''
    return `✔ ${name}, resolved after ${lasted}${refused}`
  }
  const own = ownWords(alert)
  if (own !== null) {
    const since = timeOfDay(alert.activeAtMs, context.timezone, now)
    return `${severityShape[alert.severity]} ${clipWords(own, 200)}, since ${since}`
  }
  const parts = [`${severityShape[alert.severity]} ${name}`]
  if (numbers.windowMs > 0) parts.push(`${share(numbers.observed, numbers.requests)} in ${spanText(numbers.windowMs)}`)
  const times = compared(alert, '×')
  if (times !== null) parts.push(times)
  parts.push(`since ${timeOfDay(alert.activeAtMs, context.timezone, now)}`)
  return parts.join(', ')
}

function notesOf(input: MessageInput, context: MessageContext): readonly string[] {
  const notes: string[] = []
  if (context.demo) notes.push('This is demo traffic made up by Tollwatch; no customer is affected.')
  if (input.drill ?? false) notes.push('This is a drill: the trouble is invented, the way this message took is real.')
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
