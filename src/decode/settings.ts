import type { FormatName } from './decode.ts'
import { type DottedPath, dottedPath, type JsonObject, valueAt } from './json.ts'
import { labelOf } from './label.ts'
import type { CustomLayout, DecodeOptions, LineField } from './options.ts'
import { type PathRule, pathRule, templateOf } from './path-template.ts'

/** The options as readers use them for one layout: paths split, rules compiled. */
export interface Settings {
  readonly tenantPaths: readonly DottedPath[]
  readonly apiPaths: readonly DottedPath[]
  readonly pathRules: readonly PathRule[]
  readonly template: boolean
  readonly lineFields: readonly LineField[] | null
  readonly custom: CustomPaths | null
}

/** The places of a custom layout. */
export type CustomPaths = {
  readonly [key in Exclude<keyof CustomLayout, 'time_unit' | 'latency_unit'>]-?: readonly DottedPath[]
} & Pick<CustomLayout, 'time_unit' | 'latency_unit'>

export function settingsFor(format: FormatName, options: DecodeOptions): Settings {
  return {
    tenantPaths: compiled([...(options.tenant[format] ?? []), ...(options.tenant.any ?? [])]),
    apiPaths: compiled([...(options.api[format] ?? []), ...(options.api.any ?? [])]),
    pathRules: options.paths.rules.map(pathRule),
    template: options.paths.template,
    lineFields: options.apipark_line?.fields ?? null,
    custom: options.custom === undefined ? null : customPaths(options.custom),
  }
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

/** The tenant at the operator's own places, then under the keys that operators commonly add, else null. */
export function operatorTenant(entry: JsonObject, settings: Settings): string | null {
  const named = labelAt(entry, settings.tenantPaths)
  if (named !== null) return named
  for (const key of tenantKeys) {
    const value = entry[key]
    if (value === undefined) continue
    const label = labelOf(value)
    if (label !== null) return label
  }
  return null
}

// Layouts in which one of these means something else (Gravitee's `tenant`, Tyk's `org_id`) do not use this list.
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

/** The API at the operator's own places, else null. A value that is a path is templated. */
export function operatorApi(entry: JsonObject, settings: Settings): string | null {
  return apiAt(entry, settings.apiPaths, settings)
}

export function apiAt(entry: JsonObject, paths: readonly DottedPath[], settings: Settings): string | null {
  for (const path of paths) {
    const value = valueAt(entry, path)
    const api = isPath(value) ? pathApi(value, settings) : labelOf(value)
    if (api !== null) return api
  }
  return null
}

/** An API named by its path, for records that have no route. */
export function pathApi(path: unknown, settings: Settings): string | null {
  return templateOf(path, settings.pathRules, settings.template)
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && (value.startsWith('/') || /^https?:\/\//.test(value))
}

export function labelAt(entry: JsonObject, paths: readonly DottedPath[]): string | null {
  for (const path of paths) {
    const label = labelOf(valueAt(entry, path))
    if (label !== null) return label
  }
  return null
}
