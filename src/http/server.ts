import type { IncomingMessage } from 'node:http'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { Fault, messageOf } from '../fault/fault.ts'
import { type ListenAddress, parseListen, urlOf } from '../telemetry/address.ts'
import { apiEndpoints, openPaths } from './api.ts'
import { boundedBody, readJson, tooLarge } from './body.ts'
import type { HttpDeps } from './deps.ts'
import type { Endpoint } from './endpoint.ts'
import { Guard, securityHeaders } from './guard.ts'
import { openApi } from './openapi.ts'
import { type HttpOptions, readToken } from './options.ts'
import { loadPage, type PageFile } from './page-files.ts'
import { Problem, problemMediaType, toProblem } from './problem.ts'

const jsonLimitBytes = 65_536

/** The page and the API of the daemon. */
export interface HttpServer {
  /**
   * Begins to listen.
   *
   * @returns the URL of the page, such as `http://127.0.0.1:8402`
   * @throws Fault `config-invalid` when the address cannot be listened on
   */
  listen(): Promise<string>
  /** Takes no new requests and resolves when those under way have been answered. */
  close(): Promise<void>
}

/**
 * Builds the server without listening yet.
 *
 * @param page the built page by URL path; read from `dist/page` when left out
 * @throws Fault when the token file cannot be used
 */
export function createServer(
  deps: HttpDeps,
  options: HttpOptions,
  page: ReadonlyMap<string, PageFile> = loadPage(),
): HttpServer {
  const listen = parseListen(options.listen)
  if (listen === null) throw new Fault('config-invalid', 'http.listen is no address', { retryable: false })
  const token = readToken(options)
  const guard = new Guard({ listen, allowedHosts: options.allowed_hosts, token })
  const server = fastify({
    forceCloseConnections: 'idle',
    frameworkErrors: (error, _request, reply) => sendProblem(reply, toProblem(error)),
  })
  // Bodies are read by the endpoints themselves, each with its limit.
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders)
    check(guard, request, page)
  })
  server.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply))
  const endpoints = apiEndpoints({ title: options.title })
  for (const endpoint of endpoints) addEndpoint(server, endpoint, deps, options.ingest_limit_mib * 1_048_576)
  const document = openApi(endpoints, { version: deps.version, withToken: token !== null })
  server.get('/api/v1/openapi.json', async (_request, reply) =>
    reply.header('cache-control', 'no-cache').send(document),
  )
  addPage(server, page)
  server.setNotFoundHandler((request, reply) => sendProblem(reply, notFound(request, endpoints)))
  return { listen: () => startListening(server, listen), close: () => server.close() }
}

/** The shell of the page is open: it holds no data, and it has to ask for the token before it can send one. */
function check(guard: Guard, request: FastifyRequest, page: ReadonlyMap<string, PageFile>): void {
  const path = pathOf(request)
  if (openPaths.has(path)) return
  guard.checkHost(request.headers)
  guard.checkOrigin(request.method, request.headers)
  if (!page.has(path)) guard.checkToken(request.headers)
}

function addEndpoint(server: FastifyInstance, endpoint: Endpoint, deps: HttpDeps, ingestLimitBytes: number): void {
  server.route({
    method: endpoint.method,
    url: endpoint.path.replace(/\{(\w+)\}/g, ':$1'),
    handler: async (request, reply) => {
      const limitBytes = endpoint.body === 'stream' ? ingestLimitBytes : jsonLimitBytes
      if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes)
      const body = request.body instanceof Object ? (request.body as IncomingMessage) : undefined
      const stream = boundedBody(body, { encoding: request.headers['content-encoding'], limitBytes })
      if (endpoint.body === 'json') requireJson(request)
      const json = endpoint.body === 'json' ? await readJson(stream) : undefined
      const input = { ...(request.query as object), ...(request.params as object) }
      const answer = await endpoint.handle({ input, json, stream }, deps)
      return reply.code(endpoint.status).header('cache-control', 'no-store').send(answer)
    },
  })
}

/** A form of another site can send text but not JSON without asking first, so the media type is part of the guard. */
function requireJson(request: FastifyRequest): void {
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  if (mediaType !== 'application/json') throw new Problem(415, 'Send the body as application/json.')
}

function addPage(server: FastifyInstance, page: ReadonlyMap<string, PageFile>): void {
  for (const [path, file] of page) {
    server.get(path, async (_request, reply) =>
      reply
        .header('content-type', file.mediaType)
        .header('cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
        .send(file.bytes),
    )
  }
  if (!page.has('/')) {
    server.get('/', async () => {
      throw new Problem(503, 'The page was not built; run npm run build. The API under /api/v1 works without it.')
    })
  }
}

function notFound(request: FastifyRequest, endpoints: readonly Endpoint[]): Problem {
  const path = pathOf(request)
  const methods = endpoints.filter((endpoint) => matches(endpoint.path, path)).map(({ method }) => method)
  if (methods.length === 0) return new Problem(404, 'There is nothing here; /api/v1/openapi.json lists what there is.')
  const allow = methods.join(', ')
  return new Problem(405, `${request.method} is not possible here, only ${allow}.`, { headers: { allow } })
}

function matches(template: string, path: string): boolean {
  const parts = path.split('/')
  const wanted = template.split('/')
  return wanted.length === parts.length && wanted.every((part, i) => part.startsWith('{') || part === parts[i])
}

function answerError(deps: HttpDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error)
  if (problem.status >= 500 && !(error instanceof Problem)) {
    deps.log.error('request failed', { method: request.method, path: pathOf(request), error })
  }
  return sendProblem(reply, problem)
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const headers = { ...securityHeaders, ...problem.headers, 'cache-control': 'no-store' }
  return reply.code(problem.status).headers(headers).type(problemMediaType).send(JSON.stringify(problem.body()))
}

/** Without the query, which may hold what callers did not mean to be written down. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0] ?? '/'
}

async function startListening(server: FastifyInstance, listen: ListenAddress): Promise<string> {
  try {
    await server.listen({ host: listen.host, port: listen.port })
  } catch (cause) {
    const fix = 'choose another with http.listen or --http'
    const message = `the page cannot listen on ${listen.host}:${listen.port} (${messageOf(cause)}); ${fix}`
    throw new Fault('config-invalid', message, { retryable: false, cause })
  }
  const bound = server.server.address()
  return urlOf({ host: listen.host, port: typeof bound === 'object' && bound !== null ? bound.port : listen.port })
}
