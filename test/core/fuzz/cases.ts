import type { z } from 'zod'
import { classifyOptions } from '../../../src/classify/options.ts'
import type { FormatName } from '../../../src/decode/decode.ts'
import { decodeOptions } from '../../../src/decode/options.ts'
import * as gateways from '../../decode/gateway-records.ts'
import { type FieldKind, type Template, templateOf } from './tree.ts'

/** Settings, and the records that lanes with these settings get. */
export interface FuzzCase {
  readonly name: string
  readonly decode: z.output<typeof decodeOptions>
  readonly classify: z.output<typeof classifyOptions>
  /** Layout of the lane alone. */
  readonly format: FormatName | null
  readonly templates: readonly Template[]
  /** Whether the core should come to know the records. */
  readonly isPlain: boolean
}

type Fields = Readonly<Record<string, FieldKind>>

const kong = templateOf(gateways.kong, {
  'request/uri': 'path',
  'request/headers/x-tenant-id': 'tenant',
  upstream_status: 'upstream',
  'response/status': 'status',
  'route/name': 'api',
  'consumer/custom_id': 'tenant',
  started_at: 'ms',
})
const kongPath = templateOf(
  { ...gateways.kong, route: null, service: null, consumer: { id: 'c-1' } },
  { 'request/uri': 'path', 'consumer/id': 'tenant', 'response/status': 'status', started_at: 'ms' },
)
const apisix = templateOf(gateways.apisix, {
  'request/uri': 'path',
  'request/headers/x-tenant-id': 'tenant',
  'response/status': 'status',
  route_id: 'api',
  'consumer/username': 'tenant',
  start_time: 'ms',
})
const variables: Fields = { status: 'statusText', upstream_status: 'upstream' }
const apisixVariables = templateOf(
  { ...gateways.apisixVariables, http_x_tenant_id: 't' },
  {
    ...variables,
    '@timestamp': 'isoZone',
    request_uri: 'path',
    route_id: 'api',
    http_x_tenant_id: 'tenant',
    consumer_name: 'tenant',
  },
)
const apipark = templateOf(gateways.apipark, {
  msec: 'ms',
  request_uri: 'path',
  api: 'api',
  status: 'status',
  proxy_status: 'upstream',
  application: 'tenant',
})
const apiparkIso = templateOf(
  { ...gateways.apipark, msec: undefined, api: '', time_iso8601: '2026-10-05T16:15:36.042+08:00', label_tenant: 'x' },
  { time_iso8601: 'isoZone', request_uri: 'path', status: 'statusText', label_tenant: 'tenant' },
)
const apiparkGroups = templateOf(
  {
    request_id: 'req-1',
    msec: 1791188136042,
    status: 200,
    application: 'app-heron',
    api: 'chat-api',
    call: { proxy_status: 200, request_time: 388, response_time: 3 },
    more: { strategy: '', node: 'apinto-2', proxy_status: 200 },
  },
  {
    msec: 'ms',
    status: 'status',
    application: 'tenant',
    api: 'api',
    'call/proxy_status': 'upstream',
    'more/proxy_status': 'upstream',
  },
)
const apiparkAllGroups = templateOf(
  {
    request_id: 'req-1',
    ctx: { msec: 1791188136042, status: 200, proxy_status: 200, application: 'a' },
    request: { request_uri: '/v1/7', request_method: 'GET' },
  },
  {
    'ctx/msec': 'ms',
    'ctx/status': 'status',
    'ctx/proxy_status': 'upstream',
    'ctx/application': 'tenant',
    'request/request_uri': 'path',
  },
)
const nginx = templateOf(gateways.nginx, {
  ...variables,
  msec: 'sText',
  request: 'line',
  request_uri: 'path',
  http_x_tenant_id: 'tenant',
  remote_user: 'tenant',
})
const nginxLine = templateOf(gateways.nginxLine, {
  time_local: 'clf',
  remote_user: 'tenant',
  request: 'line',
  status: 'status',
})
const nginxShort = templateOf(
  { ts: 1, time: 1791188136.042, uri: '/v1/7', status: 200, bytes_sent: 17, org_id: 'o', upstream_status: '200' },
  { ...variables, time: 's', uri: 'path', status: 'status', org_id: 'tenant' },
)
const nginxNested = templateOf(
  { source: 'edge', fields: { status: 200, request: 'GET /v1 HTTP/1.1', msec: '1791188136.042', bytes_sent: 1 } },
  { 'fields/status': 'status', 'fields/request': 'line', 'fields/msec': 'sText' },
)
const istio = templateOf(gateways.istio, {
  start_time: 'iso',
  route_name: 'api',
  path: 'path',
  response_code: 'status',
  response_code_details: 'word',
})
const istioTyped = templateOf(
  { ...gateways.istio, access_log_type: 'DownstreamEnd' },
  { start_time: 'iso', path: 'path', response_code: 'status', access_log_type: 'word' },
)
const envoyGateway = templateOf(gateways.envoyGateway, {
  start_time: 'iso',
  'x-envoy-origin-path': 'path',
  response_code: 'statusText',
  'x-tenant-id': 'tenant',
  route_name: 'api',
})
const traefik = templateOf(gateways.traefik, {
  ClientUsername: 'tenant',
  DownstreamStatus: 'status',
  OriginStatus: 'upstream',
  RequestPath: 'path',
  RouterName: 'api',
  StartUTC: 'iso',
  StartLocal: 'isoZone',
})
const traefikHeader = templateOf(
  { ...gateways.traefik, 'request_X-Tenant-Id': 'x', RouterName: undefined, ServiceName: undefined, level: undefined },
  {
    'request_X-Tenant-Id': 'tenant',
    DownstreamStatus: 'status',
    OriginStatus: 'upstream',
    RequestPath: 'path',
    StartUTC: 'iso',
  },
)
const ecs = templateOf(gateways.ecs, {
  '@timestamp': 'iso',
  'http/response/status_code': 'status',
  'url/path': 'path',
  'organization/id': 'tenant',
  'user/name': 'tenant',
})
const ecsDotted = templateOf(gateways.ecsDotted, {
  '@timestamp': 'iso',
  'http.response.status_code': 'status',
  'url.path': 'path',
  'user.name': 'tenant',
  'labels.account': 'tenant',
})
const ecsMixed = templateOf(
  {
    '@timestamp': 1791188136042,
    http: { 'response.status_code': 200, request: { method: 'GET' } },
    'http.route': 'orders',
    labels: { tenant: 'acme', 'org.id': 'x' },
    'event.start': '2026-10-05T08:15:36.042Z',
  },
  {
    '@timestamp': 'ms',
    'http/response.status_code': 'status',
    'http.route': 'api',
    'labels/tenant': 'tenant',
    'event.start': 'iso',
  },
)
const custom = templateOf(gateways.custom, {
  at: 'ms',
  'res/code': 'status',
  'who/tenant': 'tenant',
  api: 'api',
  'req/path': 'path',
  up: 'upstream',
})
const customFlat = templateOf(gateways.customFlat, { code: 'statusText', when: 'iso', 'org/name': 'tenant', op: 'api' })

