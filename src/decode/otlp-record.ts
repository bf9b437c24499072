import { isBlank, isObject, type JsonObject, objectOf } from './json.ts'

/**
 * One log record of OTLP/JSON as an entry of its own: the record, and the attributes of the scope and the resource that
 * stand above it. Those are shared by all records beneath, so that many records under a large resource cost no more.
 */
export interface OtlpEntry {
  readonly logRecord: JsonObject
  readonly scope: JsonObject
  readonly resource: JsonObject
}

const attributeLimit = 500
const valueDepth = 16

/** The entries of an export request, or of one record alone; null for anything else. */
export function otlpEntries(value: JsonObject): readonly JsonObject[] | null {
  const resources = value['resourceLogs'] ?? value['resource_logs']
  if (resources === undefined) return isRecord(value) ? [entryOf(value, {}, {})] : null
  const entries: JsonObject[] = []
  for (const group of itemsOf(resources)) {
    const resource = attributesOf(objectOf(group['resource'])?.['attributes'])
    for (const scoped of itemsOf(group['scopeLogs'] ?? group['scope_logs'])) {
      const scope = attributesOf(objectOf(scoped['scope'])?.['attributes'])
      for (const record of itemsOf(scoped['logRecords'] ?? scoped['log_records'])) {
        entries.push(entryOf(record, scope, resource))
      }
    }
  }
  return entries
}

function entryOf(logRecord: JsonObject, scope: JsonObject, resource: JsonObject): JsonObject {
  return { logRecord, scope, resource } satisfies OtlpEntry
}

function isRecord(value: JsonObject): boolean {
  const timed = 'timeUnixNano' in value || 'observedTimeUnixNano' in value || 'time_unix_nano' in value
  return timed && ('attributes' in value || 'body' in value)
}

/** What is no object keeps its place, so that the records behind it keep their numbers. */
function itemsOf(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.map((item: unknown) => objectOf(item) ?? {}) : []
}

export function otlpEntryOf(entry: JsonObject): OtlpEntry | null {
  const logRecord = entry['logRecord']
  if (!isObject(logRecord) || !isObject(entry['resource']) || !isObject(entry['scope'])) return null
  return { logRecord, scope: entry['scope'], resource: entry['resource'] }
}

/** A list of key and value pairs as an object; an object stays what it is. */
export function attributesOf(list: unknown): JsonObject {
  return isObject(list) ? list : pairsOf(list, 0)
}

function pairsOf(list: unknown, depth: number): JsonObject {
  const into: Record<string, unknown> = Object.create(null)
  if (!Array.isArray(list)) return into
  for (let i = 0; i < list.length && i < attributeLimit; i++) {
    const pair = objectOf(list[i])
    const key = pair?.['key']
    if (typeof key === 'string') into[key] = plainValue(pair?.['value'], depth + 1)
  }
  return into
}

/** An `AnyValue` as plain JSON. Integers stay text where they are text: they can have more digits than a double. */
export function plainValue(value: unknown, depth = 0): unknown {
  if (!isObject(value)) return value
  if (depth > valueDepth) return undefined
  const scalar =
    value['stringValue'] ?? value['intValue'] ?? value['doubleValue'] ?? value['boolValue'] ?? snakeScalar(value)
  if (scalar !== undefined) return scalar
  const array = value['arrayValue'] ?? value['array_value']
  if (array !== undefined) return valuesOf(objectOf(array)?.['values'], depth)
  const pairs = value['kvlistValue'] ?? value['kvlist_value']
  if (pairs !== undefined) return pairsOf(objectOf(pairs)?.['values'], depth)
  const bytes = value['bytesValue'] ?? value['bytes_value']
  return typeof bytes === 'string' ? Buffer.from(bytes, 'base64').toString('utf8') : undefined
}

function snakeScalar(value: JsonObject): unknown {
  return value['string_value'] ?? value['int_value'] ?? value['double_value'] ?? value['bool_value']
}

function valuesOf(list: unknown, depth: number): readonly unknown[] {
  return Array.isArray(list) ? list.slice(0, attributeLimit).map((item) => plainValue(item, depth + 1)) : []
}

/**
 * What a record that says nothing about a request may carry instead: a gateway's own line in the body, as a collector
 * that tails files leaves it, or that line's fields as attributes.
 */
export function carriedBy(entry: JsonObject): readonly unknown[] {
  const otlp = otlpEntryOf(entry)
  if (otlp === null) return []
  const carried: unknown[] = []
  const body = plainValue(otlp.logRecord['body'])
  if (!isBlank(body) && (typeof body === 'string' || isObject(body))) carried.push(body)
  const attributes = attributesOf(otlp.logRecord['attributes'])
  if (Object.keys(attributes).length > 0) carried.push(attributes)
  return carried
}
