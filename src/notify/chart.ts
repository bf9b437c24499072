import type { Alert } from '../alert/alert.ts'
import { spanText } from '../alert/span.ts'
import type { Cause } from '../classify/cause.ts'
import { causeColours } from '../classify/cause-colours.ts'
import type { EpochMs } from '../time/clock.ts'
import { hourMs, minuteMs } from '../time/duration.ts'
import { count, expectation, timeOfDay } from './figures.ts'
import { causeName } from './runbook.ts'
import type { Trend } from './trend.ts'

/** A chart of refusals as it travels with a message: numbers only, no names that came out of a log. */
export interface Chart {
  readonly endMs: EpochMs
  readonly stepMs: number
  /** From the bottom up, the largest first; every list has as many steps, null where nothing is known. */
  readonly layers: readonly { readonly cause: Cause | 'other'; readonly counts: readonly (number | null)[] }[]
  /** Refusals that a step would normally have, and the rule's bound for a step; null where there is none. */
  readonly usual: number | null
  readonly limit: number | null
  readonly sinceMs: EpochMs
  readonly resolvedMs: EpochMs | null
  readonly timezone: string
}

const layerLimit = 4

/** The chart of an alert; null where there is nothing to draw. */
export function chartOf(alert: Alert, trend: Trend | null, timezone: string): Chart | null {
  const { expected, pValue, windowMs } = alert.numbers
  // Conditions without a window, such as a stalled input, are about something else than refusals.
  if (trend === null || trend.steps.length < 2 || windowMs <= 0) return null
  const scaled = expected === null ? null : (expected * trend.stepMs) / windowMs
  const perStep = scaled !== null && Number.isFinite(scaled) ? scaled : null
  return {
    endMs: trend.endMs,
    stepMs: trend.stepMs,
    layers: layersOf(trend),
    usual: pValue === null ? null : perStep,
    limit: pValue === null ? perStep : null,
    sinceMs: alert.activeAtMs,
    resolvedMs: alert.resolvedAtMs,
    timezone,
  }
}

function layersOf({ steps }: Trend): Chart['layers'] {
  const totals = new Map<Cause, number>()
  for (const step of steps)
    for (const [cause, refused] of step ?? []) totals.set(cause, (totals.get(cause) ?? 0) + refused)
  const causes = [...totals].sort((a, b) => b[1] - a[1]).map(([cause]) => cause)
  if (causes.length === 0) return [{ cause: 'other', counts: steps.map((step) => (step === null ? null : 0)) }]
  const own = causes.length > layerLimit ? causes.slice(0, layerLimit - 1) : causes
  const layers: Chart['layers'][number][] = own.map((cause) => ({
    cause,
    counts: steps.map((step) => (step === null ? null : (step.get(cause) ?? 0))),
  }))
  const rest = causes.slice(own.length)
  if (rest.length > 0) {
    const sum = (step: ReadonlyMap<Cause, number>) => rest.reduce((all, cause) => all + (step.get(cause) ?? 0), 0)
    layers.push({ cause: 'other', counts: steps.map((step) => (step === null ? null : sum(step))) })
  }
  return layers
}

/** What the chart shows, for people who do not see it. */
export function chartAlt(chart: Chart): string {
  const totals = totalsOf(chart)
  const known = totals.filter((total) => total !== null)
  const span = spanText(totals.length * chart.stepMs)
  const until = timeOfDay(chart.endMs, chart.timezone, chart.endMs)
  const parts = [`${count(known.at(-1) ?? 0)} in the last step`, `${count(Math.max(0, ...known))} at most`]
  if (chart.usual !== null) parts.push(`usually ${expectation(chart.usual)}`)
  if (chart.limit !== null) parts.push(`limit ${expectation(chart.limit)}`)
  return `Refused calls in steps of ${spanText(chart.stepMs)} over the ${span} to ${until}: ${parts.join(', ')}`
}

