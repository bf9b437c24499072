import type { EpochMs } from '../time/clock.ts'
import { formatDuration } from '../time/duration.ts'
import type { Alert } from './alert.ts'
import { conditionGates, type Gate } from './gates.ts'
import { fullLabels } from './grouping.ts'
import { GroupFilter, type Memo, type Reading } from './reading.ts'
import { seriesLabels } from './rule.ts'
import type { RuleRunner } from './rule-runner.ts'
import { spanText } from './span.ts'
import type { StepSums } from './step-sums.ts'
import { formatCount } from './summary.ts'

/** What a rule saw of one series at one step, whether anything came of it or not. */
export interface Probe {
  readonly atMs: EpochMs
  readonly key: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'inactive' | Alert['state']
  /** The alert as it stands; null while there is none. */
  readonly alert: Alert | null
  readonly reading: Reading
  /** In the order in which they are asked; all must be passed for an alert to fire. */
  readonly gates: readonly Gate[]
  /** How the condition decides, as sentences. */
  readonly notes: readonly string[]
}

/**
 * Looks at the series of a rule that have these labels, the busiest first. To be called between the evaluation of the
 * rule and the next step; it changes nothing that the rule goes by.
 *
 * @param wanted values of labels; those that the rule does not tell its series apart by are passed over
 * @param limit the most series to look at
 */
export function probe(
  runner: RuleRunner,
  sums: StepSums,
  wanted: Readonly<Record<string, string>>,
  limit: number,
): readonly Probe[] {
  const { rule, evaluator, instances } = runner
  const keys = keysOf(runner, wanted)
  if (keys.size === 0) return []
  const memos = new Map<string, Memo | null>()
  for (const key of keys.keys()) memos.set(key, instances.get(key)?.memo ?? null)
  const readings = evaluator.evaluate(sums, memos).filter(({ key }) => keys.has(key))
  const busiest = readings.toSorted(
    (a, b) => b.observed - a.observed || b.value - a.value || b.requests - a.requests || (a.key < b.key ? -1 : 1),
  )
  return busiest.slice(0, limit).map((reading) => {
    const instance = instances.get(reading.key)
    const isActive = instance !== undefined && instance.clocks.state !== 'resolved'
    return {
      atMs: sums.atMs,
      key: reading.key,
      labels: keys.get(reading.key) ?? {},
      state: instance?.clocks.state ?? 'inactive',
      alert: instance?.alert ?? null,
      reading,
      gates: [
        ...conditionGates({ rule, evaluator, sums, reading }),
        ...(reading.met && !isActive
          ? [{ passed: false, text: `among the ${rule.limit} alerts a rule may raise` }]
          : []),
        ...(rule.forMs > 0 ? [heldGate(rule.forMs, instance?.clocks)] : []),
      ],
      notes: evaluator.explain(reading.key),
    }
  })
}

function heldGate(forMs: number, clocks: { state: string; pendingMs: number } | undefined): Gate {
  const held = clocks === undefined || clocks.state === 'resolved' ? 0 : clocks.pendingMs
  const passed = clocks?.state === 'firing'
  return { passed, text: `for ${formatDuration(forMs)}: ${passed ? 'it was' : `held for ${formatDuration(held)}`}` }
}

/** The series with these labels, by key: those that are active, have traffic in the windows, or are named in full. */
function keysOf(
  { rule, evaluator, instances }: RuleRunner,
  wanted: Readonly<Record<string, string>>,
): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const fits = (labels: Readonly<Record<string, string>>) =>
    Object.entries(wanted).every(([name, value]) => (labels[name] ?? value) === value)
  const found = new Map<string, Readonly<Record<string, string>>>()
  const { grouping } = evaluator
  const filter = new GroupFilter(rule)
  for (let group = 0; group < grouping.size; group++) {
    const labels = fullLabels(grouping.labels[group] ?? {})
    if (fits(labels) && filter.passes(grouping, group)) found.set(grouping.keys[group] ?? '', labels)
  }
  const by = [
    ...seriesLabels.filter((label) => rule.groupBy.includes(label)),
    ...(rule.ownLabel === null ? [] : [rule.ownLabel]),
  ]
  for (const { key, alert } of instances.values()) {
    if (key.startsWith('[') && fits(alert.labels)) found.set(key, alert.labels)
  }
  // A quota, or the end of a subscription, has no traffic of its own to be found by.
  const isNamed = rule.ownLabel !== null && by.every((label) => wanted[label] !== undefined)
  if (isNamed && found.size === 0) found.set(JSON.stringify(by.map((label) => wanted[label])), wanted)
  return found
}

/** What a rule saw of a series at one step, on one line. */
export function lineOf({ labels, reading, state, gates }: Probe): string {
  const named = ['tenant', 'api', 'cause', 'quota', 'topic', 'expires'].flatMap((name) => labels[name] ?? [])
  const failed = gates.find(({ passed }) => !passed)
  const verdict = failed === undefined ? 'all gates passed' : `fails: ${failed.text}`
  const { observed, requests, windowMs, expected } = reading
  const of = requests > 0 ? ` of ${formatCount(requests)}` : ''
  const usual = expected === null ? '' : `, ${Number(expected.toPrecision(3))} expected`
  const seen =
    windowMs === 0
      ? `value ${Number(reading.value.toPrecision(4))}`
      : `${formatCount(observed)}${of} in ${spanText(windowMs)}${usual}`
  return `${named.length === 0 ? 'all' : named.join(' ')}: ${seen}; ${state}; ${verdict}`
}
