import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { Fault, messageOf } from '../fault/fault.ts'
import { type ListenAddress, parseListen, urlOf } from '../telemetry/address.ts'
import { apiEndpoints } from './api.ts'
import { audited } from './audited.ts'
import { boundedBody, readJson, tooLarge } from './body.ts'
import type { HttpDeps } from './deps.ts'
import { Door } from './door.ts'
import { type Answered, checkScope, type Endpoint } from './endpoint.ts'
import { Guard, securityHeaders } from './guard.ts'
import { LiveStream } from './live-stream.ts'
import { openApi } from './openapi.ts'
import type { HttpOptions } from './options.ts'
import { loadPage, type PageFile } from './page-files.ts'
import { Problem, problemMediaType, toProblem } from './problem.ts'
import { Tokens } from './tokens.ts'

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
 * @throws Fault when a token file cannot be used
 */
export function createServer(
  deps: HttpDeps,
  options: HttpOptions,
  page: ReadonlyMap<string, PageFile> = loadPage(),
): HttpServer {
  const listen = parseListen(options.listen)
  if (listen === null) throw new Fault('config-invalid', 'http.listen is no address', { retryable: false })
  const tokens = new Tokens(options)
  const door = new Door(new Guard({ listen, allowedHosts: options.allowed_hosts, tokens }), {
    page,
    clock: deps.clock,
    readsPerSecond: options.reads_per_second,
  })
  const server = fastify({
    forceCloseConnections: 'idle',
    frameworkErrors: (error, _request, reply) => sendProblem(reply, toProblem(error)),
    // Names of tenants in paths, percent-encoded.
    routerOptions: { maxParamLength: 2_000 },
  })
  // Bodies are read by the endpoints themselves, each with its limit.
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders)
    door.enter(request, pathOf(request))
  })
  server.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply))
  const closing = new AbortController()
  const live = new LiveStream(deps)
  const endpoints = apiEndpoints({ title: options.title, live, closing: closing.signal })
  const ingestLimitBytes = options.ingest_limit_mib * 1_048_576
  for (const endpoint of endpoints) addEndpoint(server, { endpoint, door, ingestLimitBytes }, deps)
  addDocument(server, () => openApi(endpoints, { version: deps.version, withToken: tokens.needed }))
  addMcp(server, door, deps)
  addPage(server, page)
  server.setNotFoundHandler((request, reply) => sendProblem(reply, notFound(request, endpoints)))
  return {
    listen: () => startListening(server, listen),
    close: () => {
      closing.abort()
      // A stream never ends by itself, and closing waits for what is under way.
      live.close()
      return server.close()
    },
  }
}

/** The document is made when somebody first asks for it. */
function addDocument(server: FastifyInstance, make: () => unknown): void {
  let text: string | null = null
  server.get('/api/v1/openapi.json', async (request, reply) => {
    text ??= JSON.stringify(make())
    reply.header('cache-control', 'no-cache').type('application/json; charset=utf-8')
    return sendTagged(request, reply, text)
  })
}

interface Served {
  readonly endpoint: Endpoint
  readonly door: Door
  readonly ingestLimitBytes: number
}

function addEndpoint(server: FastifyInstance, served: Served, deps: HttpDeps): void {
  const { endpoint, door, ingestLimitBytes } = served
  server.route({
    method: endpoint.method,
    url: endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    exposeHeadRoute: endpoint.method === 'GET' && !endpoint.isStream,
    handler: async (request, reply) => {
      const caller = door.callerOf(request)
      checkScope(endpoint, caller)
      const limitBytes = endpoint.body === 'stream' ? ingestLimitBytes : jsonLimitBytes
      if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes)
      const stream = boundedBody(bodyOf(request), { encoding: request.headers['content-encoding'], limitBytes })
      if (endpoint.body === 'json') requireJson(request)
      const json = endpoint.body === 'json' ? await readJson(stream) : undefined
      const input = { ...(request.query as object), ...(request.params as object) }
      const call = { caller, input, json, stream, accept: request.headers.accept ?? '' }
      return send(await audited(endpoint, call, deps), { endpoint, request, reply })
    },
  })
}

function bodyOf(request: FastifyRequest): IncomingMessage | undefined {
  return request.body instanceof Object ? (request.body as IncomingMessage) : undefined
}

function send(
  answered: Answered,
  { endpoint, request, reply }: { endpoint: Endpoint; request: FastifyRequest; reply: FastifyReply },
): FastifyReply {
  if (answered.kind === 'events') {
    reply.hijack()
    answered.attach(reply.raw)
    return reply
  }
  const { mediaType, text, fileName, next } = answered
  reply.code(endpoint.status).header('cache-control', 'no-store').type(mediaType)
  if (endpoint.isTable) reply.header('vary', 'accept')
  if (fileName !== null) reply.header('content-disposition', `attachment; filename="tollwatch-${fileName}"`)
  if (next !== null) reply.header('link', `<${nextPage(request, next)}>; rel="next"`)
  return endpoint.isTagged ? sendTagged(request, reply, text) : reply.send(text)
}

/** The same request from the next row on. */
function nextPage(request: FastifyRequest, cursor: string): string {
  const url = new URL(request.url, 'http://localhost')
  url.searchParams.set('cursor', cursor)
  return `${url.pathname}${url.search}`
}

/** Who asks again and is told the same gets the tag alone. */
function sendTagged(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`
  reply.header('etag', tag)
  const known = (request.headers['if-none-match'] ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''))
  return known.includes(tag) || known.includes('*') ? reply.code(304).send() : reply.send(text)
}

/** Hands what comes to /mcp over, for those who may look at everything. */
function addMcp(server: FastifyInstance, door: Door, { mcp }: HttpDeps): void {
  if (mcp === null) return
  server.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const caller = door.callerOf(request)
      checkScope({ scope: 'read', forTenants: false }, caller)
      const limits = { encoding: request.headers['content-encoding'], limitBytes: jsonLimitBytes }
      if (request.method === 'POST') requireJson(request)
      const json = request.method === 'POST' ? await readJson(boundedBody(bodyOf(request), limits)) : undefined
      for (const [name, value] of Object.entries(securityHeaders)) reply.raw.setHeader(name, value)
      reply.hijack()
      await mcp({ request: request.raw, response: reply.raw, json, caller })
      return reply
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
