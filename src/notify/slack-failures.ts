import { type Failure, type FailureReason, failed } from './receiver.ts'

/** Somebody may mend a revoked webhook or an archived channel within the day, so it is tried again, but rarely. */
const restMs = 600_000

/** Slack sends whole seconds. */
export function retryAfterMs(header: string | null, fallbackMs = 30_000): number {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1_000 : fallbackMs
}

/** What an HTTP status that is no success means for a message. */
export function statusFailure(status: number, word: string, retryAfter: string | null): Failure {
  const detail = word === '' ? `HTTP ${status}` : `HTTP ${status} ${word}`
  if (status === 429) return failed('rate-limited', detail, { retryAfterMs: retryAfterMs(retryAfter) })
  if (status === 408) return failed('timeout', detail)
  if (status >= 500) return failed('server-error', detail, { retryAfterMs: retryAfterMs(retryAfter, 0) })
  if (status === 413) return failed('refused', detail, { final: true })
  return failed(status === 401 || status === 403 ? 'authentication' : 'refused', detail, { retryAfterMs: restMs })
}

/** `fetch` puts the address into some of its messages, so only the code is looked at. */
export function thrownFailure(error: unknown): Failure {
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return failed('timeout', 'no answer in time')
  const cause: unknown = error instanceof Error ? error.cause : undefined
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  const detail = /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'no connection'
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return failed('timeout', detail)
  return /CERT|SELF_SIGNED|^ERR_(?:TLS|SSL)|ALTNAME/.test(code) ? failed('tls', detail) : failed('connection', detail)
}

interface Meaning {
  readonly reason: FailureReason
  /** The message itself will never be taken. */
  readonly final?: true
  /** What to do, for the log and for `test-receiver`. */
  readonly hint?: string
}

const wrongToken: Meaning = { reason: 'authentication', hint: 'the bot token is wrong, expired or revoked' }
const ourFault: Meaning = { reason: 'refused', final: true }
const passing: Meaning = { reason: 'server-error' }

/** Slack's words for what went wrong, from the lists of chat.postMessage, chat.update and the methods for files. */
const meanings: Readonly<Record<string, Meaning>> = {
  not_authed: wrongToken,
  invalid_auth: wrongToken,
  account_inactive: wrongToken,
  token_revoked: wrongToken,
  token_expired: wrongToken,
  not_allowed_token_type: { reason: 'authentication', hint: 'a bot token is needed, it begins with xoxb-' },
  missing_scope: { reason: 'authentication', hint: 'the app lacks a scope: add it and install the app again' },
  no_permission: { reason: 'authentication', hint: 'the app is not allowed to do this' },
  access_denied: { reason: 'authentication', hint: 'the app is not allowed to do this' },
  ekm_access_denied: { reason: 'authentication', hint: 'an administrator has suspended posting' },
  channel_not_found: { reason: 'refused', hint: 'give the ID of the channel, and invite the bot if it is private' },
  not_in_channel: { reason: 'refused', hint: 'invite the bot to the channel' },
  is_archived: { reason: 'refused', hint: 'the channel is archived' },
  restricted_action: { reason: 'refused', hint: 'the workspace does not let apps post there' },
  ratelimited: { reason: 'rate-limited' },
  rate_limited: { reason: 'rate-limited' },
  msg_too_long: ourFault,
  msg_blocks_too_long: ourFault,
  no_text: ourFault,
  invalid_blocks: ourFault,
  invalid_blocks_format: ourFault,
  invalid_arguments: ourFault,
  metadata_too_large: ourFault,
  internal_error: passing,
  fatal_error: passing,
  service_unavailable: passing,
  request_timeout: { reason: 'timeout' },
}

/** What `ok: false` with this word means; `needed` is the scope that Slack names beside `missing_scope`. */
export function wordFailure(
  word: string,
  { needed, retryAfter }: { needed: string; retryAfter: string | null },
): Failure {
  const meaning = Object.hasOwn(meanings, word) ? meanings[word] : undefined
  const said = needed === '' ? word : `${word} ${needed}`
  const detail = meaning?.hint === undefined ? said : `${said}: ${meaning.hint}`
  const reason = meaning?.reason ?? 'refused'
  if (reason === 'rate-limited') return failed(reason, detail, { retryAfterMs: retryAfterMs(retryAfter) })
  if (reason === 'server-error' || reason === 'timeout') return failed(reason, detail)
  return failed(reason, detail, meaning?.final === true ? { final: true } : { retryAfterMs: restMs })
}
