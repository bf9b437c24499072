import type { FormatName } from '../../src/decode/decode.ts'
import type { DecodeSettings } from './decoding.ts'
import {
  apipark,
  apisix,
  apisixVariables,
  custom,
  customFlat,
  ecs,
  ecsDotted,
  envoyGateway,
  istio,
  kong,
  mapping,
  nginx,
  nginxLine,
  traefik,
} from './gateway-records.ts'

/** One usual record of a gateway, not refused, and the places of which reading it hands out a scalar. */
export interface PlainCase {
  readonly name: string
  readonly format: FormatName
  readonly settings: DecodeSettings
  readonly record: Readonly<Record<string, unknown>>
  /** In the order of the first look. */
  readonly scalars: readonly string[]
  readonly status: string
  readonly time: string
}

/** What a gateway writes of its own accord, and with a header or a label for tenants as operators set it up. */
export const plainCases: readonly PlainCase[] = [
  {
    ...{ name: 'Kong', format: 'kong', settings: {}, record: kong },
    scalars: ['started_at', 'response.status', 'consumer.custom_id', 'route.name', 'upstream_status'],
    ...{ status: 'response.status', time: 'started_at' },
  },
  {
    ...{ name: 'Kong with a tenant header', format: 'kong', record: kong },
    settings: { tenant: { kong: 'request.headers.x-tenant-id' } },
    scalars: ['started_at', 'response.status', 'request.headers.x-tenant-id', 'route.name', 'upstream_status'],
    ...{ status: 'response.status', time: 'started_at' },
  },
  {
    ...{ name: 'APISIX', format: 'apisix', settings: {}, record: apisix },
    scalars: ['start_time', 'response.status', 'consumer.username', 'route_id'],
    ...{ status: 'response.status', time: 'start_time' },
  },
  {
    ...{ name: 'APISIX with a tenant header', format: 'apisix', record: apisix },
    settings: { tenant: { any: 'request.headers.x-tenant-id' } },
    scalars: ['start_time', 'response.status', 'request.headers.x-tenant-id', 'route_id'],
    ...{ status: 'response.status', time: 'start_time' },
  },
  {
    ...{ name: "APISIX with the operator's log format", format: 'apisix', settings: {}, record: apisixVariables },
    // Its own marks read the route's value, since a route without one is another thing than a missing key.
    scalars: ['route_id', 'status', '@timestamp', 'consumer_name', 'upstream_status'],
    ...{ status: 'status', time: '@timestamp' },
  },
  {
    ...{ name: "APISIX with the operator's log format and a tenant", format: 'apisix', settings: {} },
    record: { ...apisixVariables, http_x_tenant_id: 'grey-owl' },
    scalars: ['route_id', 'status', '@timestamp', 'http_x_tenant_id', 'upstream_status'],
    ...{ status: 'status', time: '@timestamp' },
  },
  {
    ...{ name: 'APIPark', format: 'apipark', settings: {}, record: apipark },
    scalars: ['proxy_status', 'status', 'msec', 'application', 'api'],
    ...{ status: 'status', time: 'msec' },
  },
  {
    ...{ name: 'APIPark with a tenant label', format: 'apipark', settings: { tenant: { apipark: 'label_tenant' } } },
    record: { ...apipark, label_tenant: 'grey-owl', msec: undefined, time_iso8601: '2026-10-05T16:15:36.042+08:00' },
    scalars: ['proxy_status', 'status', 'time_iso8601', 'label_tenant', 'api'],
    ...{ status: 'status', time: 'time_iso8601' },
  },
  {
    ...{ name: 'NGINX with a tenant header', format: 'nginx', settings: {}, record: nginx },
    scalars: ['status', 'msec', 'request_uri', 'http_x_tenant_id', 'upstream_status'],
    ...{ status: 'status', time: 'msec' },
  },
  {
    ...{ name: 'NGINX with its combined variables', format: 'nginx', settings: {}, record: nginxLine },
    scalars: ['status', 'request', 'time_local', 'remote_user'],
    ...{ status: 'status', time: 'time_local' },
  },
  {
    ...{ name: 'Istio', format: 'envoy', settings: {}, record: istio },
    scalars: ['response_code', 'start_time', 'route_name', 'path'],
    ...{ status: 'response_code', time: 'start_time' },
  },
  {
    ...{ name: 'Envoy Gateway with a tenant header', format: 'envoy', settings: {}, record: envoyGateway },
    scalars: ['response_code', 'start_time', 'x-tenant-id', 'route_name'],
    ...{ status: 'response_code', time: 'start_time' },
  },
  {
    ...{ name: 'Traefik', format: 'traefik', settings: {}, record: traefik },
    scalars: ['DownstreamStatus', 'StartUTC', 'ClientUsername', 'RouterName', 'OriginStatus'],
    ...{ status: 'DownstreamStatus', time: 'StartUTC' },
  },
  {
    ...{ name: 'Traefik with a tenant header', format: 'traefik', settings: {} },
    record: { ...traefik, 'request_X-Tenant-Id': 'grey-owl' },
    scalars: ['DownstreamStatus', 'StartUTC', 'request_X-Tenant-Id', 'RouterName', 'OriginStatus'],
    ...{ status: 'DownstreamStatus', time: 'StartUTC' },
  },
  {
    ...{ name: 'ECS', format: 'ecs', settings: {}, record: ecs },
    scalars: ['http.response.status_code', '@timestamp', 'organization.id', 'url.path'],
    ...{ status: 'http.response.status_code', time: '@timestamp' },
  },
  {
    ...{ name: 'ECS in dotted keys with a tenant label', format: 'ecs', record: ecsDotted },
    settings: { tenant: { ecs: 'labels.account' } },
    scalars: ['http.response.status_code', '@timestamp', 'labels.account', 'url.path'],
    ...{ status: 'http.response.status_code', time: '@timestamp' },
  },
  {
    ...{ name: "the operator's layout", format: 'custom', settings: { custom: mapping }, record: custom },
    scalars: ['res.code', 'at', 'who.tenant', 'api', 'up'],
    ...{ status: 'res.code', time: 'at' },
  },
  {
    ...{ name: "the operator's layout, flat and with a tenant", format: 'custom', record: customFlat },
    settings: { format: 'custom', tenant: { any: 'org.name' }, custom: { status: 'code', time: 'when', api: 'op' } },
    scalars: ['code', 'when', 'org.name', 'op'],
    ...{ status: 'code', time: 'when' },
  },
]
