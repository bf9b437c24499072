import { createRequire } from 'node:module'
import { messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import { type Chart, chartSvg } from './chart.ts'

const require = createRequire(import.meta.url)

/** A chart as a PNG file, or null where it cannot be drawn: a message never fails for its picture. */
export type PaintChart = (chart: Chart) => Promise<Uint8Array | null>

/** In dots: twice the CSS pixels that a mail gives it, for sharp text on phones. */
export const pictureWidth = 1_136

/**
 * Paints with resvg, which is loaded with the first chart: a daemon without charts runs without it. The font comes from
 * a package, since a machine without fonts would leave all words out in silence.
 */
export function chartPainter(log: Log): PaintChart {
  let told = false
  return async (chart) => {
    try {
      const { renderAsync } = await import('@resvg/resvg-js')
      const font = require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf')
      const image = await renderAsync(chartSvg(chart), {
        font: { loadSystemFonts: false, fontFiles: [font], defaultFontFamily: 'DejaVu Sans' },
        fitTo: { mode: 'width', value: pictureWidth },
        logLevel: 'off',
      })
      return image.asPng()
    } catch (error) {
      // Once is enough: what is missing stays missing until somebody installs it.
      if (!told) log.warn('charts cannot be drawn, messages go without them', { error: messageOf(error) })
      told = true
      return null
    }
  }
}
