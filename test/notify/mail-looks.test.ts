import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { chartPainter } from '../../src/notify/chart-image.ts'
import { emailHtml } from '../../src/notify/email-html.ts'
import { describeWithChromium } from '../support/available.ts'
import { startChromium } from '../support/chromium.ts'
import { externalCases, operatorCases } from './message-cases.ts'

const cases = { ...operatorCases, ...externalCases }
const paint = chartPainter(silentLog)

describeWithChromium('the mail as a reader sees it', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await startChromium()
  })

  afterAll(() => browser.close())

  const screens = [
    ['dark', 600],
    ['light', 390],
  ] as const

  test.each(screens)(
    'in %s at %i px fits its width, can be read, and has words for every picture',
    async (colorScheme, width) => {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
      for (const [name, message] of Object.entries(cases)) {
        const chart = message.chart === null ? null : await paint(message.chart)
        const html = emailHtml(message, chart === null ? null : 'chart')
        await page.setContent(
          html.replace('cid:chart', `data:image/png;base64,${Buffer.from(chart ?? []).toString('base64')}`),
        )
        await page.evaluate('Promise.all([...document.images].map((one) => one.decode()))')
        const seen: unknown = await page.evaluate(look)
        const wanted = { tooWide: [], pale: [], mute: [], pictures: chart === null ? 0 : 1 }
        expect({ name, seen }).toEqual({ name, seen: wanted })
      }
      await page.close()
    },
  )
})

/** Runs in the page: what sticks out, what has too little contrast (WCAG 2, 4.5), and which pictures say nothing. */
const look = `(() => {
  const luminance = (colour) => {
    const [x, y, z] = colour.slice(0, 3).map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number)
  const probe = document.createElement('div')
  probe.style.background = 'Canvas'
  document.body.append(probe)
  const canvas = numbers(getComputedStyle(probe).backgroundColor)
  probe.remove()
  // The ground behind an element, and how much of its text shows on it.
  const behind = (element) => {
    let opacity = 1
    for (let at = element; at !== null; at = at.parentElement) {
      const style = getComputedStyle(at)
      opacity *= Number(style.opacity)
      const ground = numbers(style.backgroundColor)
      if (ground.length >= 3 && (ground[3] ?? 1) > 0) return { ground, opacity }
    }
    return { ground: canvas, opacity }
  }
  const tooWide = []
  const pale = []
  for (const element of document.querySelectorAll('body *')) {
    const { right, left } = element.getBoundingClientRect()
    if (right > window.innerWidth + 0.5 || left < -0.5) tooWide.push(element.outerHTML.slice(0, 80))
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '')) continue
    const { ground, opacity } = behind(element)
    const text = numbers(getComputedStyle(element).color).map((value, at) => value * opacity + ground[at] * (1 - opacity))
    const [high, low] = [luminance(text), luminance(ground)].sort((a, b) => b - a)
    if (!((high + 0.05) / (low + 0.05) >= 4.5)) pale.push(element.outerHTML.slice(0, 80))
  }
  const pictures = [...document.querySelectorAll('img')]
  const mute = pictures.filter((one) => one.alt.trim() === '' || one.naturalWidth === 0).map((one) => one.outerHTML.slice(0, 80))
  return { tooWide, pale, mute, pictures: pictures.length }
})()`
