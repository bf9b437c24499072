import { request } from 'node:http'
import type { HttpDeps } from '../../../src/http/deps.ts'
import { httpOptions } from '../../../src/http/options.ts'
import type { PageFile } from '../../../src/http/page-files.ts'
import { createServer, type HttpServer } from '../../../src/http/server.ts'
import { worldDeps } from './world.ts'

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The parsed body; undefined where it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any
}

export interface Client {
  readonly url: string
  ask(path: string, options?: AskOptions): Promise<Answer>
  readonly close: HttpServer['close']
}

interface AskOptions {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

const aPage = new Map<string, PageFile>([
  [
    '/',
    {
      bytes: Buffer.from('<!doctype html><title>page</title>'),
      mediaType: 'text/html; charset=utf-8',
      immutable: false,
    },
  ],
  ['/assets/a.js', { bytes: Buffer.from('1'), mediaType: 'text/javascript; charset=utf-8', immutable: true }],
])

/** A real server on a free port, with made-up insides. Unlike fetch, its client sends any Host it is told to. */
export async function startServer(
  replace: Partial<HttpDeps> = {},
  settings: Record<string, unknown> = {},
  page: ReadonlyMap<string, PageFile> = aPage,
): Promise<Client> {
  const options = httpOptions.parse({ listen: '127.0.0.1:0', ...settings })
  const server = createServer(worldDeps(replace), options, page)
  const url = (await server.listen()).replace('0.0.0.0', '127.0.0.1')
  return { url, ask: (path, ask) => askAt(url, path, ask), close: server.close }
}

function askAt(url: string, path: string, { method = 'GET', headers = {}, body }: AskOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url + path, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const isJson = /[/+]json/.test(response.headers['content-type'] ?? '') && text !== ''
        const json = isJson ? JSON.parse(text) : undefined
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
