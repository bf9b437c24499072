import { awsLine } from './aws-apigw-line.ts'
import type { Evidence } from './decode.ts'
import { notations, timeFrom } from './event-time.ts'
import { EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { dottedPath, isBlank, type JsonObject, valueAt } from './json.ts'
import { labelOf } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { plainTimes } from './plain-fields.ts'
import { lastAttempt, readStatus, unreadableStatus } from './status.ts'

/**
 * AWS API Gateway's access log: JSON made of `$context` variables, and the console's CLF and CSV lines. The operator
 * chooses the keys, so each variable is looked for under its own name (flat or nested), in camelCase and in snake_case.
 */
export const awsApigw: Format = {
  name: 'aws-apigw',

  // `accountId` is the owner's own account, and `identity.apiKey` is the secret itself.
  tenant: [
    ...['authorizer.tenantId', 'authorizer.tenant_id', 'authorizer.tenant', 'authorizer.customerId'],
    ...['authorizer.principalId', 'authorizerPrincipalId', 'principalId', 'principal_id'],
    ...['authorizer.claims.sub', 'claims.sub'],
    ...['identity.apiKeyId', 'identityApiKeyId', 'apiKeyId', 'api_key_id'],
    ...['identity.user', 'user', 'identity.caller', 'caller'],
  ],
  api: ['resourcePath', 'routeKey', 'resource_path', 'route_key', 'path', 'apiId', 'api_id'],
  service: ['apiName', 'apiId', 'api_id', 'domainName'],

  accepts(name, place) {
    // A snake_case log writes the owner's account, twelve digits, under a key that elsewhere names a customer.
    if (place === 'account_id') return !/^\d{12}$/.test(name)
    return name !== '$default' || (place !== 'routeKey' && place !== 'route_key')
  },

  plain: () => plain,

  marksOf(entry) {
    if ('requestId' in entry) {
      if ('resourcePath' in entry) return resourceMarks
      if ('routeKey' in entry) return routeMarks
    }
    if ('requestTimeEpoch' in entry) return epochMarks
    if ('extendedRequestId' in entry) return extendedMarks
    return 'request_id' in entry && ('resource_path' in entry || 'route_key' in entry) ? snakeMarks : null
  },

  read(entry, index, settings) {
    // A WebSocket API logs its messages with a status that is not HTTP's; only the connection is a request.
    const event = entry['eventType'] ?? entry['event_type']
    if (event === 'MESSAGE' || event === 'DISCONNECT') return skipped(index, 'no-http')
    const status = readStatus(variable(entry, places.status))
    if (typeof status === 'string') return unreadableStatus(index, status, 'status')
    const timeMs = timeFrom(entry, timeFields)
    if (timeMs === 'bad-time') {
      return unreadable(index, 'bad-time', 'neither requestTimeEpoch (milliseconds) nor requestTime can be read')
    }
    const upstreamStatus = () => lastAttempt(variable(entry, places.integrationStatus))
    return recordAt(index, {
      format: 'aws-apigw',
      timeMs,
      status,
      names: namesOf((place) => valueAt(entry, place), settings),
      upstreamStatus,
      upstreamRefused: () => upstreamStatus() === 402,
      details: () => ({
        method: labelOf(variable(entry, places.method)),
        consumer: labelOf(variable(entry, places.consumer)),
        plan: null,
        latencyMs: latencyOf(variable(entry, places.latency), 'ms'),
        requestId: labelOf(variable(entry, places.requestId)),
      }),
      evidence: () => evidenceOf(entry),
    })
  },

  readText(text, index, settings) {
    if (executionLog.test(text)) {
      const hint = "a line of API Gateway's execution log; subscribe to the stage's access log group instead"
      return unreadable(index, 'not-a-record', hint)
    }
    const entry = awsLine(text)
    return entry === null ? null : awsApigw.read(entry, index, settings)
  },
}

const executionLog = /^\([\da-f]{8}-[\da-f-]{27}\) /

const resourceMarks = ['requestId', 'resourcePath']
const routeMarks = ['requestId', 'routeKey']
const epochMarks = ['requestTimeEpoch']
const extendedMarks = ['extendedRequestId']
const snakeMarks = ['request_id', 'resource_path or route_key']

/** Where each variable may stand, the best first. */
const places = {
  status: paths('status', 'statusCode', 'status_code', 'responseStatus'),
  // `integration.status` is what the function or server answered. For a Lambda proxy `integrationStatus` is only how
  // the call of the function went: 200, whatever the function said.
  integrationStatus: paths('integration.status', 'integrationStatus', 'integration_status'),
  method: paths('httpMethod', 'http_method', 'method'),
  consumer: paths('authorizer.principalId', 'authorizerPrincipalId', 'principalId', 'identity.user', 'user'),
  latency: paths('responseLatency', 'response_latency', 'responseLatencyMs'),
  requestId: paths('requestId', 'request_id', 'extendedRequestId'),
  responseType: paths('error.responseType', 'errorResponseType', 'responseType', 'error_response_type'),
  message: paths('error.message', 'error.messageString', 'errorMessage', 'error_message'),
  integrationError: paths('integrationErrorMessage', 'integration.error', 'integrationError', 'integration_error'),
  authorizerError: paths('authorizer.error', 'authorizerError', 'authorize.error', 'authenticate.error'),
  waf: paths('wafResponseCode', 'waf_response_code'),
}

function paths(...names: readonly string[]) {
  return names.map(dottedPath)
}

/** The value of a variable: what is not blank before what is, so that `undefined` says that nobody logs it. */
function variable(entry: JsonObject, candidates: ReturnType<typeof paths>): unknown {
  let blank: unknown
  for (const path of candidates) {
    const value = valueAt(entry, path)
    if (value === undefined) continue
    if (!isBlank(value)) return value
    blank ??= value
  }
  return blank
}

// `$context.requestTimeEpoch` counts milliseconds; `$context.requestTime` is CLF. Either may stand under any key.
const timeKeys = ['requestTimeEpoch', 'request_time_epoch', 'requestTime', 'request_time', 'timestamp', 'time']
const timeFields = timeKeys.map((key) => ({ key, as: notations.msIsoOrClf }))

const plain = {
  status: places.status.map(({ text }) => text),
  upstream: places.integrationStatus.map(({ text }) => text),
  times: plainTimes(timeFields),
}

function answererOf(entry: JsonObject): Evidence['answeredBy'] {
  if (!isBlank(variable(entry, places.responseType)) || !isBlank(variable(entry, places.message))) return 'gateway'
  const integration = variable(entry, places.integrationStatus)
  if (integration === undefined) return null
  return isBlank(integration) ? 'gateway' : 'upstream'
}

/** What was found is named by its `$context` variable, whatever the operator calls the key. */
function evidenceOf(entry: JsonObject): Evidence {
  return new EvidenceGatherer(answererOf(entry))
    .verdict(variable(entry, places.responseType), 'error.responseType')
    .verdict(variable(entry, places.waf), 'wafResponseCode')
    .text(variable(entry, places.authorizerError), 'authorizer.error')
    .text(variable(entry, places.message), 'error.message')
    .text(variable(entry, places.integrationError), 'integrationErrorMessage')
    .looseHeaders(entry)
    .done()
}
