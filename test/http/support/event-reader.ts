import { type ClientRequest, request } from 'node:http'

/** One event as it came over the wire. */
export interface ReadEvent {
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  readonly data: any
}

/** A reader of server-sent events. */
export interface EventReader {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Everything that came so far. */
  text(): string
  events(): readonly ReadEvent[]
  /** Resolves once so many events, or comments, have come in all. */
  until(count: number, of?: 'events' | 'comments'): Promise<void>
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>
  close(): void
}

export function readEvents(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  return new Promise((resolve, reject) => {
    let text = ''
    const waiting: { check: () => boolean; done: () => void }[] = []
    const events = () =>
      [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, event = '', data = '']) => ({
        event,
        data: JSON.parse(data),
      }))
    const comments = () => text.match(/^: .*\n\n/gm)?.length ?? 0
    const asked: ClientRequest = request(url, { headers, agent: false }, (response) => {
      let end = (): void => {}
      const ended = new Promise<void>((done) => {
        end = done
      })
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        for (const one of waiting.filter(({ check }) => check())) {
          waiting.splice(waiting.indexOf(one), 1)
          one.done()
        }
      })
      response.on('close', () => end())
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: () => text,
        events,
        until: (count, of = 'events') =>
          new Promise((done) => {
            const check = () => (of === 'events' ? events().length : comments()) >= count
            if (check()) done()
            else waiting.push({ check, done })
          }),
        ended,
        close: () => asked.destroy(),
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}
