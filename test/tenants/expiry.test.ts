import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expiryOf } from '../../src/tenants/expiry.ts'

const iso = (text: string, zone: string) => {
  const expiry = expiryOf(text, zone)
  return expiry === null ? null : new Date(expiry.atMs).toISOString()
}

describe('The end of a subscription', () => {
  test.each([
    ['2026-12-31', 'UTC', '2027-01-01T00:00:00.000Z'],
    ['2026-12-31', 'Europe/Berlin', '2026-12-31T23:00:00.000Z'],
    ['2026-12-31', 'America/Los_Angeles', '2027-01-01T08:00:00.000Z'],
    // A day of 25 hours: the clocks are put back in its night.
    ['2026-10-25', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
    ['2028-02-29', 'UTC', '2028-03-01T00:00:00.000Z'],
    ['2026-12-31T18:00Z', 'Asia/Tokyo', '2026-12-31T18:00:00.000Z'],
    ['2026-12-31T18:00:30+02:00', 'Asia/Tokyo', '2026-12-31T16:00:30.000Z'],
  ])('%s in %s is %s', (text, zone, at) => {
    expect(iso(text, zone)).toBe(at)
  })

  test.each([
    '',
    'soon',
    '2026-02-30',
    '2026-13-01',
    '31.12.2026',
    '2026-12-31T18:00',
    '2026-02-30T10:00Z',
    '2026-1-1',
  ])('%j is none', (text) => expect(expiryOf(text, 'UTC')).toBeNull())

  test('of a day is the first moment that calendars there show as the next day', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Auckland')
    const days = fc.integer({ min: 0, max: 20_000 }).map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10))
    fc.assert(
      fc.property(days, zones, (day, zone) => {
        const atMs = expiryOf(day, zone)?.atMs ?? 0
        const shown = (at: number) =>
          new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(at)
        expect(shown(atMs - 1)).toBe(day)
        expect(shown(atMs)).not.toBe(day)
      }),
      { numRuns: 300 },
    )
  })
})
