import { describe, expect, test } from 'vitest'
import { Fault } from '../../src/fault/fault.ts'
import { createLog, type LogLevel, mask } from '../../src/telemetry/log.ts'
import { ManualClock } from '../../src/time/clock.ts'

function record(options: { level?: LogLevel; pretty?: boolean } = {}) {
  const lines: string[] = []
  const log = createLog({
    level: options.level ?? 'debug',
    clock: new ManualClock(Date.UTC(2026, 4, 1, 12, 0, 1)),
    output: { write: (line) => lines.push(line) },
    pretty: options.pretty ?? false,
  })
  return { log, lines }
}

describe('the log', () => {
  test('writes one JSON object a line, with the clock of the daemon', () => {
    const { log, lines } = record()
    log.info('window closed', { series: 3 })
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: '2026-05-01T12:00:01.000Z',
      message: 'window closed',
      series: 3,
    })
  })

  test('leaves out what is less severe than asked for', () => {
    const { log, lines } = record({ level: 'warn' })
    log.debug('a')
    log.info('b')
    log.warn('c')
    log.error('d')
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(['warn', 'error'])
  })

  test('never writes a secret field, whatever its depth', () => {
    const { log, lines } = record()
    log.warn('mail refused', { password: 'hunter2-a', receiver: { token: 'hunter2-b', name: 'ops' } })
    expect(lines.join('')).not.toContain('hunter2')
    expect(lines.join('')).toContain('ops')
  })

  test('writes errors by code and message, without stack and without what their message quotes', () => {
    const { log, lines } = record()
    const cause = new Error('POST https://user:hunter2@store.example/?password=hunter2')
    log.error('history is away', { error: new Fault('store-unreachable', 'no answer', { retryable: true, cause }) })
    const { error } = JSON.parse(lines[0] ?? '')
    expect(error).toEqual({
      name: 'Fault',
      code: 'store-unreachable',
      message: 'no answer',
      cause: 'POST https://[redacted]@store.example/?[redacted]',
    })
  })

  test('writes one short line for people on a terminal', () => {
    const { log, lines } = record({ pretty: true })
    log.warn('lane is\npaused', { lane: 'gateway-logs/3', why: 'store away' })
    expect(lines).toEqual(['12:00:01 \u001b[33mWARN \u001b[0m lane is paused lane=gateway-logs/3 why="store away"\n'])
  })
})

test.each([
  ['https://hooks.slack.com/services/T0/B0/xyz failed', 'https://hooks.slack.com/[redacted] failed'],
  ['sent Bearer abc.def-123456', 'sent Bearer [redacted]'],
  ['GET https://a.example/x?key=1 said 500', 'GET https://a.example/x?[redacted] said 500'],
  ['nothing to hide: 5 of 7?', 'nothing to hide: 5 of 7?'],
])('masks %j', (text, masked) => {
  expect(mask(text)).toBe(masked)
})
