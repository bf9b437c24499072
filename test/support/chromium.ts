import { type Browser, chromium } from 'playwright-core'
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
