import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Fault } from '../../../src/fault/fault.ts'
import type { HttpDeps } from '../../../src/http/deps.ts'
import { loadPage, type PageFile } from '../../../src/http/page-files.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { describeWithChromium } from '../../support/available.ts'
import { startChromium, watch } from '../../support/chromium.ts'
import { tempDir } from '../../support/run-context.ts'
import { type Client, startServer } from '../support/client.ts'
import { manyAlerts, worldDeps } from '../support/world.ts'

const configFile = fileURLToPath(new URL('../../../scripts/page.vite.config.ts', import.meta.url))

describeWithChromium('the page', () => {
  let files: ReadonlyMap<string, PageFile>
  let browser: Browser
  let client: Client | undefined
  let opened: Page | undefined
  beforeAll(async () => {
    const outDir = tempDir('page')
    await build({ configFile, logLevel: 'error', build: { outDir, emptyOutDir: true } })
    files = loadPage([outDir])
    browser = await startChromium()
  })
  afterAll(() => browser?.close())
  afterEach(async () => {
    await opened?.close()
    await client?.close()
  })

  /** Opens the page and notes whatever it complains about and whatever it asks elsewhere. */
  async function open(
    replace: Partial<HttpDeps> = {},
    options: { path?: string; width?: number; settings?: Record<string, unknown> } = {},
  ): Promise<{ page: Page; complaints: readonly string[] }> {
    client = await startServer({ clock: systemClock, ...replace }, options.settings, files)
    const { url } = client
    const page = await browser.newPage({ viewport: { width: options.width ?? 1_400, height: 900 } })
    opened = page
    const complaints = watch(page, url)
    await page.goto(url + (options.path ?? '/'))
    return { page, complaints }
  }

  /** How many points of the chart are painted. Code for the browser is text: this program knows no document. */
  const painted = (page: Page) =>
    page.evaluate<number>(`{
      const canvas = document.querySelector('canvas')
      const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
      pixels.filter((value, i) => i % 4 === 3 && value > 0).length
    }`)

  const textOf = async (page: Page, selector: string) => (await page.locator(selector).first().textContent()) ?? ''

  test('tells what is wrong, who is refused and why, and since when', async () => {
    const { page, complaints } = await open()
    await page.waitForSelector('.legend li')
    const text = await textOf(page, 'main')
    expect(text).toMatch(/● page acme is refused on chat: quota exceeded\. 27× normal since .*\(42 min\)/)
    expect(await textOf(page, '.demo')).toBe('DEMO DATA')
    const first = await textOf(page, 'tbody tr:first-child')
    expect(first).toMatch(/^Acme Instruments Ltdchatquota exceeded \d+/)
    expect(first).toMatch(/\d+ of [\d,]+/)
    expect(await page.locator('tbody tr').count()).toBe(7)
    expect(await painted(page)).toBeGreaterThan(10_000)
    expect(await page.getAttribute('.chart', 'aria-label')).toMatch(/refused in 3 h/)
    expect(await page.title()).toBe('(1) Tollwatch – demo data')
    expect(complaints).toEqual([])
  })

  test('is calm when no alert fires, and says what that is based on', async () => {
    const { page } = await open({ alerts: () => [], demo: false })
    await page.waitForSelector('.calm')
    expect(await textOf(page, '.calm')).toMatch(
      /Nothing unusual; [\d,.]+ requests in the last 5 min, \d\.\d+ % refused\./,
    )
    expect(await page.locator('.demo').count()).toBe(0)
  })

  test('shows the first six of many alerts, and the others when asked', async () => {
    const alerts = manyAlerts(systemClock, 52).slice(0, 51)
    const { page, complaints } = await open({ alerts: () => alerts })
    await page.waitForSelector('.alert')
    expect(await page.locator('.alert').count()).toBe(6)
    expect(await textOf(page, '.more')).toBe('and 45 more: show all')
    await page.getByRole('button', { name: 'show all' }).focus()
    await page.keyboard.press('Enter')
    expect(await page.locator('.alert').count()).toBe(51)
    await page.keyboard.press('Enter')
    expect(await page.locator('.alert').count()).toBe(6)
    expect(await page.title()).toContain('(51)')
    expect(complaints).toEqual([])
  })

  test('shows one incident of many tenants as one sentence, with the tenants behind a click', async () => {
    const alerts = manyAlerts(systemClock, 52)
    const { page } = await open({ alerts: () => alerts })
    await page.waitForSelector('.alert')
    expect(await page.locator('.alert').count()).toBe(1)
    expect(await textOf(page, '.alert')).toMatch(/14 tenants are refused/)
    await page.getByText('51 alerts about single tenants say the same').click()
    expect(await page.locator('.parts li').count()).toBe(51)
  })

  test('says how to begin before there is any traffic', async () => {
    const { page, complaints } = await open({ alerts: () => [], view: () => null, watermarkMs: () => null })
    await page.waitForSelector('.calm')
    expect(await textOf(page, '.calm')).toMatch(/Kafka, a file or POST/)
    expect(await textOf(page, 'header')).toContain('waiting for the first record')
    expect(complaints).toEqual([])
  })

  test('keeps window, range, choice and order in the URL, from view to view', async () => {
    const { page, complaints } = await open()
    await page.waitForSelector('.legend li')
    await page.getByRole('button', { name: '15m' }).first().click()
    await page.getByRole('button', { name: '24h' }).click()
    await page.getByRole('button', { name: 'Tenant' }).click()
    await page
      .getByRole('row', { name: /borealis-foods/ })
      .getByRole('link', { name: 'orders' })
      .click()
    await page.waitForSelector('.events tbody tr')
    const parameters = () => Object.fromEntries(new URL(page.url()).searchParams)
    const carried = { window: '15m', range: '24h', tenant: 'borealis-foods', api: 'orders' }
    expect(parameters()).toEqual(carried)
    await page.reload()
    await page.waitForSelector('.events tbody tr')
    expect(await textOf(page, '#events')).toBe('Latest refusals of borealis-foods / orders')
    expect(await textOf(page, '.legend')).not.toMatch(/quota/)
    await page.getByRole('navigation').getByRole('link', { name: 'Trends' }).click()
    await page.waitForSelector('.totals')
    expect(parameters()).toEqual({ ...carried, view: 'trends' })
    await page.goBack()
    await page.goBack()
    await page.waitForSelector('#who')
    expect(parameters()).toEqual({ window: '15m', range: '24h', sort: '+tenant' })
    expect(complaints).toEqual([])
  })

  test('can be used from the keyboard', async () => {
    const { page } = await open()
    await page.waitForSelector('tbody tr')
    await page.keyboard.press('/')
    await page.keyboard.type('subscription')
    await expect.poll(() => page.locator('table.cards tbody tr').count()).toBe(1)
    expect(await textOf(page, 'tbody')).toContain('dunlin')
    await page.keyboard.press('Tab')
    await page.keyboard.press('?')
    expect(await page.locator('dialog[open]').count()).toBe(1)
    await page.keyboard.press('Escape')
    for (const [key, title] of [
      ['a', 'Alerts'],
      ['r', 'Trends'],
      ['u', 'Rules'],
      ['h', 'Health'],
      ['t', 'Tenant'],
      ['n', 'Now'],
    ] as const) {
      await page.keyboard.press('g')
      await page.keyboard.press(key)
      await page.waitForSelector('#view:focus', { state: 'attached' })
      expect(await textOf(page, '#view')).toBe(title)
      expect(await textOf(page, 'nav [aria-current]')).toContain(title)
    }
  })

  test('calls tenants by their names, with the id on hover, and finds them by both', async () => {
    const { page, complaints } = await open({}, { path: '/?tenant=acme' })
    await page.waitForSelector('.events tbody tr')
    const name = 'Acme Instruments Ltd'
    expect(await textOf(page, '#tenant')).toBe(`${name} acme`)
    expect(await textOf(page, '#events')).toBe(`Latest refusals of ${name}`)
    await page.locator('.filter', { hasText: name }).waitFor()
    await page.goto(`${client?.url}/`)
    await page.waitForSelector('tbody tr')
    expect(await textOf(page, 'tbody th')).toBe(name)
    expect(await page.getAttribute('tbody th bdi', 'title')).toBe('acme')
    expect(await textOf(page, '.facts')).toMatch(name)
    for (const words of ['instruments', 'acme']) {
      await page.getByRole('searchbox').fill(words)
      await expect.poll(() => page.locator('table.cards tbody tr').count()).toBe(1)
      expect(await textOf(page, 'tbody th')).toBe(name)
    }
    expect(complaints).toEqual([])
  })

  test('writes the ids out where two tenants have the same name', async () => {
    const find = (id: string) => ({ id, name: 'Twin Traders', plan: null, timezone: null, contacts: new Map() })
    const { page } = await open({ tenants: { find } })
    await page.waitForSelector('tbody tr')
    expect(await textOf(page, 'tbody th')).toBe('Twin Traders acme')
  })

  test('shows the last numbers and says so when the daemon stops answering', async () => {
    const { page } = await open()
    await page.waitForSelector('tbody tr')
    await client?.close()
    client = undefined
    await page.waitForSelector('.trouble', { timeout: 10_000 })
    expect(await textOf(page, '.trouble')).toMatch(/does not answer\. .*The numbers below are those of/)
    expect(await page.locator('tbody tr').count()).toBe(7)
    expect(await textOf(page, '.fresh')).toBe('✕ stopped: no answer')
  })

  test('asks again and again where no stream can be had, and says so', async () => {
    client = await startServer({ clock: systemClock }, {}, files)
    const page = await browser.newPage()
    opened = page
    await page.route('**/api/v1/stream**', (route) => route.fulfill({ status: 503, body: '{}' }))
    await page.goto(client.url)
    await page.waitForSelector('tbody tr')
    await page.waitForSelector('.pulse.slow')
    expect(await textOf(page, '.fresh')).toMatch(/^every 2 s to /)
  })

  test('goes on from memory while history is away', async () => {
    const away = async () => {
      throw new Fault('store-unreachable', 'ClickHouse does not answer.', { retryable: true })
    }
    const { page } = await open({ queries: { ...worldDeps().queries, trends: away } })
    await page.waitForSelector('.trouble')
    expect(await textOf(page, '.trouble')).toBe(
      'History cannot be asked: ClickHouse does not answer. What comes from memory goes on; history answers again when its store does.',
    )
    expect(await page.locator('tbody tr').count()).toBe(7)
  })

  test('shows names as text, whatever they hold', async () => {
    const tenant = '<img src=x onerror="document.title=1">'
    const totals = [
      { tenant, api: 'a', requests: 9, paymentRequired: 9, causes: [{ cause: 'unknown' as const, count: 9 }] },
    ]
    const view = { endMs: 10_000, headMs: 10_000, oldestMs: 0, totals: () => totals }
    const name = '<b onmouseover="document.title=2">Bold</b>'
    for (const known of [null, name]) {
      const find = (id: string) => ({ id, name: known, plan: null, timezone: null, contacts: new Map() })
      const { page } = await open({ view: () => view, alerts: () => [], tenants: { find } })
      await page.waitForSelector('tbody tr')
      expect(await textOf(page, 'tbody th')).toBe(known ?? tenant)
      expect(await page.locator('tbody img, tbody th b').count()).toBe(0)
      await page.close()
      await client?.close()
    }
  })

  test('asks for the token of a daemon that wants one', async () => {
    const token = 'a-token-of-many-letters'
    const { page } = await open({}, { settings: { token } })
    await page.getByLabel('Token').fill(token)
    await page.getByRole('button', { name: 'Show the page' }).click()
    await page.waitForSelector('tbody tr')
    expect(page.url()).not.toContain(token)
  })

  test('shows a token of one tenant that tenant alone', async () => {
    const tokens = [{ name: 'shop', token: 'a-token-of-many-letters', scopes: ['tenant:acme'] }]
    const { page } = await open({}, { settings: { tokens } })
    await page.getByLabel('Token').fill('a-token-of-many-letters')
    await page.getByRole('button', { name: 'Show the page' }).click()
    await page.waitForSelector('.events tbody tr')
    expect(new URL(page.url()).searchParams.get('tenant')).toBe('acme')
    expect(await page.getByRole('navigation').getByRole('link').allTextContents()).toEqual([
      'Now',
      'Tenant',
      'Trends',
      expect.stringMatching(/^Alerts/),
    ])
    expect(await page.locator('.trouble').count()).toBe(0)
    expect(await textOf(page, '.fresh')).toMatch(/^live to /)
  })

  test.each(['/', '/?tenant=acme', '/?view=trends', '/?view=alerts', '/?view=rules', '/?view=health'])(
    '%s fits a phone, a screen at twice the zoom and a wide one',
    async (path) => {
      const { page, complaints } = await open({}, { path })
      await page.waitForSelector('main section')
      await page.waitForSelector('[aria-busy]', { state: 'detached' })
      for (const width of [360, 700, 1_400, 3_840]) {
        await page.setViewportSize({ width, height: 900 })
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
      }
      expect(complaints).toEqual([])
    },
  )
})
