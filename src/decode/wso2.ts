import type { Decoded, Evidence } from './decode.ts'
import { notations, timeFrom } from './event-time.ts'
import { EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, unreadable } from './format.ts'
import { isBlank, isObject, type JsonObject, valueAt } from './json.ts'
import { labelOf } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { plainTimes } from './plain-fields.ts'
import type { Settings } from './settings.ts'
import { lastAttempt, readStatus, unreadableStatus } from './status.ts'

/**
 * WSO2 API Manager's analytics events, response and fault, as bare objects or as the ELK reporter's lines in
 * `apim_metrics.log`. There is one event per request.
 */
export const wso2: Format = {
  name: 'wso2',

  // `apiCreatorTenantDomain` is the publisher's. `properties` holds what the operator's data provider adds.
  tenant: [
    ...['properties.tenant', 'properties.tenantId', 'properties.tenant_id', 'properties.customerId'],
    ...['applicationId', 'applicationOwner'],
  ],
  api: ['apiId', 'apiName', 'apiContext', 'properties.apiContext', 'apiResourceTemplate'],
  service: ['apiName'],
  // The name of every caller of an API that asks for no credentials.
  accepts: (name, place) => name !== 'anonymous' || !place.startsWith('application'),

  plain: () => plain,

  marksOf(entry) {
    if (!('apiCreatorTenantDomain' in entry)) return null
    if ('proxyResponseCode' in entry) return responseMarks
    return 'errorCode' in entry ? faultMarks : null
  },

  read(entry, index, settings) {
    const status = readStatus(entry['proxyResponseCode'])
    if (typeof status === 'string') return unreadableStatus(index, status, 'proxyResponseCode')
    const timeMs = timeFrom(entry, timeFields)
    if (timeMs === 'bad-time') {
      return unreadable(index, 'bad-time', 'requestTimestamp is neither ISO 8601 with a zone nor epoch milliseconds')
    }
    // A fault has no target: it carries -1, or the status that the gateway made up.
    const target = () => (isFault(entry) ? null : lastAttempt(entry['targetResponseCode']))
    return recordAt(index, {
      format: 'wso2',
      timeMs,
      status,
      names: namesOf((place) => valueAt(entry, place), settings),
      upstreamStatus: target,
      upstreamRefused: () => lastAttempt(entry['targetResponseCode']) === 402 && !isFault(entry),
      details: () => ({
        method: labelOf(entry['apiMethod']),
        consumer: labelOf(entry['applicationName']),
        plan: null,
        latencyMs: latencyOf(entry['responseLatency'], 'ms'),
        requestId: labelOf(entry['correlationId']),
      }),
      evidence: () => evidenceOf(entry, answererOf(entry, target(), status)),
    })
  },

  readText: (text, index, settings) => readLine(text, index, settings),
}

const responseMarks = ['proxyResponseCode', 'apiCreatorTenantDomain']
const faultMarks = ['errorCode', 'apiCreatorTenantDomain']

const timeFields = [{ key: 'requestTimestamp', as: notations.msOrIso }]
const plain = { status: ['proxyResponseCode'], upstream: ['targetResponseCode'], times: plainTimes(timeFields) }

// Log4j's own text (time, thread, class) stands before it, and no time of it has a date.
const lineMark = 'apimMetrics:'
const prefixLimit = 1_000

/** `… INFO ELKCounterMetric apimMetrics: apim:response, properties :{…}` */
function readLine(text: string, index: number, settings: Settings): Decoded | null {
  const mark = text.slice(0, prefixLimit).indexOf(lineMark)
  if (mark < 0)
    return javaMap.test(text.slice(0, prefixLimit)) ? unreadable(index, 'unsupported-format', mapHint) : null
  const start = text.indexOf('{', mark)
  if (start < 0) return unreadable(index, 'not-json', 'there are no properties behind apimMetrics')
  try {
    const parsed: unknown = JSON.parse(text.slice(start))
    if (isObject(parsed)) return wso2.read(parsed, index, settings)
  } catch {
    // Told below.
  }
  return unreadable(index, 'not-json', 'the properties behind apimMetrics are broken or cut JSON')
}

const javaMap = /\bMetric Name: \S+ Metric Value: \{/
const mapHint = 'the plain log reporter writes no JSON; set type = "elk" under [apim.analytics] in deployment.toml'

function isFault(entry: JsonObject): boolean {
  return !isBlank(entry['errorCode']) || !isBlank(entry['errorType'])
}

function answererOf(entry: JsonObject, target: number | null, status: number | null): Evidence['answeredBy'] {
  if (isFault(entry)) return 'gateway'
  if (target !== null) return target === status ? 'upstream' : 'gateway'
  return 'targetResponseCode' in entry ? 'gateway' : null
}

function evidenceOf(entry: JsonObject, answeredBy: Evidence['answeredBy']): Evidence {
  const gathered = new EvidenceGatherer(answeredBy)
    .verdict(entry['errorCode'], 'errorCode')
    // A word such as SUBSCRIPTION_LIMIT_EXCEEDED, coarser than the code.
    .verdict(entry['errorMessage'], 'errorMessage')
    .verdict(entry['errorType'], 'errorType')
    .text(entry['errorMessage'], 'errorMessage')
  const properties = entry['properties']
  if (isObject(properties)) gathered.looseHeaders(properties)
  return gathered.done()
}
