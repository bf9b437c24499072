import type { Message } from './message.ts'

/** Labels are as wide as the longest one, within these. */
const narrowest = 10
const widest = 16

/** The text part of a mail: what a reader needs, in order, readable in any program and as a preview. */
export function emailText(message: Message): string {
  const blocks: string[] = [message.sentences.join('\n')]
  const width = message.facts.reduce((most, { label }) => Math.max(most, label.length + 1), narrowest)
  const row = (label: string, text: string) => `${label.padEnd(Math.min(width, widest) - 1)} ${text}`
  const facts = message.facts.map(({ label, text }) => row(label, text))
  const also = othersOf(message).map((line, place) => row(place === 0 ? 'Also' : '', line))
  blocks.push([...facts, ...also].join('\n'))
  blocks.push(adviceOf(message, row).join('\n'))
  blocks.push(message.links.map(({ name, url }) => `${name}: ${url}`).join('\n'))
  blocks.push(message.notes.join('\n'))
  blocks.push(message.why.join('\n'))
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

/** The lines about the other alerts, with a count for those that have none. */
export function othersOf(message: Message): readonly string[] {
  if (message.more === 0) return message.others
  return [...message.others, `and ${message.more} more`]
}

function adviceOf(message: Message, row: (label: string, text: string) => string): string[] {
  const { advice, runbook } = message
  const { likely, steps } = adviceLabels(message)
  const lines: string[] = []
  if (advice !== null) {
    lines.push(row(likely, advice.likely))
    advice.steps.forEach((step, place) => {
      lines.push(row(place === 0 ? steps : '', `${place + 1} ${step}`))
    })
  }
  if (runbook !== null) lines.push(row('Runbook', runbook))
  return lines
}

/** An operator is given a guess and what to try; a tenant is told. */
export function adviceLabels({ audience }: Message): { readonly likely: string; readonly steps: string } {
  return audience === 'external' ? { likely: 'Why', steps: 'To do' } : { likely: 'Likely', steps: 'Do first' }
}
