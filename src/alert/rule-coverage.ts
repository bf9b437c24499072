import type { Rule } from './rule.ts'
import { mutantsOf } from './rule-mutants.ts'
import { runRuleTest } from './rule-test.ts'
import type { RuleTest } from './rule-test-file.ts'

/** What the tests of a file ask of one rule. */
export interface RuleCoverage {
  readonly rule: string
  /** Whether any test wants it to fire, and any wants it silent. */
  readonly mustFire: boolean
  readonly mustNotFire: boolean
}

/** Which rules have a test that wants them to fire, and one that wants them silent. */
export function coverageOf(tests: readonly RuleTest[], rules: readonly Rule[]): readonly RuleCoverage[] {
  return rules.map(({ name }) => {
    let mustFire = false
    let mustNotFire = false
    for (const test of tests) {
      const alerts = test.alertTests.filter(({ rule }) => rule === name)
      const timelines = test.timelineTests.filter(({ rule }) => rule === name)
      mustFire ||= alerts.some((one) => one.alerts.length > 0) || timelines.some((one) => one.firing.length > 0)
      mustNotFire ||= alerts.some((one) => one.alerts.length === 0) || timelines.some((one) => one.firing.length === 0)
      const played = test.onlyRules === null || test.onlyRules.includes(name)
      mustNotFire ||= test.expectNoOtherAlerts && played && alerts.length === 0 && timelines.length === 0
    }
    return { rule: name, mustFire, mustNotFire }
  })
}

export interface Survivors {
  /** How many mutants there were. */
  readonly tried: number
  /** Those that no test noticed. */
  readonly survived: readonly string[]
  /** Rules that no test makes fire: all their mutants would survive, which their coverage says already. */
  readonly untried: readonly string[]
}

/**
 * Runs the tests against every mutant of every rule that a test makes fire.
 *
 * @param onProgress called after each mutant
 */
export function survivors(
  tests: readonly RuleTest[],
  rules: readonly Rule[],
  intervalMs: number,
  onProgress: (done: number, all: number) => void = () => {},
): Survivors {
  const untried = coverageOf(tests, rules).flatMap(({ rule, mustFire }) => (mustFire ? [] : [rule]))
  const jobs = rules.flatMap((rule) => {
    const own = untried.includes(rule.name) ? [] : tests.flatMap((test) => onlyOf(test, rule.name) ?? [])
    return own.length === 0 ? [] : mutantsOf(rule).map((mutant) => ({ mutant, own }))
  })
  const survived: string[] = []
  for (const [at, { mutant, own }] of jobs.entries()) {
    if (own.every((test) => passes(test, mutant.rule, intervalMs))) survived.push(mutant.name)
    onProgress(at + 1, jobs.length)
  }
  return { tried: jobs.length, survived, untried }
}

/** What a test says of one rule alone; null when it says nothing. */
function onlyOf(test: RuleTest, name: string): RuleTest | null {
  if (test.onlyRules !== null && !test.onlyRules.includes(name)) return null
  const alertTests = test.alertTests.filter(({ rule }) => rule === name)
  const timelineTests = test.timelineTests.filter(({ rule }) => rule === name)
  if (alertTests.length === 0 && timelineTests.length === 0 && !test.expectNoOtherAlerts) return null
  return { ...test, alertTests, timelineTests, onlyRules: [name] }
}

function passes(test: RuleTest, rule: Rule, intervalMs: number): boolean {
  try {
    return runRuleTest(test, [rule], intervalMs).length === 0
  } catch {
    // A value that the engine refuses outright would be noticed.
    return false
  }
}
