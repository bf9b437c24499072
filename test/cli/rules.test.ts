import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { rulesCheckCommand, rulesTestCommand } from '../../src/cli/rules.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollwatch-rules-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function call(command: (terminal: Parameters<typeof rulesCheckCommand>[1]) => number) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const code = command({ stdin, stdout, stderr })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

const rule = 'version: 1\ngroups: [{name: g, rules: [{rule: A, group_by: [tenant], window: 1m, condition: '
const good = `${rule}{type: threshold, measure: count, above: 5}}]}]\n`

describe('rules check', () => {
  it('accepts the shipped rules', () => {
    const { code, out, err } = call((terminal) => rulesCheckCommand(['shipped'], terminal, folder))
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/starter\.rules\.yaml: 7 rules, no problem\n/)
  })

  it('lists every problem and says how many', () => {
    file('bad.rules.yaml', `${rule}{type: threshold, measure: count}}]}]\n`)
    file('good.rules.yaml', good)
    const { code, out, err } = call((terminal) => rulesCheckCommand(['*.rules.yaml', 'no.yaml'], terminal, folder))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/no\.yaml: cannot be read/)
    expect(err).toMatch(/bad\.rules\.yaml:2: groups\[0\]\.rules\[0\]\.condition has neither above nor below\. Fix: /)
    expect(err).toMatch(/2 problems\n$/)
  })
})

const series = `input_series:
      - {series: 'requests{tenant="a",api="x"}', values: '100x9'}
      - {series: 'payment_required{tenant="a",api="x",cause="unknown"}', values: '20x9'}`

describe('rules test', () => {
  it('passes the tests that come with the starter rules', { timeout: 30_000 }, () => {
    const shipped = fileURLToPath(new URL('../../alerts/tests/starter.test.yaml', import.meta.url))
    const { code, out } = call((terminal) => rulesTestCommand([shipped], terminal))
    expect(out).toMatch(/4 passed, 0 failed\n$/)
    expect(code).toBe(0)
  })

  it('gives 1 and says what it got when an expectation fails', () => {
    file('good.rules.yaml', good)
    const test = file(
      'a.test.yaml',
      `rule_files: [good.rules.yaml]\ntests:\n  - name: quiet\n    ${series}\n    timeline_test: [{rule: A, exp_firing: []}]\n`,
    )
    const { code, out } = call((terminal) => rulesTestCommand([test], terminal))
    expect(code).toBe(1)
    expect(out).toMatch(/FAIL .*a\.test\.yaml: quiet\n {5}A fires: expected never, got 1m\.\.10m\n0 passed, 1 failed\n/)
  })

  it('gives 2 when a file cannot be used, also when another test fails', () => {
    const test = file('b.test.yaml', 'rule_files: [missing.yaml]\ntests: [{name: t, input_series: []}]\n')
    const { code, err } = call((terminal) => rulesTestCommand([test, join(folder, 'nope')], terminal))
    expect(code).toBe(2)
    expect(err).toMatch(/input_series/)
    expect(err).toMatch(/nope: cannot be read/)
  })
})
