import { readingOf } from '../config/reading.ts'
import type { Config } from '../config/schema.ts'
import { silentLog } from '../fault/log.ts'
import type { History } from '../history/history.ts'
import type { Repaired } from '../history/repair.ts'
import type { RebuildResult } from '../history/repair-source.ts'
import { openTopics, type RereadableLane, type RereadableTopics } from '../source/kafka-range.ts'
import type { EpochMs } from '../time/clock.ts'
import { misused } from './flags.ts'
import { cutLimitsOf, spanOf } from './history-span.ts'
import { printRows } from './output.ts'
import { stepsOn } from './progress-steps.ts'
import { openStoreAlone } from './store.ts'
import { exitCode, type Terminal } from './terminal.ts'

export interface RepairArguments {
  readonly from: string
  readonly to: string
  /** `10s`, `1m`, `1h` or `all`. */
  readonly tier: string
  readonly dryRun?: boolean
  readonly settled?: boolean
  readonly withPresentSettings?: boolean
  readonly json?: boolean
}

/** What a repair is asked for, read from the command line. */
interface Span {
  readonly fromMs: EpochMs
  readonly toMs: EpochMs
  readonly dryRun: boolean
  readonly settled: boolean
}

/** In the order in which one mends the next. */
const tiers = {
  '10s': ['rollup_10s'],
  '1m': ['rollup_1m'],
  '1h': ['rollup_1h'],
  all: ['rollup_10s', 'rollup_1m', 'rollup_1h'],
} as const

/**
 * `tollwatch history repair`: rebuilds the 10 s tier, with the refused calls and dead letters beside it, from Kafka, and
 * each coarser tier from the finer one.
 *
 * @returns 0 when nothing differs any more, else 1
 */
export async function repairCommand(
  args: RepairArguments,
  config: Config,
  now: EpochMs,
  terminal: Terminal,
): Promise<number> {
  const names = tiers[args.tier as keyof typeof tiers]
  if (names === undefined) throw misused(`--tier must be one of ${Object.keys(tiers).join(', ')}`)
  const span = { ...spanOf(args, now), dryRun: args.dryRun === true, settled: args.settled === true }
  const history = await openStoreAlone(config)
  const results: (Repaired | RebuildResult)[] = []
  try {
    for (const tier of names) {
      const { steps, done } = stepsOn(terminal, tier)
      const work =
        tier === 'rollup_10s'
          ? rebuild(history, { args, span, config, steps })
          : history.repair({ tier, ...span }, steps)
      results.push(await work.finally(done))
    }
  } finally {
    await history.close()
  }
  if (args.json === true) terminal.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
  else for (const result of results) 'places' in result ? printRebuilt(result, terminal) : print(result, terminal)
  const open = results.some((result) => placesOf(result).some(({ left }) => result.dry_run || left !== null))
  return open ? exitCode.failed : exitCode.ok
}

/** What a bucket of a series takes in memory while an hour is rebuilt, on the safe side. */
const cellBytes = 1_000

/** Connects to Kafka only when something is wrong. */
async function rebuild(
  history: History,
  run: { args: RepairArguments; span: Span; config: Config; steps: ReturnType<typeof stepsOn>['steps'] },
): Promise<RebuildResult> {
  const { args, span, config, steps } = run
  const { kafka } = config.source
  let topics: RereadableTopics | null = null
  const lanes = async (): Promise<readonly RereadableLane[]> => {
    if (kafka === undefined) return []
    topics = await openTopics(kafka, { epoch: config.history.epoch, log: silentLog })
    return topics.lanes
  }
  const cellLimit = Math.floor((config.history.memory_limit_mib * 1024 * 1024) / cellBytes)
  const order = { ...span, lanes, reading: readingOf(config), limits: cutLimitsOf(config), cellLimit }
  try {
    return await history.rebuild({ ...order, withPresentSettings: args.withPresentSettings === true }, steps)
  } finally {
    await (topics as RereadableTopics | null)?.close()
  }
}

function placesOf(result: Repaired | RebuildResult): readonly { readonly left: string | null }[] {
  return 'places' in result ? result.places : result.hours
}

function print(result: Repaired, terminal: Terminal): void {
  const { stdout } = terminal
  stdout.write(`${result.tier} from ${result.from_tier}, ${result.from} to ${result.to}\n`)
  if (result.hours.length === 0) {
    stdout.write('  nothing differs\n')
    return
  }
  const rows = result.hours.map(({ hour, before, after, left }) => ({
    hour,
    requests: before.requests,
    'of the finer': after.requests,
    payment_required: before.payment_required,
    ' of the finer': after.payment_required,
    result: resultOf(left, result.dry_run, 'repaired'),
  }))
  printRows(rows, Object.keys(rows[0] ?? {}), 'table', terminal)
  for (const { hour, left } of result.hours) if (left !== null) stdout.write(`LEFT ${hour}: ${left}\n`)
}

function printRebuilt(result: RebuildResult, terminal: Terminal): void {
  const { stdout } = terminal
  stdout.write(`${result.tier}, events_402 and dead_letter from Kafka, ${result.from} to ${result.to}\n`)
  if (result.places.length === 0) {
    stdout.write('  nothing differs from the ledger\n')
    return
  }
  const rows = result.places.map(({ lane, where, before, after, missing_events, missing_dead_letters, left }) => ({
    ...{ lane, where, requests: before?.requests ?? '', 'of the ledger': after?.requests ?? '' },
    ...{ payment_required: before?.payment_required ?? '', ' of the ledger': after?.payment_required ?? '' },
    ...{ missing_events, missing_dead_letters, result: resultOf(left, result.dry_run, 'rebuilt') },
  }))
  printRows(rows, Object.keys(rows[0] ?? {}), 'table', terminal)
  for (const { lane, where, left } of result.places) {
    if (left !== null) stdout.write(`LEFT ${lane}, ${where}: ${left}\n`)
  }
}

function resultOf(left: string | null, isDry: boolean, done: string): string {
  if (left !== null) return 'LEFT'
  return isDry ? `would be ${done}` : done
}