function totalsOf({ layers }: Chart): readonly (number | null)[] {
  return (layers[0]?.counts ?? []).map((first, step) =>
    first === null ? null : layers.reduce((sum, { counts }) => sum + (counts[step] ?? 0), 0),
  )
}

/** Its own size; mails show it a little larger, phones smaller, and the words are to be readable there too. */
export const chartSize = { width: 480, height: 200 } as const
const plot = { left: 44, right: 464, top: 42, bottom: 154 } as const
const ink = '#333333'
const faint = '#767676'

/** The chart as an SVG picture with a ground of its own, readable on a light and on a dark page. */
export function chartSvg(chart: Chart): string {
  const totals = totalsOf(chart)
  const largest = Math.max(1, chart.usual ?? 0, ...totals.map((total) => total ?? 0))
  // A bound far above all that happened would press the columns flat.
  const limit = chart.limit !== null && chart.limit <= 3 * largest ? chart.limit : null
  const top = niceCeiling(Math.max(largest, limit ?? 0))
  const y = (value: number) => plot.bottom - (Math.min(value, top) / top) * (plot.bottom - plot.top)
  const width = (plot.right - plot.left) / Math.max(1, totals.length)
  const startMs = chart.endMs - totals.length * chart.stepMs
  const x = (atMs: EpochMs) =>
    plot.left + ((atMs - startMs) / (totals.length * chart.stepMs)) * (plot.right - plot.left)
  const isShown = (atMs: EpochMs) => atMs > startMs && atMs <= chart.endMs
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${chartSize.width}" height="${chartSize.height}" viewBox="0 0 ${chartSize.width} ${chartSize.height}" font-family="DejaVu Sans" font-size="12">`,
    `<rect width="${chartSize.width}" height="${chartSize.height}" rx="4" fill="#ffffff"/>`,
    ...gridOf(top, y),
    ...gapsOf(totals, width),
    ...columnsOf(chart, { y, width }),
    ...hoursOf(chart, startMs, x),
    ...(isShown(chart.sinceMs) ? markOf('since', x(chart.sinceMs), 'end') : []),
    ...(chart.resolvedMs !== null && isShown(chart.resolvedMs) ? markOf('over', x(chart.resolvedMs), 'start') : []),
    ...(chart.usual === null ? [] : levelOf(`usual ${expectation(chart.usual)}`, y(chart.usual), faint)),
    ...(limit === null ? [] : levelOf(`limit ${expectation(limit)}`, y(limit), ink)),
    ...captionOf(chart),
    '</svg>',
  ].join('\n')
}

function columnsOf({ layers }: Chart, { y, width }: { y: (value: number) => number; width: number }): string[] {
  const columns: string[] = []
  const below: number[] = []
  for (const { cause, counts } of layers) {
    counts.forEach((value, step) => {
      if (value === null || value <= 0) return
      const from = below[step] ?? 0
      below[step] = from + value
      const left = plot.left + step * width
      columns.push(
        `<rect x="${dot(left + 0.75)}" y="${dot(y(from + value))}" width="${dot(width - 1.5)}" height="${dot(y(from) - y(from + value))}" fill="${causeColours[cause]}"/>`,
      )
    })
  }
  return columns
}

/** Time without data is a gap that looks like one, not like a time without refusals. */
function gapsOf(totals: readonly (number | null)[], width: number): string[] {
  return totals.flatMap((total, step) =>
    total !== null
      ? []
      : [
          `<rect x="${dot(plot.left + step * width)}" y="${plot.top}" width="${dot(width)}" height="${plot.bottom - plot.top}" fill="#f0f0f0"/>`,
        ],
  )
}

function gridOf(top: number, y: (value: number) => number): string[] {
  const values = top % 2 === 0 ? [0, top / 2, top] : [0, top]
  return values.flatMap((value) => [
    line(plot.left, y(value), plot.right, y(value), '#e0e0e0'),
    words(count(value), { x: plot.left - 6, y: y(value) + 4, anchor: 'end' }),
  ])
}

