import { expect, test } from 'vitest'
import { isLoopback, parseListen, urlOf } from '../../src/telemetry/address.ts'
import { telemetryOptions } from '../../src/telemetry/options.ts'

test('has a default for every setting', () => {
  expect(telemetryOptions.parse({})).toEqual({ listen: '127.0.0.1:9464', top_series: 1_000, log_level: 'info' })
})

test.each([{ listen: 'nowhere' }, { top_series: 0 }, { top_serie: 5 }, { log_level: 'loud' }])(
  'refuses %j',
  (input) => {
    expect(telemetryOptions.safeParse(input).success).toBe(false)
  },
)

test.each([
  ['127.0.0.1:8402', { host: '127.0.0.1', port: 8402 }, 'http://127.0.0.1:8402'],
  ['[::1]:0', { host: '::1', port: 0 }, 'http://[::1]:0'],
  ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }, 'http://0.0.0.0:80'],
])('reads %s', (text, address, url) => {
  expect(parseListen(text)).toEqual(address)
  expect(urlOf(address)).toBe(url)
})

test.each(['8402', ':8402', '127.0.0.1', '127.0.0.1:70000', 'a b:1', '::1:80'])('reads no address from %j', (text) => {
  expect(parseListen(text)).toBeNull()
})

test.each([
  ['127.0.0.1', true],
  ['127.8.0.1', true],
  ['localhost', true],
  ['[::1]', true],
  ['0.0.0.0', false],
  ['127.0.0.1.rebound.example', false],
  ['10.0.0.1', false],
])('knows whether %s is loopback', (host, loopback) => {
  expect(isLoopback(host)).toBe(loopback)
})
