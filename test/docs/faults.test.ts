import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeFailures } from '../../src/decode/decode.ts'
import { faultCodes } from '../../src/fault/fault.ts'
import { project } from './pages.ts'

const text = readFileSync(join(project, 'docs/faults.md'), 'utf8')
const sections = text.split(/^## /m).slice(1)

test('docs/faults.md explains every fault code and no other, in their order', () => {
  expect(sections.map((section) => section.split('\n', 1)[0])).toEqual([...faultCodes])
})

test.each(sections.map((section) => [section.split('\n', 1)[0] ?? '', section]))(
  'docs/faults.md says of %s what happened, what it means for the numbers and what to do',
  (_, section) => {
    const parts = [...section.matchAll(/^\*\*([A-Z][a-z ]+)\.\*\* \S/gm)].map(([, name]) => name)
    expect(parts).toEqual(['What happened', 'The numbers', 'What to do'])
  },
)

test('docs/faults.md explains every reason why a record is not read, and no other', () => {
  const table = text.slice(text.indexOf('| reason |'))
  const reasons = [...table.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name)
  expect(reasons).toEqual([...decodeFailures])
})
