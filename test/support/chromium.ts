import { type Browser, chromium, type Page } from 'playwright-core'
import { chromiumPath } from './available.ts'

/**
 * Starts the system's Chromium without a window; nothing is downloaded. It makes no connection of its own, so whatever
 * a page asks for outside the loopback address fails, as it would where there is no network.
 */
export async function startChromium(): Promise<Browser> {
  const executablePath = chromiumPath()
  if (executablePath === null) throw new Error('no chromium on the PATH')
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Every name but localhost is unknown.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  })
}

/**
 * Notes whatever a page complains about, and whatever it asks of others than its own daemon.
 *
 * @param url where the daemon listens, without a path
 */
export function watch(page: Page, url: string): readonly string[] {
  const complaints: string[] = []
  page.on('console', (message) => message.type() !== 'info' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`) && !request.url().startsWith(`blob:${url}/`)) {
      complaints.push(`asked ${request.url()}`)
    }
  })
  return complaints
}
