import type { Format } from './format.ts'
import { type DottedPath, dottedPath } from './json.ts'
import { byKeys, type KeyList } from './key-list.ts'
import type { CustomLayout, DecodeOptions, LineField } from './options.ts'
import { type PathRule, pathRule } from './path-template.ts'
import { TimeZone } from './time-zone.ts'

/** The options as the reader of one layout uses them: paths split, rules compiled. */
export interface Settings {
  readonly tenant: Places
  readonly api: Places
  readonly service: Places
  readonly accepts: NonNullable<Format['accepts']> | null
  readonly pathRules: readonly PathRule[]
  readonly template: boolean
  /** Reads times that were written without a zone. */
  readonly zone: TimeZone
  readonly lineFields: readonly LineField[] | null
  readonly custom: CustomPaths | null
}

/** Candidates in the order in which they are tried; those from `own` on are the layout's own. */
export interface Candidates {
  readonly paths: readonly DottedPath[]
  readonly own: number
}

/** All places where a name may stand. */
export interface Places extends Candidates {
  /** Those of them that may be there in an object with these keys. */
  readonly among: (keys: KeyList) => Candidates
}

/** The places of a custom layout. */
export type CustomPaths = {
  readonly [key in Exclude<keyof CustomLayout, 'time_unit' | 'latency_unit'>]-?: readonly DottedPath[]
} & Pick<CustomLayout, 'time_unit' | 'latency_unit'>

/** Ends a list of places in the options: what follows, the layout's own places among it, is not looked at. */
export const noMorePlaces = 'none'

/**
 * Keys under which operators commonly log their tenants. Better evidence than any gateway's own fields, save where one
 * of them means something else (Gravitee's `tenant`, Tyk's `org_id`).
 */
export const tenantKeys: readonly string[] = [
  'tenant',
  'tenant_id',
  'tenantId',
  'tenant.id',
  'x-tenant-id',
  'x_tenant_id',
  'http_x_tenant_id',
  'org_id',
  'organization',
  'organization_id',
  'customer_id',
  'account_id',
]

export function settingsFor(format: Format, options: DecodeOptions): Settings {
  const custom = format.name === 'custom' ? options.custom : undefined
  const tenants = [...(format.ownTenantKeys === true ? [] : tenantKeys), ...(custom?.tenant ?? []), ...format.tenant]
  return {
    tenant: placesOf([...(options.tenant[format.name] ?? []), ...(options.tenant.any ?? [])], tenants),
    api: placesOf(
      [...(options.api[format.name] ?? []), ...(options.api.any ?? [])],
      [...(custom?.api ?? []), ...format.api],
    ),
    service: placesOf([], format.service ?? []),
    accepts: format.accepts ?? null,
    pathRules: options.paths.rules.map(pathRule),
    template: options.paths.template,
    zone: new TimeZone(options.time_zone),
    lineFields: options.apipark_line?.fields ?? null,
    custom: options.custom === undefined ? null : customPaths(options.custom),
  }
}

/** The texts of all places at which names are looked for. */
export function namePlaces({ tenant, api }: Settings): readonly string[] {
  return [...tenant.paths, ...api.paths].map(({ text }) => text)
}

function placesOf(operators: readonly string[], own: readonly string[]): Places {
  const end = operators.indexOf(noMorePlaces)
  const first = end < 0 ? operators : operators.slice(0, end)
  const paths = compiled(end < 0 ? [...first, ...own] : first)
  const among = byKeys((keys) => {
    const mayBe = ({ steps }: DottedPath) => (steps[0] ?? []).some(({ key }) => keys.has(key))
    return { paths: paths.filter(mayBe), own: paths.slice(0, first.length).filter(mayBe).length }
  })
  return { paths, own: first.length, among }
}

function compiled(paths: readonly string[] | undefined): readonly DottedPath[] {
  return (paths ?? []).map(dottedPath)
}

function customPaths(layout: CustomLayout): CustomPaths {
  return {
    status: compiled(layout.status),
    time: compiled(layout.time),
    time_unit: layout.time_unit,
    tenant: compiled(layout.tenant),
    api: compiled(layout.api),
    method: compiled(layout.method),
    latency: compiled(layout.latency),
    latency_unit: layout.latency_unit,
    request_id: compiled(layout.request_id),
    consumer: compiled(layout.consumer),
    plan: compiled(layout.plan),
    upstream_status: compiled(layout.upstream_status),
    cause_code: compiled(layout.cause_code),
    cause_text: compiled(layout.cause_text),
    response_body: compiled(layout.response_body),
    response_headers: compiled(layout.response_headers),
  }
}
