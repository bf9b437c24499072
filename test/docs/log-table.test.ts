import { expect, test } from 'vitest'
import { causeOf } from '../../src/classify/classify.ts'
import { createDecoder } from '../../src/decode/create.ts'
import { decodeOptions } from '../../src/decode/options.ts'

const at = 1791188136042

/** A refused call of each gateway with nothing but what the README's table says to log, and the cause it tells. */
const told: readonly (readonly [string, object, string])[] = [
  [
    'apipark',
    { msec: at, request_id: 'r', application: 'acme', status: 402, proxy_status: '', handler: 'limiting' },
    'quota_exceeded',
  ],
  [
    'apipark',
    {
      msec: at,
      request_id: 'r',
      status: 402,
      proxy_status: 402,
      proxy_response_body: '{"message":"Insufficient Balance"}',
    },
    'insufficient_funds',
  ],
  [
    'kong',
    { started_at: at, latencies: {}, response: { status: 402, body: '{"code":"card_declined"}' } },
    'payment_failed',
  ],
  [
    'kong',
    { started_at: at, latencies: {}, response: { status: 402, headers: { 'x-error-code': 'subscription_expired' } } },
    'subscription_expired',
  ],
  [
    'apisix',
    { start_time: at, route_id: '1', upstream: 'u', response: { status: 402, body: '{"code":"insufficient_quota"}' } },
    'quota_exceeded',
  ],
  [
    'envoy',
    {
      response_code: 402,
      response_flags: '-',
      route_name: 'r',
      tenant: 'acme',
      response_header_x_error_code: 'card_declined',
    },
    'payment_failed',
  ],
  [
    'nginx',
    {
      request_uri: '/',
      status: 402,
      msec: '1791188136.042',
      upstream_status: '402',
      sent_http_x_error_code: 'insufficient_funds',
    },
    'insufficient_funds',
  ],
]

test.each(told)('What the README says to log for %s tells the cause: %o', (format, entry, cause) => {
  const [decoded] = createDecoder(decodeOptions.parse({})).decode(Buffer.from(JSON.stringify(entry)))
  expect(decoded).toMatchObject({ kind: 'record', record: { format, status: 402 } })
  if (decoded?.kind !== 'record') return
  expect(causeOf(decoded.record, []).cause).toBe(cause)
})
