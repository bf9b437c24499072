import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { loadRules } from '../alert/rule-files.ts'
import { runRuleTest } from '../alert/rule-test.ts'
import { parseRuleTests } from '../alert/rule-test-file.ts'
import { formatProblem } from '../alert/yaml-file.ts'
import { messageOf } from '../fault/fault.ts'

/** Where a command writes; lines come without their end. */
export interface CommandOutput {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
}

/**
 * `tollwatch rules check FILE...`: lints rule files together.
 *
 * @param baseFolder what relative paths start from
 * @returns exit code: 0 all is well, 2 there are problems
 */
export function rulesCheckCommand(files: readonly string[], io: CommandOutput, baseFolder: string): number {
  const loaded = loadRules(files, baseFolder)
  if (!loaded.ok) {
    for (const problem of loaded.problems) io.err(formatProblem(problem))
    const count = loaded.problems.length
    io.err(`${count} ${count === 1 ? 'problem' : 'problems'}`)
    return 2
  }
  for (const file of loaded.files) {
    const count = loaded.rules.filter((rule) => rule.file === file).length
    io.out(`${file}: ${count} ${count === 1 ? 'rule' : 'rules'}, no problems`)
  }
  return 0
}

/**
 * `tollwatch rules test FILE...`: runs unit tests of rules. Rule files are named relative to the test file.
 *
 * @returns exit code: 0 all pass, 1 an expectation failed, 2 a file cannot be used
 */
export function rulesTestCommand(files: readonly string[], io: CommandOutput): number {
  let code = 0
  let passed = 0
  let failed = 0
  for (const file of files) {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      io.err(`${file}: cannot be read (${messageOf(error)}). Fix: check the path.`)
      code = 2
      continue
    }
    const parsed = parseRuleTests(text, file)
    const loaded = parsed.ok ? loadRules(parsed.tests.ruleFiles, dirname(file)) : null
    if (!parsed.ok || loaded === null || !loaded.ok) {
      const problems = parsed.ok ? (loaded?.ok === false ? loaded.problems : []) : parsed.problems
      for (const problem of problems) io.err(formatProblem(problem))
      code = 2
      continue
    }
    for (const test of parsed.tests.tests) {
      const failures = runRuleTest(test, loaded.rules, parsed.tests.intervalMs)
      if (failures.length === 0) passed++
      else failed++
      io.out(`${failures.length === 0 ? 'pass' : 'FAIL'} ${file}: ${test.name}`)
      for (const failure of failures) io.out(`     ${failure}`)
    }
  }
  io.out(`${passed} passed, ${failed} failed`)
  return code === 2 ? 2 : failed > 0 ? 1 : 0
}
