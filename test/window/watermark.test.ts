import { describe, expect, test } from 'vitest'
import { eventTime } from '../../src/time/event-time.ts'
import { Watermark } from '../../src/window/watermark.ts'

const now = Date.UTC(2026, 9, 5, 8, 0, 0)
const hour = 3_600_000

describe('Watermark', () => {
  const watermark = () => new Watermark({ latenessMs: 30_000, idleAfterMs: 30_000 })

  test('is the least newest time of the lanes that deliver, minus the lateness', () => {
    const mark = watermark()
    mark.open('a', now, false)
    mark.open('b', now, false)
    mark.seen('a', now, now, now)
    expect(mark.value()).toBeNull()
    mark.seen('b', now - 5_000, now, now)
    expect(mark.value()).toBe(now - 35_000)
  })

  test('does not wait for a lane that has nothing to read', () => {
    const mark = watermark()
    mark.open('a', now, false)
    mark.open('empty', now, true)
    mark.seen('a', now, now, now)
    expect(mark.value()).toBe(now - 30_000)
  })

  test('lets a lane go that is read to its end and silent, and takes it back with its next record', () => {
    const mark = watermark()
    mark.open('a', now, false)
    mark.open('b', now, false)
    mark.seen('a', now, now, now)
    mark.seen('b', now - 20_000, now, now)
    mark.rest('b', now + 29_000, true)
    expect(mark.value()).toBe(now - 50_000)
    mark.rest('b', now + 30_000, true)
    expect(mark.value()).toBe(now - 30_000)
    mark.seen('b', now - 10_000, now + 31_000, now + 31_000)
    expect(mark.value()).toBe(now - 40_000)
  })

  test('keeps waiting for a silent lane that still has something to read', () => {
    const mark = watermark()
    mark.open('a', now, false)
    mark.open('b', now, false)
    mark.seen('a', now, now, now)
    mark.seen('b', now - 20_000, now, now)
    mark.rest('b', now + hour, false)
    expect(mark.value()).toBe(now - 50_000)
  })

  test('is not moved beyond its arrival by a stamp from the future', () => {
    const mark = watermark()
    mark.open('a', now, false)
    mark.seen('a', now + 50_000, now, now)
    expect(mark.value()).toBe(now - 30_000)
  })

  test('stands still when every lane is silent', () => {
    const mark = watermark()
    mark.open('a', now, false)
    mark.seen('a', now, now, now)
    mark.rest('a', now + hour, true)
    expect(mark.value()).toBe(now - 30_000)
  })
})

describe('eventTime', () => {
  test.each([
    ['takes the stamp of the record', now - 1_000, now, { ok: true, timeMs: now - 1_000, skewed: false }],
    ['lets the arrival stand in for a missing stamp', null, now, { ok: true, timeMs: now, skewed: false }],
    [
      'takes a stamp that is a little ahead as it is',
      now + 50_000,
      now,
      { ok: true, timeMs: now + 50_000, skewed: false },
    ],
    ['places a stamp from a wrong zone at its arrival', now + 8 * hour, now, { ok: true, timeMs: now, skewed: true }],
    [
      'takes a late shipment of last month',
      now - 30 * 24 * hour,
      now,
      { ok: true, timeMs: now - 30 * 24 * hour, skewed: false },
    ],
  ])('%s', (_, stamped, arrived, expected) => {
    expect(eventTime(stamped, arrived, now)).toEqual(expected)
  })

  test.each([
    ['future-time', now + 24 * hour, now],
    ['too-old', now - 91 * 24 * hour, now],
    ['bad-time', 0, now],
  ])('turns away %s', (failure, stamped, arrived) => {
    expect(eventTime(stamped, arrived, now)).toMatchObject({ ok: false, failure })
  })

  test('takes any age from a source that does not know when a record arrived', () => {
    expect(eventTime(Date.UTC(2020, 0, 1), null, now)).toMatchObject({ ok: true })
  })
})
