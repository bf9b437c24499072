import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import type { Endpoint } from './endpoint.ts'
import { problemMediaType } from './problem.ts'

type Json = { readonly [key: string]: unknown }

const problemSchema = z.object({
  type: z.string().meta({ format: 'uri-reference' }),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(z.object({ parameter: z.string(), detail: z.string() })).optional(),
  reasons: z.array(z.string()).optional(),
})

/** The OpenAPI 3.1 document of the endpoints, from the very schemas that check requests. */
export function openApi(endpoints: readonly Endpoint[], options: { version: string; withToken: boolean }): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const endpoint of endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method.toLowerCase()]: operation(endpoint) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tollwatch',
      version: options.version,
      description: 'HTTP 402 Payment Required at API gateways: rates, history, alerts. Times are ISO 8601 in UTC.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: options.withToken ? [{ token: [] }] : [],
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema) },
      responses: { Problem: { description: 'RFC 9457 problem', content: contentOf(problemMediaType, problemRef) } },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  }
}

const problemRef = { $ref: '#/components/schemas/Problem' }

function operation(endpoint: Endpoint): Json {
  const errors = [400, 401, 403, ...endpoint.problems, 429, 500]
  const responses: Record<string, Json> = {
    [endpoint.status]: {
      description: STATUS_CODES[endpoint.status],
      content: answersOf(endpoint),
    },
  }
  if (endpoint.isTagged) responses[304] = { description: 'Unchanged: If-None-Match names the ETag it still has.' }
  for (const status of errors) responses[status] = { $ref: '#/components/responses/Problem' }
  return {
    operationId: operationId(endpoint),
    summary: endpoint.summary,
    ...(endpoint.scope === 'open' ? { security: [] } : {}),
    'x-scope': endpoint.scope,
    'x-tenant-tokens': endpoint.forTenants || endpoint.scope === 'any',
    parameters: parametersOf(endpoint),
    ...requestBody(endpoint),
    responses,
  }
}

function answersOf({ answer, isStream, isTable }: Endpoint): Json {
  if (isStream) return contentOf('text/event-stream', { type: 'string', 'x-events': schemaOf(answer) })
  const text = { schema: { type: 'string' } }
  const tables = isTable ? { 'text/csv': text, 'application/x-ndjson': text } : {}
  return { ...contentOf('application/json', schemaOf(answer)), ...tables }
}

/** `getAlertsHistory` for `GET /api/v1/alerts/history`. */
function operationId({ method, path }: Endpoint): string {
  const words = path.replace('/api/v1', '').split(/[^a-zA-Z]+/)
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return method.toLowerCase() + name
}

function parametersOf(endpoint: Endpoint): readonly Json[] {
  const inPath = new Set([...endpoint.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))
  return Object.entries(endpoint.input.shape).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema as z.ZodType)
    const required = !(schema as z.ZodType).safeParse(undefined).success
    const place = inPath.has(name) ? { in: 'path', required: true } : { in: 'query', required }
    return { name, ...place, ...(description === undefined ? {} : { description }), schema: rest }
  })
}

function requestBody(endpoint: Endpoint): Json {
  switch (endpoint.body) {
    case 'none':
      return {}
    case 'json':
      return { requestBody: { required: true, content: contentOf('application/json', schemaOf(endpoint.json)) } }
    case 'stream':
      return { requestBody: { required: true, content: contentOf('application/x-ndjson', { type: 'string' }) } }
    default:
      return endpoint.body satisfies never
  }
}

function contentOf(mediaType: string, schema: Json): Json {
  return { [mediaType]: { schema } }
}

function schemaOf(schema: z.ZodType): Json {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return rest
}