/** A custom layout in one notation of its time. */
function timed(kind: FieldKind): Template {
  const record = { code: 200, when: 0, org: 'acme', op: '/v1/7', up: '200' }
  return templateOf(record, { code: 'status', when: kind, org: 'tenant', op: 'path', up: 'upstream' })
}

function customIn(
  unit: 'iso' | 'iso_utc' | 'clf' | 's' | 'ms' | 'us' | 'ns',
  ...kinds: readonly FieldKind[]
): FuzzCase {
  const mapping = {
    status: ['code', 'code2'],
    time: ['when', 'at.when'],
    tenant: 'org',
    api: ['op', 'op2'],
    upstream_status: 'up',
  }
  const decode = { format: 'custom', custom: { ...mapping, time_unit: unit } } as const
  return caseOf(`custom in ${unit}`, kinds.map(timed), { decode })
}

const iso = '2026-10-05T08:15:36.042Z'
const others: readonly object[] = [
  { timestamp: 1791188136042, proxyLatencyMs: 9, status: 200, api: 'a', application: 'app-1', plan: 'p', apiName: 'A' },
  { requestTimestamp: iso, apiCreatorTenantDomain: 'd', apiId: 'a', proxyResponseCode: 200, applicationId: '1' },
  {
    requestId: 'r',
    requestTimeEpoch: '1791188136042',
    status: '200',
    resourcePath: '/v1/{id}',
    integrationStatus: '200',
  },
  { timestamp: iso, response_code: 200, api_id: 'a', org_id: 'o', tags: ['x'], alias: 'grey-owl' },
  {
    prefix: '[KRAKEND]',
    time: '2026/10/05 - 08:15:36',
    status_code: 200,
    latency: '4ms',
    client_ip: '203.0.113.9',
    path: '/v1',
  },
  {
    call_type: 'a',
    status: 'success',
    startTime: 1791188136.042,
    model_group: 'm',
    metadata: { user_api_key_team_id: 't' },
  },
  {
    commonProperties: { startTime: iso, duration: '0.016s' },
    request: { path: '/v1/7' },
    response: { responseCode: 200 },
  },
  { timeUnixNano: '1791188136042000000', attributes: [{ key: 'http.status_code', value: { intValue: '200' } }] },
  { anything: 'else', of: { no: ['layout'] } },
]
const elsewhere = others.map((record) =>
  templateOf(record, { status: 'status', response_code: 'status', timestamp: 'ms', application: 'tenant', api: 'api' }),
)

