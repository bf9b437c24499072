import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWithChdb, describeWithChromium } from '../support/available.ts'
import { startChromium, watch } from '../support/chromium.ts'
import { waitFor } from '../support/process.ts'
import { builtMain, type Daemon } from '../support/tollwatch.ts'
import { push, recordOf, startWorld } from './page-world.ts'

/** Pictures to look at; the folder is not kept in git. `TOLLWATCH_DOCS_IMAGES=yes` writes those of the docs as well. */
const artifacts = fileURLToPath(new URL('../artifacts/page/', import.meta.url))
const docsImages = fileURLToPath(new URL('../../docs/images/', import.meta.url))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const views = [
  ['now', '/'],
  ['tenant', '/?tenant=acme'],
  ['trends', '/?view=trends&range=3h'],
  ['alerts', '/?view=alerts'],
  ['history', '/?view=alerts&tab=history'],
  ['rules', '/?view=rules'],
  ['health', '/?view=health'],
] as const

describeWithChdb('The page of a daemon with traffic', () => {
  describeWithChromium('in a browser', () => {
    let daemon: Daemon
    let browser: Browser
    let page: Page
    let complaints: readonly string[]
    beforeAll(async () => {
      await builtMain()
      mkdirSync(artifacts, { recursive: true })
      ;[daemon, browser] = await Promise.all([startWorld(), startChromium()])
    })
    afterAll(async () => {
      await browser?.close()
      await daemon?.stop()
    })
    afterEach(async () => {
      expect(complaints).toEqual([])
      await page.context().close()
    })

    async function open(path: string, options: { dark?: boolean; width?: number } = {}): Promise<void> {
      const context = await browser.newContext({
        viewport: { width: options.width ?? 1_400, height: 900 },
        colorScheme: options.dark === true ? 'dark' : 'light',
        permissions: ['clipboard-read', 'clipboard-write'],
      })
      page = await context.newPage()
      complaints = watch(page, daemon.url)
      await page.goto(daemon.url + path)
      await page.waitForSelector('main section')
      await page.waitForSelector('[aria-busy]', { state: 'detached' })
    }

    const textOf = async (selector: string) => (await page.locator(selector).first().textContent()) ?? ''
    /** Charts are drawn anew in the frame after the screen has changed. */
    const drawn = () => page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
    const clipboard = () => page.evaluate<string>('navigator.clipboard.readText()')
    /** What a click on a button saves. */
    async function saved(name: string): Promise<string> {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
      return readFileSync(await download.path(), 'utf8')
    }

    test('leads in three clicks from the alert to the cause, what to do, and a silence', async () => {
      await open('/')
      const alert = page.locator('.alert', { hasText: 'page' }).first()
      await alert.waitFor()
      expect(await alert.textContent()).toMatch(/acme is refused on chat/)

      await alert.getByRole('link', { name: 'all about it, and what to do' }).click()
      await page.waitForSelector('.events tbody tr')
      expect(await textOf('#tenant')).toBe('Acme Instruments Ltd acme')
      expect(await textOf('.advice')).toMatch(/Quota exceeded:.*raise the limit/)
      expect(await textOf('[aria-labelledby=contact]')).toContain('accounts@acme.example.com')
      expect(await textOf('[aria-labelledby=quotas]')).toMatch(/chat per month: 4,760 of 5,000 \(95 %\)/)
      await page.getByText('the whole runbook').first().click()
      await page.getByRole('heading', { name: 'What to tell the tenant' }).waitFor()

      await page.getByRole('button', { name: 'silence this tenant' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Why').fill('They were told; more quota comes at noon')
      await dialog.getByLabel('Your name').fill('Mara')
      expect(await dialog.textContent()).toMatch(/Mutes all of \d+ active alerts/)
      await dialog.getByRole('button', { name: 'Silence', exact: true }).click()
      await page.locator('.alert.silenced').first().waitFor()
      expect(await textOf('.alert.silenced')).toMatch(/silenced until .*: They were told/)
      const { silences } = await daemon.get<{ silences: readonly object[] }>('/api/v1/silences')
      expect(silences).toMatchObject([{ matchers: ['tenant="acme"'], created_by: 'Mara', state: 'active' }])
    })

    test('shows why an alert fired and who was told, and ends a silence', async () => {
      await open('/?view=alerts')
      const fired = page.locator('.alert', { hasText: 'page' }).first()
      await fired.getByRole('link', { name: 'why it fired' }).click()
      await page.waitForSelector('.chart canvas')
      await page.waitForSelector('.reasons li')
      expect(await textOf('#alert')).toBe('TooManyRefused')
      expect(await textOf('[aria-labelledby=course] .legend')).toMatch(/observed: quota exceeded.*threshold/)
      expect(await textOf('[aria-labelledby=why]')).toMatch(/log/)
      await page.screenshot({ path: `${artifacts}alert.png`, fullPage: true })

      await page.getByRole('link', { name: '← all alerts' }).click()
      await page.getByRole('button', { name: 'silences' }).click()
      await page.getByRole('row', { name: /Mara/ }).getByRole('button', { name: 'end now' }).click()
      await page.getByRole('row', { name: /^expired/ }).waitFor()
      await page.getByRole('button', { name: 'history' }).click()
      await page.waitForSelector('.timeline svg rect')
      expect(await saved('save as CSV')).toMatch(
        /^rule,severity,tenant.*\r\nTooManyRefused,page,acme,chat,quota_exceeded/,
      )
    })

    test('explores history, and gives it away as CSV, command and SQL', async () => {
      await open('/?view=trends')
      await page.getByRole('button', { name: 'tenant', exact: true }).click()
      await page.getByLabel('compare with the week before').check()
      await page.getByRole('columnheader', { name: 'The week before' }).waitFor()
      await page.getByRole('row', { name: /globex/ }).waitFor()
      const rows = (await saved('export as CSV')).trim().split('\r\n').slice(1)
      const refused = rows.filter((row) => row.split(',')[1] === 'acme').map((row) => Number(row.split(',')[3]))
      const { rows: asked } = await daemon.get<{ rows: readonly { payment_required: number }[] }>(
        '/api/v1/summary?from=-3h&tenant=acme',
      )
      expect(refused.reduce((sum, one) => sum + one, 0)).toBe(asked[0]?.payment_required)

      await page.getByRole('button', { name: 'copy as command' }).click()
      expect(await clipboard()).toBe(`tollwatch query trends --from -3h --by tenant --url ${daemon.url}`)
      await page.getByRole('button', { name: 'copy as SQL' }).click()
      expect(await clipboard()).toMatch(/FROM tollwatch\.rollup_1m/)

      await page.getByRole('row', { name: /acme/ }).getByRole('link', { name: 'acme' }).click()
      await page.getByRole('button', { name: 'Drop the filter tenant acme' }).waitFor()
      await page.getByLabel('Cause', { exact: true }).selectOption('quota_exceeded')
      await page.getByRole('button', { name: 'cause', exact: true }).click()
      await page.locator('.totals tbody tr', { hasText: 'quota exceeded' }).waitFor()
      expect(await page.locator('.totals tbody tr').count()).toBe(1)
    })

    test('looks closer where somebody drags over a chart, and comes back', async () => {
      await open('/?view=trends')
      const chart = page.locator('.chart .u-over')
      await chart.waitFor()
      const box = await chart.boundingBox()
      if (box === null) throw new Error('the chart has no place')
      await page.mouse.move(box.x + box.width * 0.5, box.y + 50)
      await page.mouse.down()
      await page.mouse.move(box.x + box.width * 0.8, box.y + 60, { steps: 5 })
      await page.mouse.up()
      await page.getByRole('button', { name: /^Drop the filter span/ }).waitFor()
      const { searchParams } = new URL(page.url())
      const length = Date.parse(searchParams.get('to') ?? '') - Date.parse(searchParams.get('from') ?? '')
      expect(length).toBeGreaterThan(1_800_000)
      expect(length).toBeLessThan(5_400_000)
      await chart.dblclick()
      await page.getByRole('button', { name: /^Drop the filter span/ }).waitFor({ state: 'detached' })
    })

    test('tries a rule against history, and what the reader makes of it', async () => {
      await open('/?view=rules')
      await page.getByRole('link', { name: 'TooManyRefused' }).click()
      await page.getByRole('button', { name: '6h' }).click()
      await page.getByRole('button', { name: 'Try against history' }).click()
      await page.getByText('Would have fired once').waitFor({ timeout: 25_000 })
      expect(await textOf('table tbody tr')).toMatch(/^acme · chat · quota exceeded/)
      await page.screenshot({ path: `${artifacts}rule.png`, fullPage: true })

      await page.getByRole('button', { name: 'Change it and try' }).click()
      const text = page.locator('textarea.code')
      await text.fill((await text.inputValue()).replace('above: 0.2', 'above: 0.9'))
      await page.getByRole('button', { name: 'Try my version' }).click()
      await page.getByText('Would have fired 0 times').waitFor({ timeout: 25_000 })
      await text.fill('version: 1\ngroups: 7')
      await page.getByRole('button', { name: 'Try my version' }).click()
      await page.getByText('It could not be tried: yaml').waitFor()
      // The browser itself notes an answer of 400.
      expect(complaints.filter((one) => !one.includes('400 (Bad Request)'))).toEqual([])
      complaints = []
    })

    test('says whether Tollwatch can be believed: history verified, and what could not be read', async () => {
      await open('/?view=health')
      await page.getByRole('button', { name: 'Verify now' }).click()
      await page.getByText('Whole: no gap and no overlap').waitFor({ timeout: 20_000 })
      expect(await textOf('.sketch')).toMatch(/\S/)
      expect(await textOf('[aria-labelledby=dead]')).toMatch(/1 in the last hour: /)
      expect(await textOf('[aria-labelledby=audit]')).toMatch(/silence/)
    })

    test.each(views)('%s can be read by everybody, in light and dark, wide and narrow', async (name, path) => {
      await open(path)
      for (const mode of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: mode })
        await page.evaluate(axe)
        const findings = await page.evaluate<readonly string[]>(
          `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations
            .filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => [id, target, failureSummary].join(' '))))`,
        )
        expect(findings).toEqual([])
        await page.screenshot({ path: `${artifacts}${name}-${mode}.png`, fullPage: true })
      }
      if (process.env['TOLLWATCH_DOCS_IMAGES'] !== undefined) {
        await page.emulateMedia({ colorScheme: 'light' })
        await page.setViewportSize({ width: 1_200, height: 900 })
        await drawn()
        await page.screenshot({ path: `${docsImages}page-${name}.png` })
      }
      await page.setViewportSize({ width: 360, height: 800 })
      await drawn()
      await page.screenshot({ path: `${artifacts}${name}-narrow.png`, fullPage: true })
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(360)
    })

    test('is there at once with 10,000 tenants, and shows a record as it arrives', async () => {
      const at = Date.now()
      const records = Array.from({ length: 10_000 }, (_, i) =>
        recordOf({ tenant: `tenant-${i}`, api: 'chat', at, status: i % 10 === 0 ? 402 : 200 }),
      )
      await push(daemon, records)
      await waitFor('all of them to be counted', async () => {
        const { series } = await daemon.get<{ series: number }>('/api/v1/live?limit=1')
        return series > 10_000
      })
      await open('/?view=rules')
      await page.goto(daemon.url)
      await page.waitForSelector('table.cards tbody tr')
      // From the beginning of the navigation to the table, by the browser's own clock.
      const usableMs = await page.evaluate<number>('performance.now()')
      expect(await page.locator('table.cards tbody tr').count()).toBeLessThanOrEqual(50)
      expect(await textOf('[aria-labelledby=who]')).toMatch(/The worst 50 of 10,00\d series/)

      await page.getByRole('searchbox').fill('late-comer')
      await page.getByText('No refused tenant, API or cause matches').waitFor()
      const pushedAt = performance.now()
      const now = Date.now()
      await push(
        daemon,
        Array.from({ length: 40 }, (_, i) => recordOf({ tenant: 'late-comer', api: 'chat', at: now + i })),
      )
      await page.getByRole('link', { name: 'late-comer' }).first().waitFor()
      const seenMs = performance.now() - pushedAt
      console.log(
        `first usable view with 10,000 tenants after ${Math.round(usableMs)} ms, a record after ${Math.round(seenMs)} ms`,
      )
      // A busy machine is no failure; a page that does not scale is.
      expect(usableMs).toBeLessThan(10_000)
      expect(seenMs).toBeLessThan(10_000)
    })
  })
})
