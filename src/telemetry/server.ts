import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import { isLoopback, type ListenAddress, urlOf } from './address.ts'

/** A running server: where it can be reached, and how it ends. */
export interface MetricsServer {
  /** Such as `http://127.0.0.1:9464/metrics`. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves `GET /metrics`.
 *
 * @throws Fault `config-invalid` when the address cannot be listened on
 */
export async function serveMetrics(
  metrics: { text(): Promise<string> },
  options: { readonly listen: ListenAddress; readonly log: Log },
): Promise<MetricsServer> {
  const { listen, log } = options
  const server = createServer((request, response) => {
    answer(metrics, request, response, isLoopback(listen.host)).catch((error: unknown) => {
      log.error('metrics could not be written', { error })
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const fix = 'choose another with telemetry.listen or --metrics'
      const message = `metrics cannot listen on ${listen.host}:${listen.port} (${messageOf(cause)}); ${fix}`
      reject(new Fault('config-invalid', message, { retryable: false, cause }))
    })
    server.listen(listen.port, listen.host, resolve)
  })
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : listen.port
  return {
    url: `${urlOf({ host: listen.host, port })}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  metrics: { text(): Promise<string> },
  request: IncomingMessage,
  response: ServerResponse,
  onLoopback: boolean,
): Promise<void> {
  const path = (request.url ?? '').split('?')[0]
  if (onLoopback && !isLoopback((request.headers.host ?? '').replace(/:\d+$/, ''))) {
    // A foreign page whose name was pointed at this address (DNS rebinding) must not read tenant names.
    response.writeHead(421).end()
  } else if (path !== '/metrics') {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('metrics are at /metrics\n')
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
  } else {
    const text = await metrics.text()
    response.writeHead(200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    response.end(request.method === 'HEAD' ? undefined : text)
  }
}
