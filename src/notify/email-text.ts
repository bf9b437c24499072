import type { Message } from './message.ts'

const indent = 10

/** The text part of a mail: what a reader needs, in order, readable in any program and as a preview. */
export function emailText(message: Message): string {
  const blocks: string[] = [message.sentences.join('\n')]
  const facts = message.facts.map(({ label, text }) => row(label, text))
  const also = othersOf(message).map((line, place) => row(place === 0 ? 'Also' : '', line))
  blocks.push([...facts, ...also].join('\n'))
  blocks.push(adviceOf(message).join('\n'))
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

function adviceOf({ advice, runbook }: Message): string[] {
  const lines: string[] = []
  if (advice !== null) {
    lines.push(row('Likely', advice.likely))
    advice.steps.forEach((step, place) => {
      lines.push(row(place === 0 ? 'Do first' : '', `${place + 1} ${step}`))
    })
  }
  if (runbook !== null) lines.push(row('Runbook', runbook))
  return lines
}

function row(label: string, text: string): string {
  return label.padEnd(indent) + text
}
