import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends the output with `N passed, N failed, N skipped` alone on a line, for those who read the outcome by machine; name
 * it after the other reporters. Suites that `test/support/available.ts` left out are named before it, so that a short
 * run never looks like a whole.
 */
export default class CiReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const { passed, failed, skipped, leftOut } = counted(modules)
    if (leftOut.length > 0) console.log(`\nLEFT OUT:\n${leftOut.map((name) => `  ${name}\n`).join('')}`)
    // An error outside of any test makes the run fail, so it must not read "0 failed".
    console.log(`${passed} passed, ${failed + unhandledErrors.length} failed, ${skipped} skipped`)
  }
}

interface Counts {
  passed: number
  failed: number
  skipped: number
  leftOut: string[]
}

/** A file or suite that broke outside of its tests (an import, a hook) counts as one failure. */
function counted(modules: readonly TestModule[]): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0, leftOut: [] }
  for (const module of modules) {
    if (module.errors().length > 0) counts.failed++
    for (const suite of module.children.allSuites()) {
      if (suite.errors().length > 0) counts.failed++
      if (suite.name.includes('[left out: ')) counts.leftOut.push(`${module.relativeModuleId}: ${suite.name}`)
    }
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') counts.passed++
      else if (state === 'failed') counts.failed++
      else counts.skipped++
    }
  }
  return counts
}
