import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeOptions } from '../../src/decode/options.ts'
import { isTimeZone, TimeZone } from '../../src/decode/time-zone.ts'
import { decodeOne, recordOf } from './decoding.ts'

function isoOf(zone: string, shown: string): string {
  const at = new TimeZone(zone).read(shown)
  return typeof at === 'number' ? new Date(at).toISOString() : String(at)
}

describe('a time without a zone', () => {
  test.each([
    ['UTC', '2026/10/05 - 08:15:36.042', '2026-10-05T08:15:36.042Z'],
    ['UTC', '2026-10-05 08:15:36', '2026-10-05T08:15:36.000Z'],
    ['UTC', '2026-10-05T08:15:36,0429', '2026-10-05T08:15:36.042Z'],
    ['Asia/Shanghai', '2026-10-05 16:15:36', '2026-10-05T08:15:36.000Z'],
    ['Asia/Kathmandu', '2026/10/05 - 14:00:36', '2026-10-05T08:15:36.000Z'],
    ['America/New_York', '2026/10/05 - 04:15:36', '2026-10-05T08:15:36.000Z'],
    ['Pacific/Kiritimati', '2026-01-01 00:00:00', '2025-12-31T10:00:00.000Z'],
    // In Berlin summer time ends at 03:00 on 25 October, so that 02:30 comes twice: the first one is meant.
    ['Europe/Berlin', '2026/10/25 - 01:59:59', '2026-10-24T23:59:59.000Z'],
    ['Europe/Berlin', '2026/10/25 - 02:30:00', '2026-10-25T00:30:00.000Z'],
    ['Europe/Berlin', '2026/10/25 - 03:00:00', '2026-10-25T02:00:00.000Z'],
    // It begins at 02:00 on 29 March, so that 02:30 never comes.
    ['Europe/Berlin', '2026/03/29 - 01:59:59', '2026-03-29T00:59:59.000Z'],
    ['Europe/Berlin', '2026/03/29 - 02:00:00', 'bad-time'],
    ['Europe/Berlin', '2026/03/29 - 02:59:59', 'bad-time'],
    ['Europe/Berlin', '2026/03/29 - 03:00:00', '2026-03-29T01:00:00.000Z'],
    // Lord Howe moves its clocks by half an hour.
    ['Australia/Lord_Howe', '2026-10-04 01:59:00', '2026-10-03T15:29:00.000Z'],
    ['Australia/Lord_Howe', '2026-10-04 02:15:00', 'bad-time'],
    ['Australia/Lord_Howe', '2026-10-04 02:30:00', '2026-10-03T15:30:00.000Z'],
    // Samoa had no 30 December 2011.
    ['Pacific/Apia', '2011-12-30 12:00:00', 'bad-time'],
    ['Pacific/Apia', '2011-12-31 12:00:00', '2011-12-30T22:00:00.000Z'],
  ])('is, by the clock of %s, from %j the moment %s', (zone, shown, expected) => {
    expect(isoOf(zone, shown)).toBe(expected)
  })

  test.each([
    ['2026-02-29 08:15:36', 'bad-time'],
    ['2026/10-05 08:15:36', 'bad-time'],
    ['2026-10-05 08:15', 'bad-time'],
    ['2026-10-05 08:15:36Z', 'bad-time'],
    ['05/Oct/2026:08:15:36', 'bad-time'],
    [1791188136, 'bad-time'],
    [{}, 'bad-time'],
    ['2026-10-05 08:15:36'.padEnd(60, '0'), 'bad-time'],
    ['', null],
    ['-', null],
    [undefined, null],
  ])('gives %j the reading %j', (value, expected) => {
    expect(new TimeZone('Europe/Berlin').read(value)).toBe(expected)
  })

  test('that a clock showed comes back as the moment, or an hour earlier where it showed it twice', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns']
    const format = new Map(
      zones.map((timeZone) => [
        timeZone,
        new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }),
      ]),
    )
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 26_000_000, max: 33_000_000 }), (zone, minutes) => {
        const at = minutes * 60_000
        const shown = format.get(zone)?.format(at) ?? ''
        const read = new TimeZone(zone).read(shown)
        expect(typeof read).toBe('number')
        const difference = at - Number(read)
        if (difference === 0) return
        expect([30 * 60_000, 60 * 60_000]).toContain(difference)
        expect(format.get(zone)?.format(Number(read))).toBe(shown)
      }),
      { numRuns: 300 },
    )
  })

  test('is read alike whatever was asked before', () => {
    const zone = new TimeZone('Europe/Berlin')
    const times = ['2026/10/25 - 01:59:59', '2026/03/29 - 02:30:00', '2026/10/25 - 03:14:00', '2026/10/25 - 03:15:00']
    const one = times.map((time) => zone.read(time))
    expect(times.toReversed().map((time) => zone.read(time))).toEqual(one.toReversed())
    expect(one).toEqual(times.map((time) => new TimeZone('Europe/Berlin').read(time)))
  })
})

describe('decode.time_zone', () => {
  test('is whose clock time_local of Apinto shows, and matters to no other time', () => {
    const settings = { time_zone: 'Asia/Shanghai' }
    const local = {
      request_id: 'r',
      application: 'a',
      status: 402,
      proxy_status: '',
      time_local: '2026-10-05 16:15:36',
    }
    expect(recordOf(settings, { ...local, msec: '' }).timeMs).toBe(Date.UTC(2026, 9, 5, 8, 15, 36))
    expect(recordOf(settings, { ...local, msec: 1791188136042 }).timeMs).toBe(1791188136042)
    expect(recordOf(settings, { ...local, time_iso8601: '2026-10-05T08:15:36Z' }).timeMs).toBe(1791188136000)
    expect(decodeOne(settings, { ...local, time_local: 'noon' })).toMatchObject({ failure: 'bad-time' })
  })

  test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('takes %s', (name) => {
    expect(isTimeZone(name)).toBe(true)
    expect(decodeOptions.parse({ time_zone: name }).time_zone).toBe(name)
  })

  test.each(['', 'Berlin', 'Europe/Atlantis', '+02:00', 'local', 'A'.repeat(80)])('refuses %j and says why', (name) => {
    expect(isTimeZone(name)).toBe(false)
    expect(decodeOptions.safeParse({ time_zone: name }).error?.issues).toMatchObject([
      { path: ['time_zone'], message: expect.stringContaining('Europe/Berlin') },
    ])
  })
})