function hoursOf({ endMs, timezone }: Chart, startMs: EpochMs, x: (atMs: EpochMs) => number): string[] {
  const everyMs = endMs - startMs > hourMs ? 30 * minuteMs : 10 * minuteMs
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, hour: '2-digit', minute: '2-digit' })
  const labels: string[] = []
  for (let atMs = Math.ceil(startMs / everyMs) * everyMs; atMs <= endMs; atMs += everyMs) {
    // A label at the very edge would be cut.
    if (x(atMs) < plot.left + 8 || x(atMs) > plot.right - 4) continue
    labels.push(line(x(atMs), plot.bottom, x(atMs), plot.bottom + 4, '#b0b0b0'))
    labels.push(words(clock.format(atMs), { x: x(atMs), y: plot.bottom + 17, anchor: 'middle' }))
  }
  return labels
}

function levelOf(label: string, y: number, colour: string): string[] {
  return [
    line(plot.left, y, plot.right, y, colour, '5 3'),
    // A white edge keeps the words readable on top of a column.
    `<text x="${plot.left + 4}" y="${dot(y - 4)}" fill="${colour}" stroke="#ffffff" stroke-width="3" paint-order="stroke">${label}</text>`,
  ]
}

/** A moment: its word stands outside of what happened between the two. */
function markOf(word: string, x: number, anchor: 'start' | 'end'): string[] {
  const room = anchor === 'start' && x > plot.right - 30 ? 'end' : anchor
  return [
    line(x, plot.top - 14, x, plot.bottom, ink, '2 2'),
    words(word, { x: room === 'end' ? x - 4 : x + 4, y: plot.top - 6, anchor: room }),
  ]
}

/** What is drawn, the zone of its times, and what the colours mean. */
function captionOf({ stepMs, endMs, timezone, layers }: Chart): string[] {
  const zone = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, timeZoneName: 'short' })
    .formatToParts(endMs)
    .find(({ type }) => type === 'timeZoneName')?.value
  const title = words(`Refused in ${spanText(stepMs)} (${zone ?? timezone})`, { x: 10, y: 18, anchor: 'start' })
  const names = layers.map(({ cause }) => causeName(cause))
  // DejaVu's letters are some 6.9 px wide; where all names together are too long they are written smaller.
  const letters = names.reduce((sum, name) => sum + name.length, 0)
  const letter = Math.min(6.9, (chartSize.width - 20 - names.length * 23) / letters)
  let left = Math.min(plot.left, chartSize.width - 10 - names.length * 23 - letters * letter)
  const legend = names.flatMap((name, place) => {
    const colour = causeColours[layers[place]?.cause ?? 'other']
    const entry = [
      `<rect x="${dot(left)}" y="183" width="9" height="9" fill="${colour}"/>`,
      `<text x="${dot(left + 13)}" y="192" fill="${ink}" font-size="${dot((12 * letter) / 6.9)}">${name}</text>`,
    ]
    left += 23 + name.length * letter
    return entry
  })
  return [title, ...legend]
}

interface Place {
  readonly x: number
  readonly y: number
  readonly anchor: 'start' | 'middle' | 'end'
}

/** Only words and numbers of ours come here, so nothing needs escaping. */
function words(text: string, { x, y, anchor }: Place): string {
  return `<text x="${dot(x)}" y="${dot(y)}" text-anchor="${anchor}" fill="${ink}">${text}</text>`
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, dashes?: string): string {
  return `<line x1="${dot(x1)}" y1="${dot(y1)}" x2="${dot(x2)}" y2="${dot(y2)}" stroke="${colour}"${dashes === undefined ? '' : ` stroke-dasharray="${dashes}"`}/>`
}

/** The next of 1, 2, 4, 6, 8, 10, 20, 40… */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 4, 6, 8, 10].find((step) => step * power >= value) ?? 10)
}

function dot(value: number): string {
  return String(Number(value.toFixed(2)))
}
