import { formatInstant } from '../time/instant.ts'
import { othersOf } from './email-text.ts'
import { isHttp } from './links.ts'
import type { Message } from './message.ts'
import { clip } from './plain-text.ts'

/** Slack's limits: https://docs.slack.dev/reference/block-kit/blocks. The total is undocumented, near 13,200. */
const limits = {
  header: 150,
  section: 3_000,
  fields: 10,
  field: 2_000,
  contextElement: 2_000,
  total: 10_000,
  text: 1_000,
} as const

export type SlackBlock =
  | { readonly type: 'header'; readonly text: PlainText }
  | { readonly type: 'section'; readonly text: Markdown }
  | { readonly type: 'section'; readonly fields: readonly Markdown[] }
  | { readonly type: 'context'; readonly elements: readonly Markdown[] }

interface PlainText {
  readonly type: 'plain_text'
  readonly text: string
  readonly emoji: false
}

interface Markdown {
  readonly type: 'mrkdwn'
  readonly text: string
  /** Slack then makes no links and no mentions out of bare words. */
  readonly verbatim: true
}

export interface SlackPayload {
  /** Stands alone: the push notification, and the whole message where blocks are refused. */
  readonly text: string
  readonly blocks?: readonly SlackBlock[]
  readonly unfurl_links: false
  readonly unfurl_media: false
}

/** The message for an incoming webhook. */
export function slackPayload(message: Message): SlackPayload {
  return { ...slackText(message), blocks: blocksOf(message) }
}

/** The same without blocks, for when Slack refuses them. */
export function slackText(message: Message): SlackPayload {
  // The subject keeps the numbers it began with, for mail programs; at the end of it all they would mislead.
  const title = message.status === 'resolved' ? message.headline : message.subject
  const text = escaped([title, ...message.sentences.slice(1), ...message.notes].join(' · '), limits.text)
  return { text, unfurl_links: false, unfurl_media: false }
}

function blocksOf(message: Message): readonly SlackBlock[] {
  const blocks: SlackBlock[] = [
    { type: 'header', text: { type: 'plain_text', text: clip(message.headline, limits.header), emoji: false } },
  ]
  // Who got it and why stands last but is set aside first, so that a long list of names cannot push it out.
  const why = markdown([escaped(message.why.join(' '), 800)])
  let left = limits.total - limits.header - why.text.length - linksText(message).length
  const section = (pieces: readonly string[], most: number = limits.section) => {
    const text = fitting(pieces, Math.min(most, left))
    if (text === '') return
    left -= text.length
    blocks.push({ type: 'section', text: markdown([text]) })
  }
  section(message.sentences.map((sentence) => escaped(sentence, 700)))
  const fields = message.facts.slice(0, limits.fields).map(({ label, text, atMs }) => {
    return markdown([
      `*${label}*\n${escaped(text, 450)}`,
      ...(atMs === undefined || !Number.isFinite(atMs) ? [] : [yourTime(atMs)]),
    ])
  })
  left -= fields.reduce((total, field) => total + field.text.length, 0)
  if (fields.length > 0) blocks.push({ type: 'section', fields })
  section(adviceLines(message), 1_500)
  section(
    othersOf(message).map((line, place) => `${place === 0 ? '*Also*\n' : ''}${escaped(line, 300)}`),
    2_500,
  )
  const notes = message.notes.map((note) => escaped(note, 300))
  if (notes.length > 0) blocks.push({ type: 'context', elements: [markdown(notes)] })
  const links = linksText(message)
  if (links !== '') blocks.push({ type: 'section', text: markdown([links]) })
  blocks.push({ type: 'context', elements: [why] })
  return blocks
}

/** Slack writes the moment in the zone of whoever reads; the text after the bar is for clients that cannot. */
function yourTime(atMs: number): string {
  return `<!date^${Math.floor(atMs / 1_000)}^{date_short_pretty} {time}|${formatInstant(atMs)}> your time`
}

function adviceLines({ advice, runbook }: Message): string[] {
  const lines: string[] = []
  if (advice !== null) {
    lines.push(`*Likely* ${escaped(advice.likely, 300)}`)
    advice.steps.forEach((step, place) => {
      lines.push(`${place + 1}. ${escaped(step, 300)}`)
    })
  }
  if (runbook !== null && !isHttp(runbook)) lines.push(`*Runbook* ${escaped(runbook, 300)}`)
  return lines
}

/** Links as text and not as buttons: a button of an app without interactivity shows a warning beside it. */
function linksText({ links, runbook }: Message): string {
  const all = runbook !== null && isHttp(runbook) ? [...links, { name: 'Runbook', url: runbook }] : links
  const texts = all.map(({ name, url }) => `<${escaped(url, 900).replaceAll('|', '%7C')}|${escaped(name, 60)}>`)
  return fitting([texts.join(' · ')], limits.section)
}

function markdown(lines: readonly string[]): Markdown {
  return { type: 'mrkdwn', text: lines.join('\n'), verbatim: true }
}

/** As many whole lines as there is room for. */
function fitting(lines: readonly string[], room: number): string {
  let text = ''
  for (const line of lines) {
    const next = text === '' ? line : `${text}\n${line}`
    if (next.length > room) break
    text = next
  }
  return text
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/**
 * Text for mrkdwn, at most `limit` characters after escaping and never cut inside an escape. Without `<` nothing in it
 * can be a link or a mention; the words that would call everybody are broken by an invisible character as well.
 */
export function escaped(text: string, limit: number): string {
  const safe = text.replace(/@(?=channel|here|everyone)/gi, '@\u2060')
  let result = ''
  for (const character of safe) {
    const next = entities[character] ?? character
    if (result.length + next.length > limit - 1) return `${result}…`
    result += next
  }
  return result
}
