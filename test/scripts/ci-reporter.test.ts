import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { run } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))

describe('the reporter for machines', () => {
  test('counts tests, broken files and what was left out, and ends with the counts', async () => {
    const dir = join(tempDir('reporter'), 'test')
    mkdirSync(dir)
    const head = `import { beforeAll, describe, expect, test } from 'vitest'\n`
    writeFileSync(
      join(dir, 'a.test.js'),
      `${head}test('p', () => {})\ntest('f', () => expect(1).toBe(2))\ndescribe.skip('s [left out: no toll]', () => { test('s', () => {}) })`,
    )
    writeFileSync(join(dir, 'b.test.js'), `${head}import './nowhere.js'\ntest('never', () => {})`)
    writeFileSync(
      join(dir, 'c.test.js'),
      `${head}describe('d', () => { beforeAll(() => { throw new Error('h') }); test('t', () => {}) })`,
    )
    const vitest = join(project, 'node_modules/vitest/vitest.mjs')
    const reporters = ['--reporter', 'default', '--reporter', join(project, 'scripts/ci-reporter.ts')]
    const { code, stdout } = await run(process.execPath, [vitest, 'run', '--root', dir, ...reporters])
    expect(code).toBe(1)
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 passed, 3 failed, 2 skipped')
    expect(stdout).toContain('LEFT OUT:\n  a.test.js: s [left out: no toll]\n')
  }, 60_000)
})
