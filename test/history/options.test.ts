import { describe, expect, test } from 'vitest'
import { historyOptions } from '../../src/history/options.ts'

const problems = (retention: object) =>
  (historyOptions.safeParse({ retention }).error?.issues ?? []).map(({ path, message }) => [path.at(-1), message])

describe('history.retention', () => {
  test('takes a coarser tier that is kept as long as the finer, and refused calls that are off', () => {
    const day = 86_400_000
    expect(
      historyOptions.parse({ retention: { rollup_10s: '2h', rollup_1m: '2h', rollup_1h: '2h' } }).retention,
    ).toEqual({
      ...{ rollup_10s: day / 12, rollup_1m: day / 12, rollup_1h: day / 12, events: 30 * day, dead_letters: 14 * day },
    })
    for (const events of ['off', false])
      expect(historyOptions.parse({ retention: { events } }).retention.events).toBe(null)
  })

  test('refuses what makes no sense, with the least that does', () => {
    expect(problems({ rollup_10s: '1h' })).toEqual([
      ['rollup_10s', 'must be 2h or more: after a restart the windows are loaded from it'],
    ])
    expect(problems({ rollup_10s: '100d' })).toEqual([
      ['rollup_1m', 'must be 100d or more: a coarser tier is kept as long as the finer'],
    ])
    expect(problems({ rollup_1h: '30d', events: '5m', dead_letters: '1m' })).toEqual([
      ['rollup_1h', 'must be 90d or more: a coarser tier is kept as long as the finer'],
      ['events', 'must be 1h or more, or off'],
      ['dead_letters', 'must be 1h or more'],
    ])
    expect(problems({ events: 'never' })).toEqual([
      [
        'events',
        '"never" is neither a duration nor off; write it like 30d, or off to keep no refused calls one by one',
      ],
    ])
    // 100 years from now a DateTime has long begun anew.
    expect(problems({ rollup_1h: '36500d' })).toEqual([['rollup_1h', 'must be 7300d or less']])
  })

  test('knows a cluster by its name only', () => {
    const clickhouse = (cluster: string) =>
      historyOptions.safeParse({ clickhouse: { url: 'http://127.0.0.1', cluster } })
    expect(clickhouse('main-1').success).toBe(true)
    expect(clickhouse("x' ON").success).toBe(false)
  })
})
