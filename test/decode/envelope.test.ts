import { describe, expect, test } from 'vitest'
import { decodeAll, decodeOne, recordOf } from './decoding.ts'

const kong = {
  latencies: { request: 1 },
  started_at: 1791188136042,
  response: { status: 402 },
  route: { name: 'orders' },
}
const apisix = {
  apisix_latency: 1,
  start_time: 1791188136042,
  route_id: 'orders',
  response: { status: 402, headers: {} },
}
const envoy = { start_time: '2026-10-05T08:15:36.042Z', response_code: 402, response_flags: '-', route_name: 'orders' }
const traefik = {
  DownstreamStatus: 402,
  RouterName: 'orders@file',
  StartUTC: '2026-10-05T08:15:36.042Z',
  level: 'info',
  msg: '',
}
const nginxText = '203.0.113.9 - - [05/Oct/2026:08:15:36 +0000] "GET /orders?a=b HTTP/1.1" 402 58 "-" "curl/8.9.1"'
const envoyText =
  '[2026-10-05T08:15:36.042Z] "GET /orders HTTP/1.1" 402 - 0 12 3 2 "-" "curl/8.9.1" "r-1" "h" "10.0.0.1:80"'

/** A gateway's own line, and the time and API that stand in it. */
const lines: [gateway: string, line: string, expected: object][] = [
  ['kong', JSON.stringify(kong), { format: 'kong', api: 'orders' }],
  ['apisix', JSON.stringify([apisix]), { format: 'apisix', api: 'orders' }],
  ['envoy', JSON.stringify(envoy), { format: 'envoy', api: 'orders' }],
  ['nginx text', nginxText, { format: 'nginx', api: '/orders', timeMs: 1791188136000 }],
  ['traefik', JSON.stringify(traefik), { format: 'traefik', api: 'orders@file' }],
  ['envoy text', envoyText, { format: 'envoy', api: '/orders', requestId: 'r-1' }],
]

const read = '2026-10-05T09:00:00.000Z'
const agent = { type: 'filebeat', version: '8.17.0', id: 'a-1' }

const shippers: [shipper: string, wrap: (line: string) => unknown][] = [
  [
    'Filebeat',
    (message) => ({
      '@timestamp': read,
      '@metadata': { beat: 'filebeat', type: '_doc', version: '8.17.0' },
      message,
      log: { offset: 12, file: { path: '/var/log/gw/access.log' } },
      ecs: { version: '8.0.0' },
      host: { name: 'gw-1' },
      input: { type: 'filestream' },
      agent,
    }),
  ],
  ['Filebeat without its metadata', (message) => ({ '@timestamp': read, message, fields: { app: 'gw' }, agent })],
  [
    'Elastic Agent',
    (message) => ({
      '@timestamp': read,
      message,
      data_stream: { dataset: 'generic', type: 'logs' },
      elastic_agent: { id: 'a-1' },
      agent,
      event: { dataset: 'generic' },
    }),
  ],
  ['Logstash', (message) => ({ '@timestamp': read, '@version': '1', message, event: { original: message }, host: {} })],
  [
    'Fluent Bit in Kubernetes',
    (log) => ({
      '@timestamp': 1791190800.042,
      stream: 'stdout',
      logtag: 'F',
      log: `${log}\n`,
      kubernetes: { pod_name: 'gw-1', labels: { tenant: 'not-this' } },
    }),
  ],
  ['Fluent Bit from a file', (log) => ({ '@timestamp': read, log })],
  [
    'Fluent Bit with a container parser',
    (message) => ({ '@timestamp': read, stream: 'stderr', _p: 'F', time: read, message }),
  ],
  ["Docker's fluentd driver", (log) => ({ container_id: 'c1', container_name: '/gw', source: 'stdout', log })],
  ["Docker's json-file", (log) => ({ log: `${log}\n`, stream: 'stdout', time: read })],
  [
    'Vector from a file',
    (message) => ({ file: '/a.log', host: 'gw-1', message, source_type: 'file', timestamp: read }),
  ],
  [
    'Vector in Kubernetes',
    (message) => ({
      kubernetes: { pod_name: 'gw-1' },
      message,
      source_type: 'kubernetes_logs',
      stream: 'stdout',
      timestamp: read,
    }),
  ],
  [
    'journald',
    (MESSAGE) => ({ MESSAGE, PRIORITY: '6', SYSLOG_IDENTIFIER: 'gw', _SYSTEMD_UNIT: 'gw.service', _HOSTNAME: 'gw-1' }),
  ],
  [
    'GELF',
    (short_message) => ({
      version: '1.1',
      host: 'gw-1',
      short_message,
      timestamp: 1791190800.042,
      level: 6,
      _pod: 'p',
    }),
  ],
  ['a shipper that leaves line and time', (message) => ({ '@timestamp': read, host: 'gw-1', message })],
  ['Kafka Connect with text', (payload) => ({ schema: { type: 'string', optional: false }, payload })],
  [
    'CloudWatch',
    (message) => ({ messageType: 'DATA_MESSAGE', logGroup: 'gw', logEvents: [{ id: '1', timestamp: 1, message }] }),
  ],
  ['a container runtime', (line) => `${read} stdout F ${line}`],
  ['a container runtime with nanoseconds', (line) => `2026-10-05T11:00:00.042194835+02:00 stderr F ${line}`],
  ['a JSON text', (line) => JSON.stringify(line)],
]

const inside = { status: 402, timeMs: 1791188136042, tenant: null }

