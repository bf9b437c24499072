import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Rule } from '../alert/rule.ts'
import { coverageOf, survivors } from '../alert/rule-coverage.ts'
import { loadRules } from '../alert/rule-files.ts'
import { checkRuleTest, type Failure, unknownRules } from '../alert/rule-test.ts'
import { parseRuleTests, type RuleTest, type RuleTestFile } from '../alert/rule-test-file.ts'
import { playedRules, playRuleTest } from '../alert/rule-test-play.ts'
import { traceOf } from '../alert/rule-test-trace.ts'
import { messageOf } from '../fault/fault.ts'
import { checkNotifications } from '../notify/notification-test.ts'
import { readRoutes } from '../notify/rehearsal.ts'
import type { Routing } from '../notify/routing.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'

/** A test file with what it names. */
interface Loaded {
  readonly tests: RuleTestFile
  readonly rules: readonly Rule[]
  /** Null where nothing about notifications is tested. */
  readonly routing: Routing | null
}

/**
 * `tollwatch rules test FILE...`: runs unit tests of rules and of who is told. The files they name are relative to the
 * test file.
 *
 * @returns exit code: 0 all pass, 1 an expectation failed, 2 a file cannot be used
 */
export async function rulesTestCommand(
  files: readonly string[],
  terminal: Terminal,
  options: { coverage?: boolean; mutate?: boolean } = {},
): Promise<number> {
  let unusable = false
  let passed = 0
  let failed = 0
  for (const file of files) {
    const loaded = load(file, terminal)
    if (loaded === null) {
      unusable = true
      continue
    }
    for (const test of loaded.tests.tests) {
      const failures = await failuresOf(test, loaded)
      if (failures.length === 0) passed++
      else failed++
      terminal.stdout.write(`${failures.length === 0 ? 'pass' : 'FAIL'} ${file}: ${test.name}\n`)
      for (const failure of failures) terminal.stdout.write(`     ${failure.replaceAll('\n', '\n     ')}\n`)
    }
    if (options.coverage === true) printCoverage(loaded, terminal)
    if (options.mutate === true) printMutants(loaded, terminal)
  }
  terminal.stdout.write(`${passed} passed, ${failed} failed\n`)
  return unusable ? exitCode.misused : failed > 0 ? exitCode.failed : exitCode.ok
}

function load(file: string, terminal: Terminal): Loaded | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    terminal.stderr.write(`${file}: cannot be read (${messageOf(error)}). Fix: check the path.\n`)
    return null
  }
  const parsed = parseRuleTests(text, file)
  if (!parsed.ok) return refused(parsed.problems, terminal)
  const { tests } = parsed
  const loaded = loadRules(tests.ruleFiles, dirname(file))
  const routes = tests.notifyFile === null ? null : readRoutes(resolve(dirname(file), tests.notifyFile))
  const problems = [...(loaded.ok ? [] : loaded.problems), ...(routes === null || routes.ok ? [] : routes.problems)]
  if (!loaded.ok || problems.length > 0) return refused(problems, terminal)
  return { tests, rules: loaded.rules, routing: routes?.ok === true ? routes.routing : null }
}

function refused(problems: Parameters<typeof printProblems>[0], terminal: Terminal): null {
  printProblems(problems, terminal)
  return null
}

async function failuresOf(test: RuleTest, { tests, rules, routing }: Loaded): Promise<readonly string[]> {
  const unknown = unknownRules(test, rules)
  if (unknown.length > 0) return unknown.map(({ text }) => text)
  const { intervalMs } = tests
  const played = playRuleTest(test, playedRules(test, rules), intervalMs)
  const traced = ({ text, look }: Failure) => {
    const values = look === null ? [] : traceOf(test, rules, intervalMs, look)
    return [text, ...values].join('\n')
  }
  const told = routing === null ? [] : await checkNotifications(test, played, routing)
  return [...checkRuleTest(test, played).map(traced), ...told]
}

/** Rules that no test makes fire, or that no test wants silent. */
function printCoverage({ tests: { file, tests }, rules }: Loaded, { stdout }: Terminal): void {
  const gaps = coverageOf(tests, rules).filter(({ mustFire, mustNotFire }) => !mustFire || !mustNotFire)
  stdout.write(`coverage of ${file}: ${rules.length - gaps.length} of ${rules.length} rules tested both ways\n`)
  for (const { rule, mustFire, mustNotFire } of gaps) {
    const lacks = [
      ...(mustFire ? [] : ['a test in which it fires']),
      ...(mustNotFire ? [] : ['one in which it does not']),
    ]
    stdout.write(`     ${rule} lacks ${lacks.join(' and ')}\n`)
  }
}

/** Changed rules that pass all the same: values that no test pins down. */
function printMutants({ tests: { file, tests, intervalMs }, rules }: Loaded, terminal: Terminal): void {
  const { stdout, stderr } = terminal
  const progress = (done: number, all: number) => {
    if (stderr.isTTY === true) stderr.write(`\r${done} of ${all} mutants${done === all ? '\n' : ''}`)
  }
  const { tried, survived, untried } = survivors(tests, rules, intervalMs, progress)
  stdout.write(`mutants of ${file}: ${tried - survived.length} of ${tried} noticed\n`)
  for (const name of survived) stdout.write(`     survived: ${name}\n`)
  if (untried.length > 0) stdout.write(`     not tried, for no test makes them fire: ${untried.join(', ')}\n`)
}
