import { expect, test } from 'vitest'
import { worstCauses } from '../../../../src/http/page/tenant/worst-causes.ts'

test('what fires comes first, then what is refused most', () => {
  const alerts = [
    { state: 'firing', labels: { cause: 'payment_failed' } },
    { state: 'pending', labels: { cause: 'unknown' } },
    { state: 'firing', labels: {} },
  ] as const
  const rows = [
    { cause: 'quota_exceeded', payment_required: 3 },
    { cause: 'payment_failed', payment_required: 4 },
    { cause: 'insufficient_funds', payment_required: 2 },
    { cause: 'insufficient_funds', payment_required: 2 },
    { cause: '', payment_required: 0 },
  ]
  expect(worstCauses(alerts, rows)).toEqual(['payment_failed', 'insufficient_funds', 'quota_exceeded'])
})
