import type { Evidence } from './decode.ts'
import { epochSeconds, isoTimeOrUtc, type TimeReading } from './event-time.ts'
import { EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { isBlank, isObject, type JsonObject, numberOf, objectOf, valueAt } from './json.ts'
import { firstLabel } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { tenantKeys } from './settings.ts'
import { readStatus, unreadableStatus } from './status.ts'

/**
 * LiteLLM's proxy: the standard logging payload that its callbacks get, and rows of its spend log, in which the
 * metadata are JSON text. `status` is a word; only a failure has an HTTP code, and a success means 200. Retries and
 * fallbacks are calls of their own.
 */
export const litellm: Format = {
  name: 'litellm',

  tenant: [
    // What the operator attaches to a key or a call for his own accounting.
    ...tenantKeys.map((key) => `metadata.spend_logs_metadata.${key}`),
    ...['metadata.user_api_key_team_id', 'team_id', 'metadata.user_api_key_org_id'],
    ...['metadata.user_api_key_user_id', 'user', 'metadata.user_api_key_alias', 'end_user'],
  ],
  api: ['model_group', 'model', 'call_type'],
  service: ['custom_llm_provider', 'error_information.llm_provider', 'metadata.error_information.llm_provider'],
  // Who uses the master key, or the built-in page, is nobody's tenant.
  accepts: (name) => !placeholders.has(name),

  marksOf(entry) {
    if (!('call_type' in entry && 'startTime' in entry)) return null
    if ('error_information' in entry || 'standard_built_in_tools_params' in entry) return payloadMarks
    if ('model_group' in entry || 'prompt_tokens' in entry) return rowMarks
    return null
  },

  unwrap(entry) {
    // A callback that writes all it is given has the payload one level down.
    const payload = entry['standard_logging_object']
    return isObject(payload) ? [payload] : null
  },

  read(raw, index, settings) {
    const entry = withMetadata(raw)
    const metadata = objectOf(entry['metadata']) ?? {}
    if (isHealthCheck(entry, metadata)) return skipped(index, 'health')
    const error = objectOf(entry['error_information']) ?? objectOf(metadata['error_information'])
    const outcome = outcomeOf(entry, metadata) ?? (error === null ? 'success' : 'failure')
    if (outcome === 'unknown') return unreadableStatus(index, 'no-status', 'status or metadata.status')
    if (outcome !== 'success' && outcome !== 'failure') {
      return unreadable(index, 'wrong-type', 'status is neither success nor failure')
    }
    const status = outcome === 'success' ? 200 : failureStatus(error)
    const startMs = instantOf(entry['startTime'])
    if (startMs === 'bad-time') {
      return unreadable(index, 'bad-time', 'startTime is neither epoch seconds nor an ISO 8601 time')
    }
    const answeredBy = outcome === 'success' ? null : isBlank(error?.['llm_provider']) ? 'gateway' : 'upstream'
    return recordAt(index, {
      format: 'litellm',
      timeMs: startMs,
      status,
      names: namesOf((place) => valueAt(entry, place), settings),
      upstreamStatus: () => (answeredBy === 'upstream' ? status : null),
      upstreamRefused: () => answeredBy === 'upstream' && status === 402,
      details: () => ({
        method: null,
        consumer: firstLabel(metadata['user_api_key_alias'], metadata['user_api_key_user_id'], entry['user']),
        plan: null,
        latencyMs: latencyIn(entry),
        requestId: firstLabel(entry['litellm_call_id'], entry['id'], entry['request_id']),
      }),
      evidence: () => evidenceOf(entry, error, answeredBy),
    })
  },
}

const payloadMarks = ['call_type', 'startTime', 'error_information']
const rowMarks = ['call_type', 'startTime', 'model_group or prompt_tokens']
const placeholders = new Set(['default_user_id', 'litellm_proxy_master_key', 'litellm-dashboard', 'None'])
const metadataChars = 1024 * 1024

/** A spend log keeps its metadata as JSON text. */
function withMetadata(entry: JsonObject): JsonObject {
  const text = entry['metadata']
  if (typeof text !== 'string' || text.length > metadataChars) return entry
  try {
    const parsed: unknown = JSON.parse(text)
    return isObject(parsed) ? { ...entry, metadata: parsed } : entry
  } catch {
    return entry
  }
}

/** The word of `status`; `unknown` where it may stand in metadata that cannot be read. */
function outcomeOf(entry: JsonObject, metadata: JsonObject): string | null {
  const word = firstLabel(entry['status'], metadata['status'])
  // Rows of older releases have no status at all: only successes were stored then.
  return word === null && typeof entry['metadata'] === 'string' && !isBlank(entry['metadata']) ? 'unknown' : word
}

/** The proxy probes its models under an account of its own. Tags say so too, but those any caller can set. */
function isHealthCheck(entry: JsonObject, metadata: JsonObject): boolean {
  const accounts = [
    metadata['user_api_key_alias'],
    metadata['user_api_key_team_id'],
    entry['team_id'],
    entry['api_key'],
  ]
  return accounts.includes('litellm-internal-health-check')
}

/** The HTTP codes of LiteLLM's exceptions, for the failures that come without one. */
const classStatus: ReadonlyMap<unknown, number> = new Map([
  // 400 in old releases, which is no longer told apart here.
  ['BudgetExceededError', 429],
  ['RateLimitError', 429],
  ['AuthenticationError', 401],
  ['PermissionDeniedError', 403],
  ['NotFoundError', 404],
  ['Timeout', 408],
  ['UnprocessableEntityError', 422],
  ['BadRequestError', 400],
  ['ContextWindowExceededError', 400],
  ['ContentPolicyViolationError', 400],
  ['InternalServerError', 500],
  ['APIConnectionError', 500],
  ['BadGatewayError', 502],
  ['ServiceUnavailableError', 503],
])

function failureStatus(error: JsonObject | null): number | null {
  const status = readStatus(error?.['error_code'])
  return typeof status === 'number' ? status : (classStatus.get(error?.['error_class']) ?? null)
}

/** Float seconds in the payload; in rows a time as text, which is UTC where it has no zone. */
function instantOf(value: unknown): TimeReading {
  return numberOf(value) === null ? isoTimeOrUtc(value) : epochSeconds(value)
}

function latencyIn(entry: JsonObject): number | null {
  const [start, end] = [numberOf(entry['startTime']), numberOf(entry['endTime'])]
  if (start !== null && end !== null) return latencyOf(end - start, 's')
  const [startMs, endMs] = [instantOf(entry['startTime']), instantOf(entry['endTime'])]
  if (typeof startMs === 'number' && typeof endMs === 'number') return latencyOf(endMs - startMs, 'ms')
  return latencyOf(entry['request_duration_ms'], 'ms')
}

function evidenceOf(entry: JsonObject, error: JsonObject | null, answeredBy: Evidence['answeredBy']): Evidence {
  const gathered = new EvidenceGatherer(answeredBy)
  if (answeredBy === null) return gathered.done()
  gathered.code(error?.['error_class'], 'error_information.error_class', 3)
  addMessage(gathered, error?.['error_message'], 'error_information.error_message')
  addMessage(gathered, entry['error_str'], 'error_str')
  return gathered.done()
}

/** An exception's text, with the provider's answer behind the names of the exceptions: as JSON or as Python prints it. */
function addMessage(gathered: EvidenceGatherer, message: unknown, where: string): void {
  gathered.text(message, where)
  if (typeof message !== 'string') return
  const start = message.search(/\{["']/)
  if (start < 0) return
  const answer = message.slice(start, start + answerChars)
  gathered.body(answer.startsWith("{'") ? jsonOf(answer) : answer, where)
}

const answerChars = 64 * 1024

/** What Python prints of a dictionary, as JSON; `None` and the like need no care, since broken JSON is read too. */
function jsonOf(printed: string): string {
  return printed.replaceAll(pythonText, (text: string, single: string | undefined) =>
    single === undefined ? text : `"${single.replaceAll("\\'", "'").replaceAll('"', '\\"')}"`,
  )
}

// A text without its end counts as ended: otherwise each of its quotes would be tried as a beginning.
const pythonText = /"(?:[^"\\]|\\.)*(?:"|\\?$)|'((?:[^'\\]|\\.)*)(?:'|\\?$)/gs
