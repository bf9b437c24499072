import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithChdb, describeWithChromium } from '../support/available.ts'
import { startChromium, watch } from '../support/chromium.ts'
import { builtMain, startTollwatch } from '../support/tollwatch.ts'

/** Pictures to look at; the folder is not kept in git. */
const artifacts = fileURLToPath(new URL('../artifacts/', import.meta.url))

describeWithChdb('The demo', () => {
  describeWithChromium('in a browser', () => {
    test('shows traffic that is labelled as made up within 60 s of the start, and asks nobody else', {
      timeout: 120_000,
    }, async () => {
      await builtMain()
      const browser = await startChromium()
      onTestFinished(() => browser.close())
      const startedAt = performance.now()
      const daemon = await startTollwatch({ args: ['--demo'] })
      onTestFinished(() => void daemon.child.kill())

      const page = await browser.newPage({ viewport: { width: 1_400, height: 1_000 } })
      const complaints = watch(page, daemon.url)
      await page.goto(daemon.url)
      await page.waitForSelector('tbody tr', { timeout: 30_000 })
      expect(performance.now() - startedAt).toBeLessThan(60_000)

      expect(await page.locator('.demo').textContent()).toBe('DEMO DATA')
      expect(await page.title()).toMatch(/demo data$/)
      // Tenant, API, cause with its count, refused of all.
      expect(await page.locator('tbody tr').first().textContent()).toMatch(/^[a-z-]+.*\d+ of [\d,]+/)
      expect(await page.locator('main').textContent()).toMatch(/[\d.,]+k? requests in the last 5 min/)
      await page.waitForSelector('.legend li')
      mkdirSync(artifacts, { recursive: true })
      await page.screenshot({ path: `${artifacts}demo-page.png`, fullPage: true })
      expect(complaints).toEqual([])
      expect((await daemon.stop()).code).toBe(0)
    })
  })
})
