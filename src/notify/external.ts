import type { Alert } from '../alert/alert.ts'
import { spanText } from '../alert/span.ts'
import { type Chart, chartOf } from './chart.ts'
import { type Fact, isCalm, isCounting, trendFact } from './facts.ts'
import { count, percent, share, timeOfDay } from './figures.ts'
import { digest } from './group.ts'
import { marksOf } from './headline.ts'
import { labelOf } from './labels.ts'
import type { Message, MessageContext, MessageInput, Subject } from './message.ts'
import { clipWords, nameText, plainText } from './plain-text.ts'
import { causeName, isCause } from './runbook.ts'
import { reasonsForTenants } from './tenant-reasons.ts'

/*
 * What a tenant itself is told. It is put together from a few things that are known to be its own: its counts, the API
 * it called, the cause, its quota. Nothing is taken over that an operator or a rule wrote, or that speaks of the fleet:
 * no rule, label, annotation, runbook, link, route, receiver, contributor or comparison with what is normal.
 */

/** Facts of conditions that speak of the tenant's own quota or contract; all others stay inside. */
const ownFacts = new Set(['Used', 'Runs out', 'Rate', 'Resets', 'Expires', 'Expired'])
const subjectLimit = 90
const othersLimit = 5

/** The message to one tenant; alerts of anybody else are left out. */
export function composeExternal(
  input: MessageInput,
  given: { tenant: string; firing: readonly Alert[]; resolved: readonly Alert[] },
  context: MessageContext,
): { message: Message; subject: Subject } {
  const isOwn = ({ labels }: Alert) => labelOf(labels, 'tenant') === given.tenant
  const firing = given.firing.filter(isOwn)
  const shown = [...firing, ...given.resolved.filter(isOwn)]
  const lead = shown[0]
  const status = firing.length > 0 || lead === undefined ? 'firing' : 'resolved'
  const known = context.tenants.find(given.tenant)
  const view = { now: input.now, timezone: known?.timezone ?? context.timezone }
  const name = context.operator.name === null ? '' : `[${plainText(context.operator.name, 30)}] `
  // That a subscription has ended is no good news, though the reminder of it is over.
  const isGood = status === 'resolved' && !(lead !== undefined && hasEnded(lead))
  const prefix = `${marksOf(context.demo, input.drill ?? false)}${name}${isGood ? '[RESOLVED] ' : ''}`
  const subject = subjectOf(input.subject, shown, `${prefix}${isGood ? '' : '[RESOLVED] '}`.length)
  const reason = lead === undefined || isQuota(lead) ? null : reasonOf(lead, given.tenant)
  const trend = lead === undefined ? null : context.trend(lead)
  const chart = lead === undefined ? null : chartOf(lead, trend, view.timezone)
  const message: Message = {
    id: input.id,
    thread: input.thread,
    receiver: input.receiver,
    audience: 'external',
    to: input.to ?? null,
    madeAtMs: input.now,
    status,
    severity: 'info',
    subject: prefix + subject.text,
    headline: prefix + subject.text,
    sentences:
      lead === undefined ? [] : [`Hello ${nameText(known?.name ?? given.tenant, 100)},`, sentenceOf(lead, view)],
    facts: lead === undefined ? [] : factsFor(lead, view, trendFact(lead, trend)),
    // What a rule takes for its bound, or for normal, is not the tenant's business.
    chart: chart === null ? null : ({ ...chart, usual: null, limit: null } satisfies Chart),
    advice:
      lead === undefined || isGood
        ? null
        : reason === null
          ? { likely: quotaReason, steps: quotaSteps }
          : { likely: reason.because, steps: reason.steps },
    runbook: null,
    others: shown.slice(1, 1 + othersLimit).map((alert) => lineOf(alert, view)),
    more: Math.max(0, shown.length - 1 - othersLimit),
    notes: notesOf(input, context),
    links: [],
    why: whyOf(given.tenant, context),
  }
  return { message, subject }
}

interface Sight {
  readonly now: number
  readonly timezone: string
}

const quotaReason = 'your plan allows a certain use in each period, and you come to its end before the period does'
const quotaSteps = [
  'compare your use with what you planned; a program that loops uses up a plan quickly',
  'ask for a larger plan if you need more before the period ends',
  'or slow down until the period starts anew',
]

/** Told by its facts: what kind of rule it was is not in an alert. */
function isQuota({ numbers }: Alert): boolean {
  return numbers.facts.some(({ label }) => label === 'Used')
}

function isExpiry({ numbers }: Alert): boolean {
  return numbers.facts.some(({ label }) => label === 'Expires' || label === 'Expired')
}

/** The end of such an alert may also be that the subscription was extended. */
function hasEnded({ numbers }: Alert): boolean {
  return numbers.facts.some(({ label }) => label === 'Expired')
}

function reasonOf(alert: Alert, tenant: string) {
  const own = alert.numbers.top.find((entry) => entry.tenant === tenant && isCause(entry.cause))
  const cause = labelOf(alert.labels, 'cause') || (own?.cause ?? '')
  return reasonsForTenants[isExpiry(alert) ? 'subscription_expired' : isCause(cause) ? cause : 'unknown']
}

/**
 * The same words as long as the conversation lasts, so that mail programs keep it together. Only words that were made
 * here are kept: a group may have told operators before its receiver was changed to tell the tenant.
 */
