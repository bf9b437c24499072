import { expect, test } from 'vitest'
import { createDecoder } from '../../src/decode/create.ts'
import { decodeOptions } from '../../src/decode/options.ts'
import { bytesOf, decodeOne } from './decoding.ts'

const kong = { latencies: {}, started_at: 1, response: { status: 200 } }
const nginx = { status: 200, request_uri: '/a', body_bytes_sent: 3, msec: '1791188136.042' }
const apipark = {
  msec: 1791188136042,
  request_id: 'r',
  application: 'a',
  status: 200,
  proxy_status: 200,
  request_uri: '/a',
  request_time: 5,
}
// Has the marks of both, as a custom NGINX format may.
const both = { ...nginx, route_id: 'r', service_id: 's' }

function formatsOf(values: readonly unknown[]): readonly string[] {
  const decoder = createDecoder(decodeOptions.parse({}))
  return values.flatMap((value) =>
    decoder.decode(bytesOf(value)).map((entry) => (entry.kind === 'record' ? entry.record.format : entry.kind)),
  )
}

test('notices that the layout changes', () => {
  expect(formatsOf([kong, kong, nginx, apipark, kong])).toEqual(['kong', 'kong', 'nginx', 'apipark', 'kong'])
})

test('stays with the layout of the lane for a record that two layouts recognise', () => {
  expect(formatsOf([nginx, both])).toEqual(['nginx', 'nginx'])
  expect(formatsOf([{ ...both, apisix_latency: 1 }, both])).toEqual(['apisix', 'apisix'])
})

test('keeps its layout across entries that it cannot read', () => {
  expect(formatsOf([nginx, 'rubbish', { a: 1 }, both])).toEqual(['nginx', 'unreadable', 'unreadable', 'nginx'])
})

test('keeps a layout for one decoder only', () => {
  expect(formatsOf([nginx])).toEqual(['nginx'])
  expect(formatsOf([both])).toEqual(['apisix'])
})

test('does not guess a record from a status and a time, and shows the keys it saw', () => {
  const decoded = decodeOne({}, { status: 402, time: '2026-10-05T08:15:36Z', secret_value: 'hush' })
  expect(decoded).toMatchObject({
    failure: 'unknown-format',
    message: expect.stringContaining('status, time, secret_value'),
  })
  expect(JSON.stringify(decoded)).not.toContain('hush')
})

test('shows no key that could be a secret', () => {
  const decoded = decodeOne({}, { sk_live_4eC39HqLyjWDarjtT1zdp7dc: 1, 'jo@example.org': 2, status: 402 })
  expect(decoded).toMatchObject({ message: expect.stringContaining('the keys status and 2 more') })
})

test('leaves custom layouts alone while there is no mapping', () => {
  expect(decodeOne({ custom: { status: 'st' } }, { st: 402 })).toMatchObject({ kind: 'record' })
  expect(decodeOne({}, { st: 402 })).toMatchObject({ failure: 'unknown-format' })
})
