import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { variantsOf } from '../../src/alert/rule-variants.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollwatch-variants-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'a.rules.yaml')
writeFileSync(
  file,
  `version: 1
groups:
  - name: g
    rules:
      - {rule: Other, condition: {type: spike}}
      - {rule: Many, group_by: [tenant], window: 5m, condition: {type: threshold, measure: count, above: 5}} # mine
`,
)

test('a sweep makes one rule for each value', () => {
  const made = variantsOf('Many.condition.above=2,9', [file])
  expect(
    made.ok && made.variants.map(({ name, rule }) => [name, (rule.condition as { bound?: number }).bound]),
  ).toEqual([
    ['Many.condition.above=2', 2],
    ['Many.condition.above=9', 9],
  ])
  const windows = variantsOf('Many.window=1m,10m', [file])
  expect(windows.ok && windows.variants.map(({ rule }) => rule.windowMs)).toEqual([60_000, 600_000])
})

test.each([
  ['Many.condition.above', 'is no sweep'],
  ['Nobody.window=1m', 'there is no rule Nobody'],
  ['Many.condition.colour=red', 'colour'],
  ['Many.window=soon', 'duration'],
])('%s is refused with a reason', (sweep, message) => {
  const made = variantsOf(sweep, [file])
  expect(made.ok).toBe(false)
  expect(JSON.stringify(made)).toContain(message)
})
