import { describe, expect, test } from 'vitest'
import { Calendar, parseSchedule } from '../../src/notify/schedule.ts'
import { hour } from './sample.ts'

function calendar(rrule: string, more: { start?: string; timezone?: string; durationMs?: number } = {}): Calendar {
  const read = parseSchedule({ start: null, durationMs: 3 * hour, timezone: 'Europe/Berlin', rrule, ...more })
  if (!read.ok) throw new Error(`${read.message}; ${read.fix}`)
  return new Calendar(read.schedule)
}

function starts(of: Calendar, from: string, count: number): string[] {
  const found: string[] = []
  let at = Date.parse(from)
  for (let i = 0; i < count; i++) {
    const next = of.after(at)
    if (next === null) break
    found.push(new Date(next.startsAtMs).toISOString())
    at = next.startsAtMs
  }
  return found
}

test('a rule stays at its hour when the clocks change', () => {
  expect(starts(calendar('FREQ=DAILY;BYHOUR=4'), '2026-03-28T00:00:00Z', 3)).toEqual([
    '2026-03-28T03:00:00.000Z',
    '2026-03-29T02:00:00.000Z',
    '2026-03-30T02:00:00.000Z',
  ])
  expect(starts(calendar('FREQ=DAILY;BYHOUR=4'), '2026-10-24T12:00:00Z', 2)).toEqual([
    '2026-10-25T03:00:00.000Z',
    '2026-10-26T03:00:00.000Z',
  ])
})

test('a day begins at midnight there and not here', () => {
  expect(starts(calendar('FREQ=MONTHLY;BYMONTHDAY=1', { timezone: 'Asia/Tokyo' }), '2026-03-02T00:00:00Z', 1)).toEqual([
    '2026-03-31T15:00:00.000Z',
  ])
})

test.each([
  ['the last Friday of a month', 'FREQ=MONTHLY;BYDAY=-1FR', undefined, ['2026-03-27', '2026-04-24']],
  [
    'the last working day of a month',
    'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
    undefined,
    ['2026-03-31', '2026-04-30'],
  ],
  ['leap days', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', undefined, ['2028-02-29', '2032-02-29']],
  [
    'every other Monday from a given one',
    'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO',
    '2026-01-05',
    ['2026-03-02', '2026-03-16'],
  ],
  ['the day of its start', 'FREQ=WEEKLY', '2026-01-07T22:00', ['2026-03-04', '2026-03-11']],
  ['an RRULE: before it', 'RRULE:FREQ=WEEKLY;BYDAY=SU', undefined, ['2026-03-01', '2026-03-08']],
])('knows %s', (_, rrule, start, days) => {
  const of = calendar(rrule, { timezone: 'UTC', ...(start === undefined ? {} : { start }) })
  expect(starts(of, '2026-02-28T23:00:00Z', 2).map((at) => at.slice(0, 10))).toEqual(days)
})

test('an occurrence lasts its duration in real time, and the newest counts where they overlap', () => {
  const of = calendar('FREQ=DAILY;BYHOUR=1', { durationMs: 30 * hour })
  const at = Date.parse('2026-03-29T12:00:00Z')
  expect(of.at(at)).toEqual({
    startsAtMs: Date.parse('2026-03-29T00:00:00Z'),
    endsAtMs: Date.parse('2026-03-30T06:00:00Z'),
  })
  const short = calendar('FREQ=DAILY;BYHOUR=1', { durationMs: 3 * hour })
  expect(short.at(Date.parse('2026-03-29T02:59:59Z'))?.startsAtMs).toBe(Date.parse('2026-03-29T00:00:00Z'))
  expect(short.at(Date.parse('2026-03-29T03:00:00Z'))).toBeNull()
  expect(short.at(Date.parse('2026-03-28T23:59:59Z'))).toBeNull()
})

test('a rule that ends is over, by its own clocks or in UTC', () => {
  expect(starts(calendar('FREQ=DAILY;BYHOUR=1;UNTIL=20260303T010000'), '2026-03-01T12:00:00Z', 9)).toHaveLength(2)
  expect(starts(calendar('FREQ=DAILY;BYHOUR=1;UNTIL=20260302T235959Z'), '2026-03-01T12:00:00Z', 9)).toHaveLength(1)
  const counted = calendar('FREQ=DAILY;COUNT=3', { start: '2026-03-01T08:00' })
  expect(starts(counted, '2026-02-01T00:00:00Z', 9)).toHaveLength(3)
})

describe('a schedule is refused', () => {
  test.each([
    ['that is no rule', 'every monday'],
    ['that is more frequent than daily', 'FREQ=HOURLY'],
    ['with an hour there is not', 'FREQ=DAILY;BYHOUR=24'],
    ['with a day there is not', 'FREQ=WEEKLY;BYDAY=XX'],
    ['with a start of its own', 'DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY'],
    ['that never happens', 'FREQ=DAILY;BYMONTH=2,4;BYMONTHDAY=31'],
    ['that does not say which day', 'FREQ=MONTHLY'],
    ['that does not say which week', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO'],
    ['with no interval at all', 'FREQ=DAILY;INTERVAL=0'],
  ])('%s', (_, rrule) => {
    expect(parseSchedule({ rrule, durationMs: hour, timezone: 'UTC', start: null }).ok).toBe(false)
  })

  test('with a start that is no time', () => {
    const read = parseSchedule({ rrule: 'FREQ=DAILY', durationMs: hour, timezone: 'UTC', start: 'monday' })
    expect(read).toMatchObject({ ok: false, message: '"monday" is no start' })
  })
})
