import { describe, expect, test } from 'vitest'
import { trendsSql } from '../../../../src/http/page/trends/sql.ts'
import { trendsCommand } from '../../../../src/http/page/trends-command.ts'
import { readView } from '../../../../src/http/page/view.ts'

test('the command asks what the screen shows', () => {
  const view = readView("?view=trends&tenant=o'brien&api=chat&range=24h&step=5m&by=tenant")
  expect(trendsCommand(view, view.by, 'http://127.0.0.1:8402')).toBe(
    "tollwatch query trends --from -24h --by tenant --tenant 'o'\\''brien' --api chat --step 5m --url http://127.0.0.1:8402",
  )
})

describe('the SQL', () => {
  const span = { from: '2026-05-01T12:00:30.000Z', to: '2026-05-01T13:00:00.000Z' }
  test('reads the coarsest tier that has the step, in whole steps', () => {
    const sql = trendsSql({ ...span, step_ms: 300_000 }, readView('?by=tenant'))
    expect(sql).toContain('FROM tollwatch.rollup_1m')
    expect(sql).toContain(`bucket >= toDateTime(${Date.UTC(2026, 4, 1, 12) / 1_000}, 'UTC')`)
    expect(trendsSql({ ...span, step_ms: 7_200_000 }, readView(''))).toContain('rollup_1h')
    expect(trendsSql({ ...span, step_ms: 30_000 }, readView(''))).toContain('rollup_10s')
  })

  test('keeps names in their quotes', () => {
    const sql = trendsSql({ ...span, step_ms: 60_000 }, { ...readView(''), tenant: "a' OR 1=1 --\\", cause: 'unknown' })
    expect(sql).toContain("tenant = 'a\\' OR 1=1 --\\\\'")
    expect(sql).toContain("cause IN ('', 'unknown')")
  })
})
