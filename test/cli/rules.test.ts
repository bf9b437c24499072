import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { rulesCheckCommand } from '../../src/cli/rules.ts'
import { rulesTestCommand } from '../../src/cli/rules-test.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollwatch-rules-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function call(command: (terminal: Parameters<typeof rulesCheckCommand>[1]) => number | Promise<number>) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const code = await command({ stdin, stdout, stderr })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

const rule = 'version: 1\ngroups: [{name: g, rules: [{rule: A, group_by: [tenant], window: 1m, condition: '
const good = `${rule}{type: threshold, measure: count, above: 5}}]}]\n`

describe('rules check', () => {
  it('accepts the shipped rules', async () => {
    const { code, out, err } = await call((terminal) =>
      rulesCheckCommand(['shipped'], terminal, { baseFolder: folder }),
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/starter\.rules\.yaml: \d+ rules, no problem\n/)
  })

  it('lists every problem and says how many', async () => {
    file('bad.rules.yaml', `${rule}{type: threshold, measure: count}}]}]\n`)
    file('good.rules.yaml', good)
    const { code, out, err } = await call((terminal) =>
      rulesCheckCommand(['*.rules.yaml', 'no.yaml'], terminal, { baseFolder: folder }),
    )
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/no\.yaml: cannot be read/)
    expect(err).toMatch(/bad\.rules\.yaml:2: groups\[0\]\.rules\[0\]\.condition has neither above nor below\. Fix: /)
    expect(err).toMatch(/2 problems\n$/)
  })
})

describe('warnings of rules check', () => {
  const loose = `version: 1\ngroups: [{name: g, rules: [{rule: L, group_by: [tenant], window: 5m, condition: {type: threshold, measure: ratio, above: 0.2, min_total: 1}}]}]\n`

  it('are shown and fail nothing', async () => {
    const path = file('loose.rules.yaml', loose)
    const { code, out, err } = await call((terminal) => rulesCheckCommand([path], terminal, { baseFolder: folder }))
    expect(code).toBe(0)
    expect(err).toMatch(/^warning: .*loose\.rules\.yaml:2: .*min_total is 1: .* Fix: /)
    expect(out).toMatch(/1 rule, \d warnings?\n$/)
  })

  it('fail with --strict', async () => {
    const path = file('loose.rules.yaml', loose)
    const strict = { baseFolder: folder, strict: true }
    expect((await call((terminal) => rulesCheckCommand([path], terminal, strict))).code).toBe(2)
    const clean = file('clean.rules.yaml', good.replace('above: 5', 'above: 5, recover: 4'))
    const { code, err } = await call((terminal) => rulesCheckCommand([clean], terminal, strict))
    expect({ code, err }).toEqual({ code: 0, err: '' })
  })
})

const series = `input_series:
      - {series: 'requests{tenant="a",api="x"}', values: '100x9'}
      - {series: 'payment_required{tenant="a",api="x",cause="unknown"}', values: '20x9'}`

describe('rules test', () => {
  it('passes the tests that come with the starter rules', { timeout: 30_000 }, async () => {
    const shipped = fileURLToPath(new URL('../../alerts/tests/starter.test.yaml', import.meta.url))
    const { code, out } = await call((terminal) => rulesTestCommand([shipped], terminal))
    expect(out).toMatch(/7 passed, 0 failed\n$/)
    expect(code).toBe(0)
  })

  it('gives 1 and says what it got when an expectation fails', async () => {
    file('good.rules.yaml', good)
    const test = file(
      'a.test.yaml',
      `rule_files: [good.rules.yaml]\ntests:\n  - name: quiet\n    ${series}\n    timeline_test: [{rule: A, exp_firing: []}]\n`,
    )
    const { code, out } = await call((terminal) => rulesTestCommand([test], terminal))
    expect(code).toBe(1)
    expect(out).toMatch(
      /FAIL .*a\.test\.yaml: quiet\n {5}A fires: expected never, got 1m\.\.10m\n( {10,}\d+m {2}a: .*\n)+0 passed, 1 failed\n/,
    )
  })

  it('names rules that lack a test, and changed rules that no test notices', async () => {
    file('good.rules.yaml', good)
    const test = file(
      'c.test.yaml',
      `rule_files: [good.rules.yaml]\ntests:\n  - name: loud\n    ${series}\n    alert_rule_test: [{eval_time: 5m, rule: A, exp_alerts: [{}]}]\n`,
    )
    const { code, out } = await call((terminal) => rulesTestCommand([test], terminal, { coverage: true, mutate: true }))
    expect(code).toBe(0)
    expect(out).toMatch(/0 of 1 rules tested both ways\n {5}A lacks one in which it does not\n/)
    expect(out).toMatch(/mutants of .*: \d of \d noticed\n( {5}survived: A: .*\n)+1 passed, 0 failed\n$/)
    expect(out).toContain('survived: A: bound 5 -> 2')
  })

  it('gives 2 when a file cannot be used, also when another test fails', async () => {
    const test = file('b.test.yaml', 'rule_files: [missing.yaml]\ntests: [{name: t, input_series: []}]\n')
    const { code, err } = await call((terminal) => rulesTestCommand([test, join(folder, 'nope')], terminal))
    expect(code).toBe(2)
    expect(err).toMatch(/input_series/)
    expect(err).toMatch(/nope: cannot be read/)
  })
})
