import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contains, timeIntervalShape } from '../../src/notify/time-interval.ts'
import { dayOf, momentOf, wallTime } from '../../src/time/local-time.ts'

function isIn(interval: unknown, at: string, tenant: string | null = null): boolean {
  return contains(timeIntervalShape.parse(interval), Date.parse(at), { tenant, routing: 'UTC' })
}

const office = { weekdays: ['monday:friday'], times: [{ start_time: '08:00', end_time: '18:00' }] }

describe('a time interval', () => {
  test.each([
    ['from its first minute', office, '2026-03-02T08:00:00Z', true],
    ['up to its last, which is left out', office, '2026-03-02T18:00:00Z', false],
    ['not a minute before', office, '2026-03-02T07:59:59Z', false],
    ['on the days it names', office, '2026-03-07T12:00:00Z', false],
    ['up to midnight', { times: [{ start_time: '22:00', end_time: '24:00' }] }, '2026-03-02T23:59:59Z', true],
    ['at any time when it names none', {}, '2026-03-02T23:59:59Z', true],
    ['on the last day of a leap February', { days_of_month: ['-1'] }, '2028-02-29T12:00:00Z', true],
    ['not on the 28th of it', { days_of_month: ['-1'] }, '2028-02-28T12:00:00Z', false],
    ['on the last three days', { days_of_month: ['-3:-1'] }, '2026-04-28T12:00:00Z', true],
    [
      'from the 29th to the end, in a month without a 29th never',
      { days_of_month: ['29:31'] },
      '2026-02-28T12:00:00Z',
      false,
    ],
    ['from the 5th to the end', { days_of_month: ['5:-1'] }, '2026-04-30T12:00:00Z', true],
    ['on numbers written as such', { days_of_month: [15] }, '2026-04-15T12:00:00Z', true],
    ['in months by name', { months: ['january:march'] }, '2026-03-31T23:59:59Z', true],
    ['in months by number', { months: ['4:6', '12'] }, '2026-12-01T00:00:00Z', true],
    ['in the years it names', { years: ['2027:2028'] }, '2026-12-31T23:59:59Z', false],
    ['when all parts fit', { ...office, months: ['march'] }, '2026-04-01T12:00:00Z', false],
    ['when one of several ranges fits', { weekdays: ['sunday', 'Wednesday'] }, '2026-03-04T12:00:00Z', true],
  ])('holds %s', (_, interval, at, expected) => {
    expect(isIn(interval, at)).toBe(expected)
  })

  test('goes by the clocks of its zone, also when they change', () => {
    const berlin = { ...office, weekdays: ['sunday:saturday'], location: 'Europe/Berlin' }
    expect(isIn(berlin, '2026-03-28T07:00:00Z'), 'winter time').toBe(true)
    expect(isIn(berlin, '2026-03-28T06:59:00Z')).toBe(false)
    expect(isIn(berlin, '2026-03-29T06:00:00Z'), 'summer time, from that very morning').toBe(true)
    expect(isIn(berlin, '2026-03-29T16:00:00Z')).toBe(false)
  })

  test('goes by the zone of the tenant, and by that of the routing where it is not known', () => {
    const own = { ...office, location: '{{ tenant.timezone }}' }
    expect(isIn(own, '2026-03-02T00:00:00Z', 'Asia/Tokyo')).toBe(true)
    expect(isIn(own, '2026-03-02T00:00:00Z')).toBe(false)
    expect(isIn(own, '2026-03-02T08:00:00Z')).toBe(true)
  })
})

describe('local time', () => {
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe')
  const moments = fc.integer({
    min: Date.parse('2000-01-01T00:00:00Z') / 1_000,
    max: Date.parse('2040-01-01T00:00:00Z') / 1_000,
  })

  test('is found again from what the clocks show, but for the hour they show twice', () => {
    fc.assert(
      fc.property(moments, zones, (second, zone) => {
        const at = second * 1_000
        const wall = wallTime(at, zone)
        const found = momentOf(Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second), zone)
        expect(wallTime(found, zone)).toEqual(wall)
        expect(at - found).toBeGreaterThanOrEqual(0)
        expect(at - found).toBeLessThanOrEqual(3_600_000)
      }),
      { numRuns: 500 },
    )
  })

  test('takes the first of an hour that comes twice, and moves on what is skipped', () => {
    const at = (floating: string) => new Date(momentOf(Date.parse(`${floating}Z`), 'Europe/Berlin')).toISOString()
    expect(at('2026-10-25T02:30:00')).toBe('2026-10-25T00:30:00.000Z')
    expect(at('2026-03-29T02:30:00')).toBe('2026-03-29T01:30:00.000Z')
  })

  test('names the day there', () => {
    expect(dayOf(Date.parse('2026-03-02T23:30:00Z'), 'Europe/Berlin')).toBe('2026-03-03')
  })
})
