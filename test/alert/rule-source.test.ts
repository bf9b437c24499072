import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseRules } from '../../src/alert/parse-rules.ts'
import { loadRules } from '../../src/alert/rule-files.ts'
import { ruleSource } from '../../src/alert/rule-source.ts'
import { tempDir } from '../support/run-context.ts'

const shipped = loadRules(['shipped'], '.')
if (!shipped.ok) throw new Error('the shipped rules are readable')

test.each(shipped.rules.filter((_, i) => i % 4 === 0).map((rule) => [rule.name, rule] as const))(
  'the text of %s alone is the same rule',
  async (_, rule) => {
    const parsed = parseRules([{ file: 'excerpt', text: (await ruleSource(rule)) ?? '' }])
    const place = { file: '', line: 0 }
    const plain = (one: unknown) => JSON.stringify({ ...(one as object), ...place })
    expect(parsed.ok && parsed.rules.map(plain)).toEqual([plain(rule)])
  },
)

test('a rule that is gone has no text', async () => {
  const file = join(tempDir('rules'), 'a.rules.yaml')
  expect(await ruleSource({ name: 'A', file })).toBeNull()
  writeFileSync(file, 'version: 1\ngroups: [{ name: g, rules: [{ rule: B }, 7] }, 5]')
  expect(await ruleSource({ name: 'A', file })).toBeNull()
  expect(await ruleSource({ name: 'B', file })).toBe('version: 1\ngroups:\n  - { name: g, rules: [ { rule: B } ] }\n')
})
