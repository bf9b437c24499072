/**
 * What all test files of a run share. Nothing is started here: a desk on the loopback address starts the one Kafka
 * broker, or builds the daemon, when the first test file asks for it, so a run of unit tests stays quick.
 */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { type Kafka, startKafka } from './kafka.ts'
import { run } from './process.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const root = mkdtempSync(join(tmpdir(), 'tollwatch-run-'))
  let kafka: Promise<Kafka> | null = null
  let dist: Promise<string> | null = null

  async function make(what: string): Promise<string> {
    if (what === '/dist') {
      dist ??= build()
      return dist
    }
    if (what !== '/kafka') throw new Error(`nothing is known as ${what}`)
    kafka ??= startKafka({ dir: join(root, 'kafka') })
    return (await kafka).brokers
  }

  const desk = createServer((request, response) => {
    make(request.url ?? '').then(
      (answer) => response.end(answer),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    )
  })
  // The build and a first download of Kafka take longer than the default of five minutes may allow on a slow line.
  desk.requestTimeout = 0
  desk.listen(0, '127.0.0.1')
  await once(desk, 'listening')
  const address = desk.address()
  if (address === null || typeof address === 'string') throw new Error('the desk has no port')
  mkdirSync(join(root, 'kafka'), { recursive: true })
  provide('supportDesk', `http://127.0.0.1:${address.port}`)
  provide('supportRoot', root)

  return async () => {
    desk.close()
    desk.closeAllConnections()
    await (await kafka?.catch(() => null))?.stop()
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Builds the daemon, so that process tests never run yesterday's code. */
async function build(): Promise<string> {
  const { code, stdout, stderr } = await run('npm', ['run', '--silent', 'build'], { cwd: project })
  if (code !== 0) throw new Error(`npm run build failed:\n${stdout}${stderr}`)
  return join(project, 'dist', 'main.js')
}
