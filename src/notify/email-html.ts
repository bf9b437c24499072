import { type Chart, chartAlt, chartSize } from './chart.ts'
import { adviceLabels, othersOf } from './email-text.ts'
import { isHttp } from './links.ts'
import type { Message } from './message.ts'

/** Dark enough for white text (contrast 4.5 or more). */
const colours = { page: '#b3261e', ticket: '#8a5a00', info: '#2f5d8a', resolved: '#1a6e34', test: '#555555' } as const
const external = { firing: '#8a5a00', resolved: '#1a6e34', test: '#555555' } as const

/** Holds the longest label, so that the tables below each other line up. */
const labelWidth = 64

const font = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"

/**
 * The HTML part of a mail: one column of 600 px, styles inline and nothing fetched, since mail programs drop or block
 * the rest. It says the same as the text part, in the same order.
 *
 * @param chartId the content id of the picture that goes with the mail; null for none
 */
export function emailHtml(message: Message, chartId: string | null = null): string {
  const colour = colourOf(message)
  const parts = [
    ...message.sentences.map((sentence, place) => paragraph(escapeHtml(sentence), place === 0 ? 'font-size:16px' : '')),
    table([
      ...message.facts.map(({ label, text }) => [label, escapeHtml(text)] as const),
      ...othersOf(message).map((line, place) => [place === 0 ? 'Also' : '', escapeHtml(line)] as const),
    ]),
    message.chart === null || chartId === null ? '' : picture(message.chart, chartId),
    table(adviceRows(message)),
    message.links.length === 0
      ? ''
      : paragraph(message.links.map(({ name, url }) => link(name, url)).join(' &middot; ')),
    ...message.notes.map((note) => paragraph(escapeHtml(note), 'font-style:italic')),
    ...message.why.map((line) => paragraph(escapeHtml(line), 'font-size:12px;opacity:.8')),
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escapeHtml(message.subject)}</title></head>
<body style="margin:0;padding:16px">
<table role="presentation" width="600" style="width:100%;max-width:600px;margin:0 auto;border-collapse:collapse;${font};font-size:14px;line-height:1.45">
<tr><td style="background:${colour};color:#ffffff;padding:12px 16px;font-size:18px;font-weight:bold">${escapeHtml(message.headline)}</td></tr>
<tr><td style="padding:12px 16px;border:1px solid ${colour}">
${parts.filter((part) => part !== '').join('\n')}
</td></tr></table>
</body></html>
`
}

function colourOf({ audience, status, severity }: Message): string {
  if (audience === 'external') return external[status]
  return status === 'firing' ? colours[severity] : colours[status]
}

/** Its words say the numbers, since most programs show no picture before the reader allows it. */
function picture(chart: Chart, id: string): string {
  const width = 568
  const height = Math.round((width * chartSize.height) / chartSize.width)
  return `<p style="margin:8px 0"><img src="cid:${escapeHtml(id)}" alt="${escapeHtml(chartAlt(chart))}" width="${width}" height="${height}" style="display:block;width:100%;max-width:${width}px;height:auto;border:0"></p>`
}

function adviceRows(message: Message): (readonly [string, string])[] {
  const { advice, runbook } = message
  const labels = adviceLabels(message)
  const rows: (readonly [string, string])[] = []
  if (advice !== null) {
    const steps = advice.steps.map((step) => `<li>${escapeHtml(step)}</li>`).join('')
    rows.push(
      [labels.likely, escapeHtml(advice.likely)],
      [labels.steps, `<ol style="margin:0;padding-left:20px">${steps}</ol>`],
    )
  }
  if (runbook !== null) rows.push(['Runbook', isHttp(runbook) ? link(runbook, runbook) : escapeHtml(runbook)])
  return rows
}

function table(rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return ''
  const cells = rows.map(
    ([label, html]) =>
      `<tr><th scope="row" align="left" width="${labelWidth}" style="width:${labelWidth}px;padding:2px 12px 2px 0;vertical-align:top;white-space:nowrap">${escapeHtml(label)}</th><td dir="auto" style="padding:2px 0;vertical-align:top;word-break:break-word">${html}</td></tr>`,
  )
  return `<table role="presentation" style="width:100%;border-collapse:collapse;margin:8px 0;font-size:14px">\n${cells.join('\n')}\n</table>`
}

function paragraph(html: string, style = ''): string {
  return `<p style="margin:8px 0;word-break:break-word${style === '' ? '' : `;${style}`}">${html}</p>`
}

function link(name: string, url: string): string {
  return `<a href="${escapeHtml(url)}">${escapeHtml(name)}</a>`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
