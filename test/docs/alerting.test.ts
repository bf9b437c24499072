import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { conditionTypes } from '../../src/alert/condition-schema.ts'
import { rulesCheckCommand } from '../../src/cli/rules.ts'
import { rulesTestCommand } from '../../src/cli/rules-test.ts'
import { tempDir } from '../support/run-context.ts'
import { blocks, pages } from './pages.ts'

const page = pages().find(({ name }) => name === 'docs/alerting.md') ?? { name: '', text: '' }

/** The rule and its test stand in the page under the names they are to be saved as. */
function saved(): string {
  const folder = tempDir('alerting')
  for (const { language, text } of blocks(page)) {
    const name = /^# (\S+\.yaml)\n/.exec(text)?.[1]
    if (language === 'yml' && name !== undefined) writeFileSync(join(folder, name), text)
  }
  return folder
}

function terminal() {
  return { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
}

test('The rule of docs/alerting.md has no problem and no warning', async () => {
  const shown = terminal()
  expect(await rulesCheckCommand(['my.rules.yaml'], shown, { baseFolder: saved() })).toBe(0)
  expect(String(shown.stdout.read())).toMatch(/1 rule, no problem\n$/)
})

test('Its tests pass and cover it', async () => {
  const shown = terminal()
  const path = join(saved(), 'my.test.yaml')
  expect(await rulesTestCommand([path], shown, { coverage: true, mutate: false })).toBe(0)
  expect(String(shown.stdout.read())).toMatch(/1 of 1 rules tested both ways\n2 passed, 0 failed\n$/)
})

test('Every type of condition has a row in the table', () => {
  for (const type of conditionTypes) expect(page.text).toMatch(new RegExp(`^\\| .+ \\| .*\`${type}\``, 'm'))
})