describe.each(shippers)('%s', (_, wrap) => {
  test.each(lines)('carries a line of %s', (_gateway, line, expected) => {
    expect(recordOf({}, wrap(line))).toMatchObject({ ...inside, ...expected })
  })

  test('carries a line for a format that is set', () => {
    expect(recordOf({ format: 'envoy' }, wrap(envoyText))).toMatchObject({ ...inside, format: 'envoy' })
    expect(recordOf({ format: 'kong' }, wrap(JSON.stringify(kong)))).toMatchObject({ ...inside, format: 'kong' })
  })

  test.each(['GET /health', '{"latencies":{},"started_at":17', '{"level":"info","msg":"started"}', '42', '[]', ''])(
    'is not made a record of when it carries %j',
    (line) => {
      const decoded = decodeAll({}, wrap(line))
      expect(decoded.length).toBe(1)
      expect(decoded[0]).toMatchObject({ kind: 'unreadable' })
    },
  )
})

describe('opening wrappers', () => {
  test.each([
    ['Filebeat', { '@timestamp': read, '@metadata': { beat: 'filebeat' }, json: kong }],
    ['Fluent Bit', { '@timestamp': read, log_processed: kong, kubernetes: { pod_name: 'gw-1' }, stream: 'stdout' }],
    ['Vector', { message: kong, source_type: 'file', timestamp: read, host: 'gw-1' }],
    ['Kafka Connect', { schema: { type: 'struct', fields: [] }, payload: kong }],
  ])('takes the fields that %s has parsed', (_, value) => {
    expect(recordOf({}, value)).toMatchObject({ ...inside, format: 'kong', api: 'orders' })
  })

  test('prefers the line to what was parsed of it', () => {
    const both = { log: JSON.stringify(kong), log_processed: { level: 'info' }, kubernetes: {}, stream: 'stdout' }
    expect(recordOf({}, both)).toMatchObject({ format: 'kong' })
  })

  test('takes fields that were merged into the wrapper', () => {
    const merged = { ...kong, '@timestamp': read, stream: 'stdout', kubernetes: { pod_name: 'gw-1' } }
    expect(recordOf({}, merged)).toMatchObject({ ...inside, format: 'kong', api: 'orders' })
    // Fluent Bit can keep the line beside them.
    expect(recordOf({}, { ...merged, log: JSON.stringify(kong) })).toMatchObject({ format: 'kong' })
    expect(recordOf({}, { ...envoy, '@timestamp': read, log: JSON.stringify(envoy), stream: 'stdout' })).toMatchObject({
      format: 'envoy',
    })
  })

  test('leaves the message that a record has of its own', () => {
    const told = { ...envoy, message: '{"level":"info"}', log: 'text' }
    expect(recordOf({}, told)).toMatchObject({ format: 'envoy', status: 402 })
  })

  test.each([
    ['twice', JSON.stringify(JSON.stringify(kong))],
    ['three times', JSON.stringify(JSON.stringify(JSON.stringify(kong)))],
    [
      'in Docker in Filebeat',
      JSON.stringify({ '@metadata': {}, message: JSON.stringify({ log: JSON.stringify(kong), stream: 'stdout' }) }),
    ],
    [
      'in Docker in Filebeat in Kafka Connect',
      JSON.stringify({
        schema: {},
        payload: { '@metadata': {}, message: JSON.stringify({ log: JSON.stringify(kong), stream: 'stdout' }) },
      }),
    ],
    [
      'in a text in Docker in a text',
      JSON.stringify(JSON.stringify({ log: JSON.stringify(JSON.stringify(kong)), stream: 'stdout' })),
    ],
  ])('reads what is wrapped %s', (_, value) => {
    expect(recordOf({}, value)).toMatchObject({ format: 'kong', api: 'orders' })
  })

  test('does not open without end', () => {
    let text = JSON.stringify(kong)
    for (let i = 0; i < 12; i++) text = JSON.stringify(text)
    expect(decodeOne({}, text)).toMatchObject({ kind: 'unreadable', failure: 'not-a-record' })
    let wrapped: object = kong
    for (let i = 0; i < 200; i++) wrapped = { schema: {}, payload: wrapped }
    expect(decodeOne({}, wrapped)).toMatchObject({ kind: 'unreadable' })
  })

  test('numbers the lines of all events', () => {
    const events = [JSON.stringify(kong), 'rubbish', envoyText, JSON.stringify([apisix, apisix])]
    const value = { messageType: 'DATA_MESSAGE', logEvents: events.map((message, id) => ({ id, message })) }
    const decoded = decodeAll({}, [value, { '@metadata': {}, message: envoyText }])
    expect(decoded.map((one) => [one.index, one.kind === 'record' ? one.record.format : one.kind])).toEqual([
      [0, 'kong'],
      [1, 'unreadable'],
      [2, 'envoy'],
      [3, 'apisix'],
      [4, 'apisix'],
      [5, 'envoy'],
    ])
  })

  test('leaves the message of an application to its layout', () => {
    const told = { '@timestamp': read, '@version': 1, level: 'INFO', message: 'Starting', module: 'KRAKEND' }
    expect(decodeOne({}, told)).toEqual({ kind: 'skipped', index: 0, reason: 'event' })
  })

  test('skips what only tests the way', () => {
    expect(decodeOne({}, { messageType: 'CONTROL_MESSAGE', logEvents: [{ message: 'test' }] })).toEqual({
      kind: 'skipped',
      index: 0,
      reason: 'control',
    })
  })

  test.each([
    ['a tombstone of Kafka Connect', { schema: null, payload: null }],
    ['an event without a line', { '@metadata': {}, message: null, agent }],
    ['bytes of journald', { MESSAGE: [123, 34], _SYSTEMD_UNIT: 'gw.service' }],
    ['a wrapper with a status only in its parts', { source_type: 'file', message: 'x', nested: { status: 402 } }],
  ])('makes no record of %s', (_, value) => {
    expect(decodeOne({}, value)).toMatchObject({ kind: 'unreadable' })
  })
})
