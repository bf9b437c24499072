import { afterEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { LiveStream, readersPerCaller } from '../../src/http/live-stream.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { type Client, startServer } from './support/client.ts'
import { type EventReader, readEvents } from './support/event-reader.ts'
import { noon, worldAlert, worldView } from './support/world.ts'

const open: EventReader[] = []
let client: Client | undefined
afterEach(async () => {
  for (const reader of open.splice(0)) reader.close()
  await client?.close()
})

async function reader(path: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const one = await readEvents(`${client?.url}${path}`, headers)
  open.push(one)
  return one
}

const kinds = (one: EventReader) => one.events().map(({ event }) => event)

describe('GET /api/v1/stream', () => {
  test('sends live, alerts and status at once, each as its own path answers it', async () => {
    const clock = new ManualClock(noon)
    client = await startServer({ clock })
    const one = await reader('/api/v1/stream?window=5m&sparkline=3')
    await one.until(3)
    expect(one.headers['content-type']).toMatch(/^text\/event-stream/)
    expect(one.headers['content-security-policy']).toMatch(/default-src 'none'/)
    expect(one.text()).toMatch(/^retry: 2000\n\n/)
    expect(kinds(one)).toEqual(['live', 'alerts', 'status'])
    const [live, alerts, status] = one.events()
    expect(live?.data).toEqual((await client.ask('/api/v1/live?window=5m&sparkline=3')).json)
    expect(live?.data.rows[0].sparkline).toHaveLength(3)
    expect(alerts?.data).toEqual((await client.ask('/api/v1/alerts')).json)
    expect(status?.data).toEqual((await client.ask('/api/v1/status')).json)
  })

  test('sends what has changed once a second, and nothing while nothing does', async () => {
    const clock = new ManualClock(noon)
    let alerts = [worldAlert(new ManualClock(noon))]
    const still = worldView(new ManualClock(noon))
    client = await startServer({ clock, alerts: () => alerts, view: () => still, watermarkMs: () => noon })
    const one = await reader('/api/v1/stream')
    await one.until(3)
    await clock.advance(5_000)
    alerts = []
    await clock.advance(1_000)
    await one.until(5)
    // Since when an alert fires stands in the rows too.
    expect(kinds(one).slice(3).sort()).toEqual(['alerts', 'live'])
    expect(one.events().find(({ event }, at) => at > 2 && event === 'alerts')?.data).toEqual({ alerts: [] })
  })

  test('makes what several readers ask for once', async () => {
    const clock = new ManualClock(noon)
    let asked = 0
    const view = () => {
      asked++
      return worldView(new ManualClock(noon))
    }
    client = await startServer({ clock, view })
    for (let at = 0; at < 5; at++) await (await reader('/api/v1/stream?window=1m')).until(3)
    const atOnce = asked
    await clock.advance(1_000)
    expect([atOnce, asked]).toEqual([1, 2])
    await (await reader('/api/v1/stream?window=5m')).until(3)
    expect(asked).toBe(3)
  })

  test('says that it lives when there is nothing else to say', async () => {
    const clock = new ManualClock(noon)
    const still = worldView(new ManualClock(noon))
    client = await startServer({ clock, view: () => still, alerts: () => [], watermarkMs: () => noon })
    const one = await reader('/api/v1/stream')
    await one.until(3)
    await clock.advance(14_000)
    expect(one.text()).not.toContain(': still here')
    await clock.advance(1_000)
    await one.until(1, 'comments')
    await clock.advance(15_000)
    await one.until(2, 'comments')
  })

  test('goes on with the others when one cannot be told', async () => {
    const clock = new ManualClock(noon)
    const said: string[] = []
    const log = { ...silentLog, error: (message: string) => void said.push(message) }
    const alerts = () => {
      throw new Error('broken')
    }
    client = await startServer({ clock, log, alerts })
    const one = await reader('/api/v1/stream')
    await one.until(1)
    expect(kinds(one)).toEqual(['status'])
    expect(said).toEqual(expect.arrayContaining(['the stream cannot tell of alerts']))
  })

  test('ends with the server, and the server with it', async () => {
    client = await startServer({ clock: new ManualClock(noon) })
    const one = await reader('/api/v1/stream')
    await one.until(3)
    await client.close()
    await one.ended
    client = undefined
  })

  test('names a parameter that is wrong before anything is streamed', async () => {
    client = await startServer()
    const { status, json } = await client.ask('/api/v1/stream?window=2h&sparkline=61')
    expect(status).toBe(400)
    expect(json.errors.map((flaw: { parameter: string }) => flaw.parameter)).toEqual(['window', 'sparkline'])
  })

  test('takes so many readers of one caller and no more, and makes room again', async () => {
    client = await startServer({ clock: new ManualClock(noon) }, { reads_per_second: 1_000 })
    for (let at = 0; at < readersPerCaller; at++) await (await reader('/api/v1/stream')).until(1)
    const { status, headers } = await client.ask('/api/v1/stream')
    expect([status, headers['retry-after']]).toEqual([429, '30'])
    open[0]?.close()
    // The server hears of it when its side of the connection is closed.
    let again = 429
    for (let tries = 0; tries < 50 && again === 429; tries++) {
      const next = await reader('/api/v1/stream')
      again = next.status
    }
    expect(again).toBe(200)
  })
})

describe('the stream', () => {
  /** A response that takes nothing after a while, as seen from the server. */
  class Slow {
    writableNeedDrain = false
    readonly written: string[] = []
    destroyed = false
    writeHead(): void {}
    on(): void {}
    end(): void {}
    write(text: string): void {
      this.written.push(text)
    }
    destroy(): void {
      this.destroyed = true
    }
  }

  test('keeps nothing for a slow reader but tells it the newest, and lets go of one that takes nothing', async () => {
    const clock = new ManualClock(noon)
    let count = 0
    const parts = [{ event: 'live', key: 'live', make: () => ({ data: String(count), essence: String(count) }) }]
    const hub = new LiveStream({ clock, log: silentLog })
    const response = new Slow()
    hub.open('anna', parts)(response as never)
    response.writableNeedDrain = true
    for (count = 1; count < 10; count++) await clock.advance(1_000)
    expect(response.written).toEqual(['retry: 2000\n\n', 'event: live\ndata: 0\n\n'])
    response.writableNeedDrain = false
    await clock.advance(1_000)
    expect(response.written.at(-1)).toBe('event: live\ndata: 10\n\n')
    expect(response.written).toHaveLength(3)
    response.writableNeedDrain = true
    await clock.advance(62_000)
    expect(response.destroyed).toBe(true)
    hub.close()
  })
})
