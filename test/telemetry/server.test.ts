import { request } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { type MetricsServer, serveMetrics } from '../../src/telemetry/server.ts'

let server: MetricsServer | undefined
afterEach(() => server?.close())

async function start(text: () => Promise<string> = async () => 'up 1\n'): Promise<string> {
  server = await serveMetrics({ text }, { listen: { host: '127.0.0.1', port: 0 }, log: silentLog })
  return server.url
}

test('serves the metrics as Prometheus expects them', async () => {
  const answer = await fetch(await start())
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(await answer.text()).toBe('up 1\n')
})

test('serves nothing else', async () => {
  const url = await start()
  expect((await fetch(new URL('/', url))).status).toBe(404)
  expect((await fetch(url, { method: 'POST' })).status).toBe(405)
})

test('answers 500 when a value cannot be read, and lives on', async () => {
  let broken = true
  const url = await start(async () => {
    if (broken) throw new Error('not now')
    return 'up 1\n'
  })
  expect((await fetch(url)).status).toBe(500)
  broken = false
  expect((await fetch(url)).status).toBe(200)
})

test('refuses a foreign host name on loopback', async () => {
  const url = await start()
  const status = await new Promise((resolve, reject) => {
    request(url, { headers: { host: 'rebound.example' } }, (answer) => resolve(answer.resume().statusCode))
      .on('error', reject)
      .end()
  })
  expect(status).toBe(421)
})

test('names the setting when the address is taken', async () => {
  const port = Number(new URL(await start()).port)
  const second = serveMetrics({ text: async () => '' }, { listen: { host: '127.0.0.1', port }, log: silentLog })
  await expect(second).rejects.toThrow(/telemetry\.listen/)
})
