import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { coverageOf } from '../../src/alert/rule-coverage.ts'
import { loadRules, shippedFolder } from '../../src/alert/rule-files.ts'
import { runRuleTest } from '../../src/alert/rule-test.ts'
import { parseRuleTests, type RuleTestFile } from '../../src/alert/rule-test-file.ts'

const loaded = loadRules(['shipped'], '/')
if (!loaded.ok) throw new Error('the shipped rules have problems')
const { rules } = loaded

function testsOf(name: string): RuleTestFile {
  const file = `${shippedFolder}/tests/${name}.test.yaml`
  const parsed = parseRuleTests(readFileSync(file, 'utf8'), file)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.tests
}

describe('the unit tests that hold the bounds of the starter rules', () => {
  const { tests, intervalMs } = testsOf('starter-bounds')
  it.each(tests.map((test) => [test.name, test] as const))('pass: %s', { timeout: 60_000 }, (_, test) => {
    expect(runRuleTest(test, rules, intervalMs)).toEqual([])
  })
})

it('every starter rule has a test in which it fires, and one in which it must not', () => {
  const all = ['starter', 'starter-days', 'starter-bounds'].flatMap((name) => testsOf(name).tests)
  const lacking = coverageOf(all, rules).filter(({ mustFire, mustNotFire }) => !mustFire || !mustNotFire)
  expect(lacking).toEqual([])
})
