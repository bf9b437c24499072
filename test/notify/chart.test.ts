import { inflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { causeColours } from '../../src/classify/cause-colours.ts'
import { colourOf } from '../../src/http/page/causes.ts'
import { type Chart, chartAlt, chartOf, chartSize, chartSvg } from '../../src/notify/chart.ts'
import { chartPainter, pictureWidth } from '../../src/notify/chart-image.ts'
import { operatorCases, spike, trend } from './message-cases.ts'
import { eleven, minute } from './sample.ts'

const chart: Chart = {
  endMs: eleven,
  stepMs: 5 * minute,
  layers: [
    { cause: 'quota_exceeded', counts: [1, null, 4, 60] },
    { cause: 'unknown', counts: [1, null, 0, 2] },
  ],
  usual: 2.2,
  limit: null,
  sinceMs: eleven - 3 * minute,
  resolvedMs: null,
  timezone: 'UTC',
}

const columns = (svg: string, colour: string) =>
  [...svg.matchAll(new RegExp(`<rect [^>]*fill="${colour}"/>`, 'g'))].length
const height = (svg: string, colour: string) =>
  [...svg.matchAll(new RegExp(`height="([\\d.]+)" fill="${colour}"`, 'g'))].map(([, text]) => Number(text))

describe('a chart', () => {
  test('has a column for each count above zero, as tall as it is large, on top of each other', () => {
    const svg = chartSvg(chart)
    // One more for the legend.
    expect(columns(svg, causeColours.quota_exceeded)).toBe(3 + 1)
    expect(columns(svg, causeColours.unknown)).toBe(2 + 1)
    const [first = 0, , last = 0] = height(svg, causeColours.quota_exceeded)
    expect(last / first).toBeCloseTo(60, 0)
  })

  test('shows a time without data as a gap, and the moment it began', () => {
    expect(columns(chartSvg(chart), '#f0f0f0')).toBe(1)
    expect(chartSvg(chart)).toContain('>since</text>')
    expect(chartSvg({ ...chart, resolvedMs: eleven - minute })).toContain('>over</text>')
    expect(chartSvg({ ...chart, sinceMs: 0 })).not.toContain('>since</text>')
  })

  test('leaves a bound out that would press everything flat, and draws any other', () => {
    expect(chartSvg({ ...chart, limit: 500 })).not.toContain('limit')
    expect(chartSvg({ ...chart, limit: 100 })).toContain('>limit 100</text>')
  })

  test('says the same in words', () => {
    expect(chartAlt(chart)).toBe(
      'Refused calls in steps of 5 min over the 20 min to 11:04 UTC: 62 in the last step, 62 at most, usually 2.2',
    )
  })

  test('holds no name out of a log', () => {
    const made = operatorCases.hostile.chart ?? chartOf({ ...spike, labels: { tenant: '<b>"' } }, trend(), 'UTC')
    expect(made === null ? '' : JSON.stringify(made) + chartSvg(made)).toMatch(/quota_exceeded/)
    expect(JSON.stringify(made)).not.toContain('<b>')
  })

  test('puts what one would not tell apart into one layer', () => {
    expect(operatorCases.fleet.chart?.layers.map(({ cause }) => cause)).toEqual([
      'payment_gateway_error',
      'insufficient_funds',
      'quota_exceeded',
      'other',
    ])
  })

  test('is scaled to the step: what is usual in the window is usual in the step', () => {
    const hourly = { ...spike, numbers: { ...spike.numbers, windowMs: 60 * minute, expected: 24 } }
    expect(chartOf(hourly, trend(), 'UTC')?.usual).toBeCloseTo(2)
    expect(chartOf({ ...hourly, numbers: { ...hourly.numbers, windowMs: 0 } }, trend(), 'UTC')).toBeNull()
    expect(chartOf(hourly, null, 'UTC')).toBeNull()
  })

  test('has the colours of the page', () => {
    const { other, ...causes } = causeColours
    for (const [cause, colour] of Object.entries(causes))
      expect(colourOf(cause).toLowerCase()).toBe(colour.toLowerCase())
    expect(colourOf('__other__').toLowerCase()).toBe(other)
  })
})

describe('its picture', () => {
  test('is a sharp PNG with its words in it', async () => {
    const warnings: string[] = []
    const paint = chartPainter({ ...console, warn: (text: string) => void warnings.push(text) })
    const png = Buffer.from((await paint(chart)) ?? [])
    expect(warnings).toEqual([])
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([
      pictureWidth,
      Math.round((pictureWidth * chartSize.height) / chartSize.width),
    ])
    // Without a font all words are missing, and nothing says so: the place of the title must not be white only.
    expect(darkDots(png, { left: 20, top: 20, right: 300, bottom: 46 })).toBeGreaterThan(300)
    expect(darkDots(png, { left: 600, top: 20, right: 900, bottom: 46 })).toBe(0)
  })

  test('that cannot be painted is told once and is no error', async () => {
    const warnings: string[] = []
    const paint = chartPainter({ ...console, warn: (text: string) => void warnings.push(text) })
    const broken = { ...chart, timezone: 'Nowhere/Land' }
    expect([await paint(broken), await paint(broken)]).toEqual([null, null])
    expect(warnings).toEqual(['charts cannot be drawn, messages go without them'])
  })
})

/** Counts dark dots of a PNG with 8 bits for each of red, green, blue and alpha; places are in dots. */
function darkDots(png: Buffer, place: { left: number; top: number; right: number; bottom: number }): number {
  const parts: Buffer[] = []
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  }
  const raw = inflateSync(Buffer.concat(parts))
  const width = png.readUInt32BE(16) * 4
  const rows: Uint8Array[] = []
  for (let row = 0; row < png.readUInt32BE(20); row++) {
    const from = row * (width + 1)
    rows.push(
      unfiltered(raw[from] ?? 0, raw.subarray(from + 1, from + 1 + width), rows[row - 1] ?? new Uint8Array(width)),
    )
  }
  let dark = 0
  for (let y = place.top; y < place.bottom; y++)
    for (let x = place.left; x < place.right; x++) if ((rows[y]?.[x * 4] ?? 255) < 128) dark++
  return dark
}

/** Undoes the filter of one row (PNG specification, section 9). */
function unfiltered(kind: number, row: Uint8Array, above: Uint8Array): Uint8Array {
  const line = new Uint8Array(row.length)
  row.forEach((value, at) => {
    const left = line[at - 4] ?? 0
    const up = above[at] ?? 0
    const corner = above[at - 4] ?? 0
    line[at] = value + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][kind]!
  })
  return line
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}