function caseOf(
  name: string,
  templates: readonly Template[],
  settings: {
    decode?: z.input<typeof decodeOptions>
    classify?: z.input<typeof classifyOptions>
    format?: FormatName
    isPlain?: boolean
  } = {},
): FuzzCase {
  const { decode = {}, classify = {}, format = null, isPlain = true } = settings
  return {
    ...{ name, templates, format, isPlain },
    decode: decodeOptions.parse(decode),
    classify: classifyOptions.parse(classify),
  }
}

const digitRules = { rules: ['/files/12/raw', '/v2/*/x', '/v1/orders/**'] }
const plainRules = { rules: ['/v1/orders/{order}', '/files/*/raw', '/v1/**'] }

export const fuzzCases: readonly FuzzCase[] = [
  caseOf('kong', [kong, kong, kongPath]),
  caseOf('apisix', [apisix]),
  caseOf('apisix log_format', [apisixVariables]),
  caseOf('apipark flat', [apipark, apipark, apiparkIso]),
  // Each object with another name takes many places, so that now and then there are too many for anything to be known.
  caseOf('apipark grouped', [apiparkGroups, apiparkGroups, apiparkAllGroups], { isPlain: false }),
  caseOf('nginx', [nginx, nginx, nginxLine, nginxShort, nginxNested]),
  caseOf('envoy', [istio, istioTyped, envoyGateway, envoyGateway]),
  caseOf('traefik', [traefik, traefikHeader]),
  caseOf('ecs nested', [ecs]),
  caseOf('ecs dotted and mixed', [ecsDotted, ecsMixed, ecs]),
  caseOf('custom nested', [custom], { decode: { format: 'custom', custom: gateways.mapping } }),
  caseOf('custom in auto', [custom, customFlat], {
    decode: {
      custom: { status: ['code', 'res.code'], time: 'when', tenant: ['org.name', 'who.tenant'], api: ['op', 'api'] },
    },
  }),
  customIn('iso', 'iso', 'isoZone'),
  customIn('iso_utc', 'iso', 'isoZone'),
  customIn('clf', 'clf'),
  customIn('s', 's', 'sText'),
  customIn('ms', 'ms', 'msText'),
  customIn('us', 'us', 'usText'),
  customIn('ns', 'nsText'),
  caseOf('kong with a tenant header', [kong], { decode: { tenant: { kong: 'request.headers.x-tenant-id' } } }),
  caseOf('kong on a lane of its own', [kong, apisix], {
    format: 'kong',
    decode: { api: { any: ['request.uri', 'none'] } },
  }),
  caseOf('apisix with a tenant header', [apisix], {
    decode: { tenant: { any: ['request.headers.x-tenant-id', 'none'] } },
  }),
  caseOf('apipark with a label', [apiparkIso], {
    decode: { tenant: { apipark: 'label_tenant' }, api: { apipark: 'request_uri' } },
  }),
  caseOf('watched statuses', [kong, nginx, envoyGateway], {
    classify: { watch: ['well-known', { status: 403, codes: ['*quota*'] }], count_challenges: true },
  }),
  caseOf('paths as they are', [nginx, kongPath, istio], { decode: { paths: { template: false } } }),
  caseOf('path rules', [nginx, kongPath, envoyGateway], {
    decode: { paths: plainRules, api: { envoy: 'x-envoy-origin-path' } },
  }),
  caseOf('path rules with digits', [nginx, kongPath, istio], { decode: { paths: digitRules } }),
  caseOf('short values only', [nginxShort, customFlat, istio], { decode: { max_value_bytes: 480 } }),
  caseOf('names where the decoder looks for something else', [istio, istioTyped, istioTyped, traefik], {
    decode: { tenant: { envoy: ['access_log_type', 'response_code_details'], traefik: ['OriginStatus', 'msg'] } },
  }),
  caseOf('all gateways on one lane', [kong, apisix, apisixVariables, apipark, nginx, istio, traefik, ecs]),
  caseOf('layouts without a fast way', elsewhere, { isPlain: false }),
]