function subjectOf(kept: Subject | null, shown: readonly Alert[], taken: number): Subject {
  const [lead] = shown
  const made = (alert: Alert | undefined) =>
    digest(['external', alert?.fingerprint ?? '', ...(alert !== undefined && hasEnded(alert) ? ['ended'] : [])])
  if (kept !== null && shown.some((alert) => kept.of === made(alert))) return kept
  const of = made(lead)
  const room = subjectLimit - taken
  if (lead === undefined) return { of, text: 'About your API calls' }
  if (isQuota(lead)) return { of, text: clipWords(quotaText(lead), room) }
  if (isExpiry(lead)) return { of, text: expiryText(lead) }
  const cause = labelOf(lead.labels, 'cause')
  const why = isCause(cause) && cause !== 'unknown' ? `: ${causeName(cause)}` : ''
  const [most, least] = [`Calls${onApi(lead, 200)} are refused${why}`, `Calls are refused${why}`]
  const api = Math.max(12, room - least.length - ' to '.length)
  return { of, text: clipWords(most.length <= room ? most : `Calls${onApi(lead, api)} are refused${why}`, room) }
}

function quotaName({ labels }: Alert): string {
  const name = nameText(labelOf(labels, 'quota'))
  return name === '' ? 'your quota' : `your quota “${name}”`
}

/** The value of such an alert is the share that is used. */
function quotaText(alert: Alert): string {
  const name = quotaName(alert)
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} is ${alert.value >= 1 ? 'used up' : 'nearly used up'}`
}

function expiryText(alert: Alert): string {
  return hasEnded(alert) ? 'Your subscription has ended' : 'Your subscription ends soon'
}

function onApi({ labels }: Alert, limit = 60): string {
  const api = nameText(labelOf(labels, 'api'), limit)
  return api === '' ? '' : ` to ${api}`
}

function sentenceOf(alert: Alert, { now, timezone }: Sight): string {
  const since = timeOfDay(alert.activeAtMs, timezone, now)
  if (isQuota(alert)) {
    if (alert.state === 'resolved') return `There is enough left of ${quotaName(alert)} again; you need do nothing.`
    return `${quotaText(alert)}. Calls beyond it are refused with status 402 (Payment Required).`
  }
  if (isExpiry(alert)) {
    if (hasEnded(alert))
      return 'Your subscription has ended. Calls are refused with status 402 (Payment Required) from now on.'
    if (alert.state === 'resolved') return 'Your subscription does not end then any more; you need do nothing.'
    return 'Your subscription ends soon. From then on your calls are refused with status 402 (Payment Required).'
  }
  const calls = `calls${onApi(alert)}`
  if (isCalm(alert)) return `Since ${since} some of your ${calls} were refused; at the moment they go through again.`
  if (alert.state !== 'resolved')
    return `Since ${since} some of your ${calls} are refused with status 402 (Payment Required).`
  const lasted = spanText((alert.resolvedAtMs ?? alert.evaluatedAtMs) - alert.activeAtMs)
  // An alert that stays on for a day ends because that has become the rule, not because calls go through again.
  if (isStillRefused(alert))
    return `Some of your ${calls} have been refused for ${lasted} and still are. We write again only if that changes.`
  return `It is over: your ${calls} were refused for ${lasted}, and are no longer.`
}

function isStillRefused({ numbers: { observed, expected, pValue } }: Alert): boolean {
  return expected !== null && pValue !== null && observed > expected && pValue < 0.05
}

function factsFor(alert: Alert, { now, timezone }: Sight, trend: Fact | null): readonly Fact[] {
  const { numbers } = alert
  const facts: Fact[] = numbers.facts
    .filter(({ label }) => ownFacts.has(label))
    .map(({ label, text }) => ({ label, text: plainText(text, 200) }))
  const end = alert.resolvedAtMs ?? alert.evaluatedAtMs
  const since = timeOfDay(alert.activeAtMs, timezone, now)
  const isOver = alert.state === 'resolved'
  if (isCounting(alert) && !isOver)
    facts.push({
      label: 'Refused',
      text: `${share(numbers.observed, numbers.requests)} in ${spanText(numbers.windowMs)}`,
    })
  facts.push(
    isOver
      ? { label: 'Lasted', text: `from ${since} to ${timeOfDay(end, timezone, now)}`, atMs: end }
      : { label: 'Since', text: since, atMs: alert.activeAtMs },
  )
  if (numbers.soFar > 0) facts.push({ label: isOver ? 'In all' : 'So far', text: `${count(numbers.soFar)} refused` })
  return trend === null || !isCounting(alert) ? facts : [...facts, trend]
}

/** A line about another alert of the same tenant. */
function lineOf(alert: Alert, { now, timezone }: Sight): string {
  const { numbers } = alert
  if (isQuota(alert)) return quotaText(alert)
  if (isExpiry(alert)) return expiryText(alert)
  const cause = labelOf(alert.labels, 'cause')
  const what = `Calls${onApi(alert)}${isCause(cause) && cause !== 'unknown' ? `: ${causeName(cause)}` : ''}`
  if (alert.state === 'resolved') return `${what}, over`
  const part = numbers.requests >= 50 ? `, ${percent(numbers.observed / numbers.requests)} refused` : ''
  return `${what}${part}, since ${timeOfDay(alert.activeAtMs, timezone, now)}`
}

function notesOf(input: MessageInput, context: MessageContext): readonly string[] {
  const notes: string[] = []
  if (context.demo) notes.push('This is made-up traffic for a demonstration; none of your calls is concerned.')
  if (input.drill ?? false) notes.push('This is an exercise: nothing is wrong with your calls.')
  return notes
}

function whyOf(tenant: string, { operator: { name, contact } }: MessageContext): readonly string[] {
  const us = name === null ? '' : ` with ${plainText(name, 60)}`
  const ask = contact === null ? 'reply to this mail' : `write to ${plainText(contact, 200)}`
  return [
    `You get this because this address is a contact of the account ${nameText(tenant, 100)}${us}.`,
    `To ask, or to have no more of these mails, ${ask}.`,
  ]
}
