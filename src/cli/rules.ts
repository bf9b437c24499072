import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { loadRules } from '../alert/rule-files.ts'
import { runRuleTest } from '../alert/rule-test.ts'
import { parseRuleTests } from '../alert/rule-test-file.ts'
import { messageOf } from '../fault/fault.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'

/**
 * `tollwatch rules check FILE...`: lints rule files together.
 *
 * @param baseFolder what relative paths start from
 * @returns exit code: 0 all is well, 2 there are problems
 */
export function rulesCheckCommand(files: readonly string[], terminal: Terminal, baseFolder: string): number {
  const loaded = loadRules(files, baseFolder)
  if (!loaded.ok) {
    printProblems(loaded.problems, terminal)
    return exitCode.misused
  }
  for (const file of loaded.files) {
    const count = loaded.rules.filter((rule) => rule.file === file).length
    terminal.stdout.write(`${file}: ${count} ${count === 1 ? 'rule' : 'rules'}, no problem\n`)
  }
  return exitCode.ok
}

/**
 * `tollwatch rules test FILE...`: runs unit tests of rules. Rule files are named relative to the test file.
 *
 * @returns exit code: 0 all pass, 1 an expectation failed, 2 a file cannot be used
 */
export function rulesTestCommand(files: readonly string[], terminal: Terminal): number {
  let unusable = false
  let passed = 0
  let failed = 0
  for (const file of files) {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      terminal.stderr.write(`${file}: cannot be read (${messageOf(error)}). Fix: check the path.\n`)
      unusable = true
      continue
    }
    const parsed = parseRuleTests(text, file)
    const loaded = parsed.ok ? loadRules(parsed.tests.ruleFiles, dirname(file)) : null
    if (!parsed.ok || loaded === null || !loaded.ok) {
      const problems = parsed.ok ? (loaded?.ok === false ? loaded.problems : []) : parsed.problems
      printProblems(problems, terminal)
      unusable = true
      continue
    }
    for (const test of parsed.tests.tests) {
      const failures = runRuleTest(test, loaded.rules, parsed.tests.intervalMs)
      if (failures.length === 0) passed++
      else failed++
      terminal.stdout.write(`${failures.length === 0 ? 'pass' : 'FAIL'} ${file}: ${test.name}\n`)
      for (const failure of failures) terminal.stdout.write(`     ${failure}\n`)
    }
  }
  terminal.stdout.write(`${passed} passed, ${failed} failed\n`)
  return unusable ? exitCode.misused : failed > 0 ? exitCode.failed : exitCode.ok
}
