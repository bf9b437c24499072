import type { EpochMs } from '../time/clock.ts'
import { formatInstant } from '../time/instant.ts'
import type { Account, MessageAccount, Way } from './account.ts'
import type { Labels } from './labels.ts'
import { plainText } from './plain-text.ts'

/** An account as people read it; the longest lists are cut and say so. */
export function accountSentences({ ways, messages }: Account, now: EpochMs): readonly string[] {
  const lines = ways.length === 0 ? [] : ways.slice(0, mostLines).map((way) => wayText(way, now))
  if (ways.length > mostLines) lines.push(`and ${ways.length - mostLines} more ways`)
  const last = messages.slice(-mostLines)
  if (messages.length > last.length) lines.push(`${messages.length - last.length} earlier messages are not shown`)
  return [...lines, ...last.map(messageText)]
}

const mostLines = 20

function wayText({ receiver, integration, route, group, told, muted, next }: Way, now: EpochMs): string {
  const which = route === '' ? 'the first route' : `the route ${route}`
  const to = `${which} sends to ${receiver} (${integration})${groupText(group)}`
  const said = told === null ? 'nothing was told yet' : `told as ${told}`
  const why = muted === null ? '' : `; held back by ${mutedText(muted)}`
  return `${to}: ${said}${why}${nextText(next, now)}`
}

function groupText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}=${plainText(value, 80)}`)
  return parts.length === 0 ? '' : `, grouped by ${parts.join(' ')}`
}

/** What holds an alert back, in words. */
export function mutedText({ by, name }: NonNullable<Way['muted']>): string {
  switch (by) {
    case 'silence':
      return `the silence ${plainText(name, 100)}`
    case 'inhibition':
      return `the inhibition "${plainText(name, 100)}"`
    case 'time':
      return `the time interval ${plainText(name, 100)}`
    default:
      return by satisfies never
  }
}

function nextText(next: Way['next'], now: EpochMs): string {
  if (next === null) return ''
  if (next.atMs === null) return '; a message is under way'
  const what = next.kind === 'reminder' ? 'reminder' : 'message'
  return next.atMs <= now ? `; its next ${what} is due` : `; its next ${what} is due at ${formatInstant(next.atMs)}`
}

function messageText(message: MessageAccount): string {
  const { receiver, integration, subject, state, madeAtMs, settledAtMs, attempts, reason, retryAtMs } = message
  const name = `${formatInstant(madeAtMs)} message to ${receiver} (${integration}), ${JSON.stringify(plainText(subject, 120))}`
  const tried = attempts === null || attempts === 1 ? '' : ` after ${attempts} attempts`
  if (state === 'sent') return `${name}: delivered at ${formatInstant(settledAtMs ?? madeAtMs)}${tried}`
  const why = reason === null ? '' : ` (${reason})`
  if (state === 'dead') return `${name}: given up at ${formatInstant(settledAtMs ?? madeAtMs)}${tried}${why}`
  if (retryAtMs === null) return `${name}: under way`
  return `${name}: failed ${attempts ?? 0} times${why}, tried again at ${formatInstant(retryAtMs)}`
}
