import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { prometheusRuleFiles } from '../../scripts/prometheus-rules.ts'
import { shippedRules } from '../../src/alert/options.ts'
import { loadRules, shippedFolder } from '../../src/alert/rule-files.ts'
import { causes } from '../../src/classify/cause.ts'
import { describeWithPromtool } from '../support/available.ts'
import { run } from '../support/process.ts'
import { checkRules } from '../support/promtool.ts'
import { tempDir } from '../support/run-context.ts'

const folder = fileURLToPath(new URL('../../alerts/prometheus/', import.meta.url))
const filesIn = (path: string) => readdirSync(path).filter((name) => name.endsWith('.yaml'))
const read = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8')

const rule = z.strictObject({
  record: z.string().optional(),
  alert: z.string().optional(),
  expr: z.string(),
  for: z.string().optional(),
  keep_firing_for: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
})
const groups = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), interval: z.string(), rules: z.array(rule) })),
})
const all = filesIn(folder).flatMap((file) => groups.parse(parse(read(file))).groups.flatMap(({ rules }) => rules))
const alerts = all.filter(({ alert }) => alert !== undefined)

const ruleTests = z.object({
  rule_files: z.array(z.string()),
  tests: z.array(
    z.object({
      alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
    }),
  ),
})
const testFiles = filesIn(join(folder, 'tests'))
const asked = testFiles.flatMap((file) =>
  ruleTests.parse(parse(read('tests', file))).tests.flatMap((one) => one.alert_rule_test),
)

const loaded = loadRules([shippedRules], shippedFolder)
const starter = loaded.ok ? loaded.rules : []

describe('The rules for Prometheus', () => {
  test('are what the code makes of the starter rules (else: npm run prometheus-rules)', () => {
    expect(new Map(filesIn(folder).map((file) => [file, read(file)]))).toEqual(
      new Map([...prometheusRuleFiles()].sort(([a], [b]) => a.localeCompare(b))),
    )
  })

  test('hold every starter rule, or say why it cannot be said', () => {
    expect(starter.length).toBeGreaterThan(10)
    for (const { name } of starter) {
      const said = alerts.some(({ alert }) => alert === name)
      const excused = new RegExp(`^# - ${name}: \\w.{20}`, 'm').test(read('refusals.rules.yaml'))
      expect([said, excused], name).toEqual([!excused, !said])
    }
  })

  test('keep the severity and the times of the starter rules', () => {
    for (const { name, severity, forMs, condition } of starter) {
      for (const { alert, labels, for: held } of alerts.filter((one) => one.alert === name)) {
        if (condition.type !== 'burn_rate') expect(labels['severity'], alert).toBe(severity)
        expect(held === undefined, alert).toBe(forMs === 0)
      }
    }
  })

  test('say what happened in every alert, and lead to runbooks there are', () => {
    for (const { alert, annotations, labels } of alerts) {
      expect(annotations['summary'], alert).toMatch(/\.$/)
      expect(['page', 'ticket', 'info'], alert).toContain(labels['severity'])
      // A hole in the path is filled with a cause.
      const written = /runbooks\/[\w]+\.md/.exec(annotations['runbook'] ?? '')?.[0]
      const paths = written === undefined ? causes.map((cause) => `runbooks/${cause}.md`) : [written]
      for (const path of paths) expect(() => readFileSync(join(shippedFolder, path)), path).not.toThrow()
    }
  })

  test('ask only for metrics that Tollwatch exports, and for recordings of their own', () => {
    const exported = readFileSync(new URL('../telemetry/metrics.golden.txt', import.meta.url), 'utf8')
    const recorded = new Set(all.flatMap(({ record }) => record ?? []))
    for (const { expr } of all) {
      for (const [name] of expr.matchAll(/\b(?:tollwatch|tenant_api|tenant_api_cause)[\w:]*/g)) {
        if (name.includes(':')) expect(recorded).toContain(name)
        else if (name.startsWith('tollwatch_')) expect(exported).toMatch(new RegExp(`^${name}[{ ]`, 'm'))
      }
    }
  })

  test('are each tested to fire and to stay silent', () => {
    for (const { alert } of alerts) {
      const own = asked.filter(({ alertname }) => alertname === alert)
      expect([own.some((one) => one.exp_alerts.length > 0), alert]).toEqual([true, alert])
      expect([own.some((one) => one.exp_alerts.length === 0), alert]).toEqual([true, alert])
    }
  })
})

describeWithPromtool('promtool', () => {
  test.each(filesIn(folder))('has nothing to say about %s', async (file) => {
    expect(await checkRules(read(file))).toBe('')
  })

  test.concurrent.each(testFiles)('finds that the rules do what %s says', { timeout: 120_000 }, async (file) => {
    const { code, stdout, stderr } = await run('promtool', ['test', 'rules', join(folder, 'tests', file)])
    expect([code, code === 0 ? '' : `${stdout}${stderr}`]).toEqual([0, ''])
  })

  test('would find a rule that does something else', async () => {
    const dir = tempDir('prometheus-rules')
    mkdirSync(join(dir, 'tests'))
    const text = read('tollwatch.rules.yaml')
    const deaf = text.replace('oldest_unwritten_seconds) > 300', 'oldest_unwritten_seconds) > 3000')
    expect(deaf).not.toBe(text)
    writeFileSync(join(dir, 'tollwatch.rules.yaml'), deaf)
    writeFileSync(join(dir, 'tests', 'itself.test.yaml'), read('tests', 'itself.test.yaml'))
    const { code, stdout, stderr } = await run('promtool', ['test', 'rules', join(dir, 'tests', 'itself.test.yaml')])
    expect(code).not.toBe(0)
    expect(`${stdout}${stderr}`).toContain('HistoryLags')
  })
})
