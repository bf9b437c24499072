import type { z } from 'zod'
import { type FileProblem, parseYamlFile, type YamlFile } from '../file/yaml-file.ts'
import type { Tenant } from '../tenants/directory.ts'
import { tenantOf } from '../tenants/parse-tenants.ts'
import type { EpochMs } from '../time/clock.ts'
import { parseInstant } from '../time/instant.ts'
import { sliceMs } from '../window/view.ts'
import { fileSchema, type TestInput, testSchema } from './rule-test-schema.ts'
import {
  expandValues,
  generateValues,
  type InputSeries,
  parseSeries,
  seriesFix,
  valuesFix,
} from './rule-test-series.ts'

/** Unit tests of rules as a file holds them (reference 3.3), with durations in milliseconds. */
export interface RuleTestFile {
  readonly file: string
  readonly ruleFiles: readonly string[]
  /** The routes that notifications are tested with; null where none are. */
  readonly notifyFile: string | null
  readonly intervalMs: number
  readonly tests: readonly RuleTest[]
}

/** Times in it count from its start. */
export interface RuleTest {
  readonly name: string
  readonly startMs: EpochMs
  readonly series: readonly InputSeries[]
  /** What the directory of tenants has. */
  readonly tenants: readonly Tenant[]
  /** When the log stands still; what was written meanwhile comes afterwards, in one go. */
  readonly stalls: readonly { readonly fromMs: number; readonly toMs: number }[]
  readonly alertTests: readonly AlertTest[]
  readonly timelineTests: readonly TimelineTest[]
  readonly notificationTests: readonly NotificationTest[]
  readonly routeTests: readonly RouteTest[]
  readonly onlyRules: readonly string[] | null
  readonly expectNoOtherAlerts: boolean
}

export interface AlertTest {
  readonly atMs: number
  readonly rule: string
  readonly alerts: readonly ExpectedAlert[]
}

export interface ExpectedAlert {
  readonly labels: Readonly<Record<string, string>>
  /** `any` accepts every text, `~…` is a regular expression. */
  readonly annotations: Readonly<Record<string, string>>
  readonly exact: boolean
  readonly min: number | null
  readonly max: number | null
  readonly baselineMax: number | null
}

export interface TimelineTest {
  readonly rule: string
  /** Both ends within the tolerance. */
  readonly firing: readonly { readonly fromMs: number; readonly toMs: number }[]
  readonly toleranceMs: number
}

/** Every message that a receiver gets during the test, in order. */
export interface NotificationTest {
  readonly receiver: string
  readonly messages: readonly ExpectedMessage[]
  readonly toleranceMs: number
}

export interface ExpectedMessage {
  readonly atMs: number
  readonly status: 'firing' | 'resolved'
  /** The number of the message whose conversation it goes on; null where that does not matter. */
  readonly threadOf: number | null
}

/** Who is told of an alert with these labels. */
export interface RouteTest {
  readonly labels: Readonly<Record<string, string>>
  readonly receivers: readonly string[]
}

/** Agreed, but not in this release: what a log says depends on settings that a test file does not have. */
const laterKeys: ReadonlyMap<string, string> = new Map([
  ['events', 'write input_series, whose values or generate stand for the traffic'],
])
const formatFix = 'see alerts/tests/starter.test.yaml for examples'

/** Reads a test file; everything that is wrong with it comes back at once. */
export function parseRuleTests(
  text: string,
  file: string,
): { ok: true; tests: RuleTestFile } | { ok: false; problems: readonly FileProblem[] } {
  const parsed = parseYamlFile(text, file)
  if (!parsed.ok) return parsed
  const { yaml } = parsed
  const problems: FileProblem[] = []
  const later = (value: unknown, path: readonly PropertyKey[]) => {
    const found = [...laterKeys].filter(([key]) => typeof value === 'object' && value !== null && key in value)
    for (const [key, fix] of found) problems.push(yaml.problem([...path, key], `${key} comes in a later release`, fix))
    return found.length > 0
  }
  if (later(yaml.value, [])) return { ok: false, problems }
  const head = fileSchema.safeParse(yaml.value)
  if (!head.success) {
    addIssues(problems, yaml, [], head.error)
    return { ok: false, problems }
  }
  const { evaluation_interval: intervalMs, notify_file: notifyFile = null } = head.data
  if (intervalMs < sliceMs || intervalMs % sliceMs !== 0) {
    problems.push(yaml.problem(['evaluation_interval'], 'is not a multiple of 10s', 'write 1m'))
  }
  const tests: RuleTest[] = []
  for (const [number, raw] of head.data.tests.entries()) {
    const path = ['tests', number]
    if (later(raw, path)) continue
    const test = testSchema.safeParse(raw)
    if (!test.success) addIssues(problems, yaml, path, test.error)
    else tests.push(new TestReader(test.data, { yaml, path, problems, intervalMs, notifyFile }).read())
  }
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, tests: { file, ruleFiles: head.data.rule_files, notifyFile, intervalMs, tests } }
}

