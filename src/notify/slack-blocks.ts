import type { Severity } from '../alert/alert.ts'
import { formatInstant } from '../time/instant.ts'
import { chartAlt } from './chart.ts'
import { adviceLabels, othersOf } from './email-text.ts'
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
  | { readonly type: 'image'; readonly slack_file: { readonly id: string }; readonly alt_text: string }

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

/**
 * The whole message.
 *
 * @param chartFile the id of the chart's picture at Slack; null for none
 * @param earlier whether an earlier message of this conversation stands further up, for lack of room in its thread
 */
export function slackPayload(message: Message, { chartFile = null, earlier = false }: SlackExtras = {}): SlackPayload {
  return { ...slackText(message), blocks: blocksOf(message, { chartFile, earlier }) }
}

export interface SlackExtras {
  readonly chartFile?: string | null
  readonly earlier?: boolean
}

/** The same without blocks, for when Slack refuses them. */
export function slackText(message: Message): SlackPayload {
  // The subject keeps the numbers it began with, for mail programs; at the end of it all they would mislead.
  const title = message.status === 'resolved' ? message.headline : message.subject
  const text = escaped([title, ...message.sentences.slice(1), ...message.notes].join(' · '), limits.text)
  return { text, unfurl_links: false, unfurl_media: false }
}

/** What a thread under the message keeps of each change: what happened and the numbers of then. */
export function slackReply(message: Message): SlackPayload {
  const room = new Room(limits.total)
  const title = `*${escaped(coloured(message), 300)}*`
  room.section([title, ...message.sentences.map((sentence) => escaped(sentence, 700))])
  room.fields(message)
  room.others(message)
  return { ...slackText(message), blocks: room.blocks }
}

const severityEmoji: Readonly<Record<Severity, string>> = { page: '🔴', ticket: '⚠️', info: '🟦' }

/** The headline with the shape of its severity in colour, and in another one at the end. */
function coloured({ headline, status, severity }: Message): string {
  return headline.replace(/[●▲■✔]/u, status === 'resolved' ? '✅' : severityEmoji[severity])
}

function blocksOf(message: Message, { chartFile, earlier }: Required<SlackExtras>): readonly SlackBlock[] {
  // Who got it and why stands last but is set aside first, so that a long list of names cannot push it out.
  const why = markdown([escaped(message.why.join(' '), 800)])
  const links = linksText(message)
  const alt = message.chart ? chartAlt(message.chart) : ''
  const room = new Room(limits.total - limits.header - why.text.length - links.length - alt.length)
  const header = clip(coloured(message), limits.header)
  room.blocks.push({ type: 'header', text: { type: 'plain_text', text: header, emoji: false } })
  room.section(message.sentences.map((sentence) => escaped(sentence, 700)))
  room.fields(message)
  if (chartFile !== null && alt !== '') {
    room.blocks.push({ type: 'image', slack_file: { id: chartFile }, alt_text: alt })
  }
  room.section(adviceLines(message), 1_500)
  room.others(message)
  const notes = message.notes.map((note) => escaped(note, 300))
  if (earlier) notes.push('The beginning of this is in an earlier message further up.')
  if (notes.length > 0) room.blocks.push({ type: 'context', elements: [markdown(notes)] })
  if (links !== '') room.blocks.push({ type: 'section', text: markdown([links]) })
  room.blocks.push({ type: 'context', elements: [why] })
  return room.blocks
}

/** Blocks with a common budget of characters: what does not fit is left out, whole lines and whole fields. */
class Room {
  readonly blocks: SlackBlock[] = []
  #left: number

  constructor(characters: number) {
    this.#left = characters
  }

  section(pieces: readonly string[], most: number = limits.section): void {
    const text = fitting(pieces, Math.min(most, this.#left))
    if (text === '') return
    this.#left -= text.length
    this.blocks.push({ type: 'section', text: markdown([text]) })
  }

  fields({ facts }: Message): void {
    const fields: Markdown[] = []
    for (const { label, text, atMs } of facts) {
      const field = markdown([
        `*${escaped(label, 40)}*\n${escaped(text, 450)}`,
        ...(atMs === undefined || !Number.isFinite(atMs) ? [] : [yourTime(atMs)]),
      ])
      if (field.text.length > this.#left) continue
      this.#left -= field.text.length
      fields.push(field)
    }
    for (let from = 0; from < fields.length; from += limits.fields)
      this.blocks.push({ type: 'section', fields: fields.slice(from, from + limits.fields) })
  }

  others(message: Message): void {
    const lines = othersOf(message).map((line, place) => `${place === 0 ? '*Also*\n' : ''}${escaped(line, 300)}`)
    this.section(lines, 2_500)
  }
}

/** Slack writes the moment in the zone of whoever reads; the text after the bar is for clients that cannot. */
function yourTime(atMs: number): string {
  return `<!date^${Math.floor(atMs / 1_000)}^{date_short_pretty} {time}|${formatInstant(atMs)}> your time`
}

function adviceLines(message: Message): string[] {
  const { advice, runbook } = message
  const lines: string[] = []
  if (advice !== null) {
    lines.push(`*${adviceLabels(message).likely}* ${escaped(advice.likely, 300)}`)
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
