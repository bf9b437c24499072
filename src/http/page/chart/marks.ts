import type uPlot from 'uplot'
import type { Theme } from './theme.ts'

/** What a chart looks up whenever it draws; it changes more often than the chart is made. Times in epoch seconds. */
export interface Moment {
  /** The span asked for. */
  readonly span: readonly [number, number]
  /** When alerts fired. */
  readonly marks: readonly number[]
  /** Up to here all input has been counted; later columns still grow. Infinite where nothing does. */
  readonly complete: number
}

/** Columns that still grow are paler, lest their shortness be read as an end of the trouble. */
export function veilIncomplete(made: uPlot, { complete }: Moment, { ground }: Theme): void {
  const { ctx, bbox } = made
  const x = Math.max(made.valToPos(complete, 'x', true), bbox.left)
  const right = bbox.left + bbox.width
  if (!(x < right)) return
  ctx.save()
  ctx.globalAlpha = 0.55
  ctx.fillStyle = ground
  ctx.fillRect(x, bbox.top, right - x, bbox.height)
  ctx.restore()
}

/** Moments closer than so many pixels of the screen are one line with a number. */
const leastApart = 26

/** A dashed line where alerts fired, with how many where several did. */
export function drawMarks(made: uPlot, { marks }: Moment, { ink }: Theme): void {
  const { ctx, bbox } = made
  const scale = devicePixelRatio
  const right = bbox.left + bbox.width
  ctx.save()
  ctx.strokeStyle = ink
  ctx.fillStyle = ink
  ctx.lineWidth = scale
  ctx.font = `${11 * scale}px system-ui, sans-serif`
  ctx.setLineDash([4 * scale, 3 * scale])
  const places = marks.map((mark) => made.valToPos(mark, 'x', true)).filter((x) => x >= bbox.left && x <= right)
  let wordEnds = Number.NEGATIVE_INFINITY
  for (const { at: x, count } of clusters(places, leastApart * scale)) {
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    const word = count === 1 ? ' fired ' : ` ${count} fired `
    const wordWidth = ctx.measureText(word).width
    if (x < wordEnds) continue
    wordEnds = x + wordWidth
    ctx.textAlign = x > right - wordWidth ? 'right' : 'left'
    ctx.fillText(word, x, bbox.top + 10 * scale)
  }
  ctx.restore()
}

/** Puts places together that are closer than `apart` to the first of their cluster. */
export function clusters(places: readonly number[], apart: number): readonly { at: number; count: number }[] {
  const found: { at: number; count: number }[] = []
  for (const place of [...places].sort((a, b) => a - b)) {
    const last = found.at(-1)
    if (last !== undefined && place - last.at < apart) last.count += 1
    else found.push({ at: place, count: 1 })
  }
  return found
}
