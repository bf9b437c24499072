import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { causes } from '../../src/classify/cause.ts'
import { adviceOn, runbookTitle } from '../../src/notify/runbook.ts'

const sections = [
  '## What it means',
  '## How to tell it from its neighbours',
  '## First steps',
  '## What to tell the tenant',
  '## How to prevent it',
]

describe.each(causes)('the runbook of %s', (cause) => {
  const lines = readFileSync(`alerts/runbooks/${cause}.md`, 'utf8').trimEnd().split('\n')

  test('has the title that messages announce, and every section in order', () => {
    expect(lines[0]).toBe(`# ${runbookTitle(cause)} (\`${cause}\`)`)
    expect(lines.filter((line) => line.startsWith('## '))).toEqual(sections)
  })

  test('can be read while the phone rings', () => {
    expect(lines.length).toBeLessThanOrEqual(60)
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(400)
  })

  test('speaks of other causes only by names there are', () => {
    const named = lines.join('\n').match(/\]\(([a-z_]+)\.md\)/g) ?? []
    expect(named.length).toBeGreaterThan(0)
    for (const link of named) expect(causes).toContain(link.slice(2, -4))
  })

  test('fits the steps in messages, which are short', () => {
    for (const step of adviceOn[cause].steps) expect(step.length).toBeLessThanOrEqual(110)
    expect(adviceOn[cause].likely.length).toBeLessThanOrEqual(110)
  })
})