interface Surroundings {
  readonly yaml: YamlFile
  readonly path: readonly PropertyKey[]
  readonly problems: FileProblem[]
  readonly intervalMs: number
  readonly notifyFile: string | null
}

/** Reads one test that has the right shape, and notes what does not fit together. */
class TestReader {
  readonly #input: TestInput
  readonly #around: Surroundings

  constructor(input: TestInput, around: Surroundings) {
    this.#input = input
    this.#around = around
  }

  read(): RuleTest {
    const input = this.#input
    const startMs = parseInstant(input.start_timestamp, 0)
    if (startMs === null || startMs % sliceMs !== 0) {
      this.#report(['start_timestamp'], 'is no time on a full 10 seconds', 'write a time such as 2026-03-02T09:00:00Z')
    }
    this.#checkWhole()
    return {
      name: input.name,
      startMs: startMs ?? 0,
      series: this.#series(),
      tenants: Object.entries(input.tenants).map(([id, one]) => tenantOf(id, one)),
      stalls: input.input_stalls,
      alertTests: input.alert_rule_test.map(({ eval_time, rule, exp_alerts }) => ({
        atMs: eval_time,
        rule,
        alerts: exp_alerts.map(({ exp_labels, exp_annotations, exp_value, match }) => ({
          labels: exp_labels,
          annotations: exp_annotations,
          exact: match === 'exact',
          min: exp_value.min ?? null,
          max: exp_value.max ?? null,
          baselineMax: exp_value.baseline_max ?? null,
        })),
      })),
      timelineTests: input.timeline_test.map(({ rule, exp_firing, tolerance }) => {
        return { rule, firing: exp_firing, toleranceMs: tolerance }
      }),
      notificationTests: this.#notifications(),
      routeTests: input.route_test.map(({ labels, exp_receivers }) => ({ labels, receivers: exp_receivers })),
      onlyRules: input.only_rules ?? null,
      expectNoOtherAlerts: input.expect_no_other_alerts,
    }
  }

  #checkWhole(): void {
    const { input_series, tenants, notification_test, route_test } = this.#input
    const isEmpty = input_series.length === 0 && Object.keys(tenants).length === 0
    if (isEmpty && route_test.length === 0) {
      this.#report(['input_series'], 'is missing or empty', 'write at least one series with values')
    }
    const tests = { notification_test, route_test }
    for (const [key, list] of Object.entries(tests)) {
      if (list.length === 0 || this.#around.notifyFile !== null) continue
      this.#report([key], 'needs routes', 'write notify_file: PATH at the top of the file, such as ../notify.yaml')
    }
  }

  #series(): readonly InputSeries[] {
    const { intervalMs } = this.#around
    return this.#input.input_series.flatMap(({ series: name, values, generate }, number): InputSeries[] => {
      const at = ['input_series', number]
      const named = parseSeries(name)
      if (typeof named === 'string') this.#report([...at, 'series'], named, seriesFix)
      if ((values === undefined) === (generate === undefined)) {
        this.#report(at, 'needs values or generate, and not both', 'keep one of them')
        return []
      }
      const counts =
        generate === undefined
          ? expandValues(String(values))
          : generateValues(generate, Math.ceil(generate.for / Math.max(intervalMs, sliceMs)))
      if (typeof counts === 'string') this.#report([...at, 'values'], counts, valuesFix)
      return typeof named === 'string' || typeof counts === 'string' ? [] : [{ ...named, values: counts }]
    })
  }

  #notifications(): readonly NotificationTest[] {
    return this.#input.notification_test.map(({ receiver, exp, tolerance }, number) => ({
      receiver,
      toleranceMs: tolerance,
      messages: exp.map(({ at, status, in_thread_of: threadOf = null }, place) => {
        if (threadOf !== null && threadOf >= place) {
          const path = ['notification_test', number, 'exp', place, 'in_thread_of']
          this.#report(path, 'names no earlier message', 'count the messages of this list from 0')
        }
        return { atMs: at, status, threadOf }
      }),
    }))
  }

  #report(at: readonly PropertyKey[], message: string, fix: string): void {
    const { yaml, path, problems } = this.#around
    problems.push(yaml.problem([...path, ...at], message, fix))
  }
}

function addIssues(problems: FileProblem[], yaml: YamlFile, path: readonly PropertyKey[], error: z.ZodError): void {
  for (const issue of error.issues) {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [null]
    for (const key of keys) {
      const at = [...path, ...issue.path, ...(key === null ? [] : [key])]
      const message = key === null ? issue.message : `the key ${key} is not known`
      problems.push(yaml.problem(at, message, formatFix))
    }
  }
}
