import { statSync } from 'node:fs'
import { fileBook } from '../app.ts'
import { readingOf } from '../config/reading.ts'
import type { Config } from '../config/schema.ts'
import { messageOf } from '../fault/fault.ts'
import { silentLog } from '../fault/log.ts'
import { type History, openHistory } from '../history/history.ts'
import { Pipeline } from '../pipeline.ts'
import { FileSource } from '../source/file.ts'
import { systemClock } from '../time/clock.ts'
import { Lifetime } from '../window/lifetime.ts'
import { type Progress, progressOn } from './progress.ts'
import { exitCode, type Terminal } from './terminal.ts'

interface ReplaySummary {
  records: number
  payment_required: number
  causes: Record<string, number>
  unreadable: Record<string, number>
  skipped: number
  already_in_history_bytes: number
  seconds: number
  records_per_second: number
}

/**
 * `tollwatch replay`: runs files through the whole pipeline into history. Nobody is alerted about the past. A file that
 * is in history already adds nothing.
 */
export async function replayCommand(
  args: { files: readonly string[]; json?: boolean },
  config: Config,
  terminal: Terminal,
): Promise<number> {
  const history = await openHistory(config.history, {
    ...{ clock: systemClock, log: silentLog, wait: false, purpose: 'write' },
  })
  try {
    const summary = await replay(args.files, config, history, progressOn(terminal, 'replay', sizeOf(args.files)))
    if (args.json === true) terminal.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
    else terminal.stdout.write(readable(summary))
    return exitCode.ok
  } finally {
    await history.close()
  }
}

async function replay(
  files: readonly string[],
  config: Config,
  history: History,
  progress: Progress,
): Promise<ReplaySummary> {
  const tally = new Map<string, number>()
  const lifetime = new Lifetime(config.window.series_limit)
  const problems: string[] = []
  const log = { ...silentLog, error: (message: string) => void problems.push(message) }
  const pipeline = new Pipeline({
    ...{
      history,
      lifetime,
      log,
      clock: systemClock,
      reading: readingOf(config),
      onSlice: () => {},
      onQuotas: null,
      resumeAtMs: null,
    },
    events: {
      records: (result, count) => void tally.set(result, (tally.get(result) ?? 0) + count),
      flushed: () => {},
      refusalsApart: () => {},
    },
    ...{ latenessMs: config.window.lateness, idleAfterMs: config.window.idle_after },
    ...{ seriesLimit: config.window.series_limit, seriesLimitPerTenant: config.window.series_limit_per_tenant },
    ...{ flushIntervalMs: Number.POSITIVE_INFINITY, flushRows: config.history.flush_rows, epoch: config.history.epoch },
    memoryLimitBytes: config.history.memory_limit_mib * 1024 * 1024,
  })
  let bytes = 0
  const source = new FileSource({
    ...{ paths: files, follow: false, keepBytes: config.decode.max_value_bytes + 1, book: fileBook(history.state) },
    ...{ clock: systemClock, log },
    onProgress: (_, count) => {
      bytes += count
      progress.advance(count)
    },
  })
  const startedMs = systemClock.now()
  await source.start(() => pipeline.consumer())
  await source.finished()
  progress.done()
  const failed = [...source.problems(), ...problems]
  if (failed.length > 0) throw new Error(failed.map(messageOf).join('; '))
  const total = sizeOf(files)
  const plain = files.every((file) => !file.endsWith('.gz'))
  return summaryOf({
    tally,
    lifetime,
    seconds: (systemClock.now() - startedMs) / 1000,
    skippedBytes: plain ? total - bytes : 0,
  })
}

function summaryOf(run: {
  tally: ReadonlyMap<string, number>
  lifetime: Lifetime
  seconds: number
  skippedBytes: number
}): ReplaySummary {
  const { tally, lifetime, seconds, skippedBytes } = run
  const causes: Record<string, number> = {}
  for (const row of lifetime.totals()) {
    for (const { cause, count } of row.causes) causes[cause] = (causes[cause] ?? 0) + count
  }
  const readable = ['ok', 'skewed', 'skipped']
  const records = (tally.get('ok') ?? 0) + (tally.get('skewed') ?? 0)
  return {
    records,
    payment_required: Object.values(causes).reduce((sum, count) => sum + count, 0),
    causes,
    unreadable: Object.fromEntries([...tally].filter(([result]) => !readable.includes(result))),
    skipped: tally.get('skipped') ?? 0,
    already_in_history_bytes: Math.max(0, skippedBytes),
    seconds,
    records_per_second: Math.round(records / Math.max(seconds, 0.001)),
  }
}

function readable(summary: ReplaySummary): string {
  const number = (value: number) => value.toLocaleString('en-US')
  const unreadable = Object.entries(summary.unreadable)
  const causes = Object.entries(summary.causes).sort((a, b) => b[1] - a[1])
  const lines = [
    `${number(summary.records)} records in ${summary.seconds.toFixed(1)} s (${number(summary.records_per_second)} records/s)`,
    `${number(summary.payment_required)} answered 402`,
    ...causes.map(([cause, count]) => `  ${cause}: ${number(count)}`),
    `${number(unreadable.reduce((sum, [, count]) => sum + count, 0))} unreadable`,
    ...unreadable.map(([reason, count]) => `  ${reason}: ${number(count)}`),
  ]
  if (summary.skipped > 0) lines.push(`${number(summary.skipped)} were no access records`)
  if (summary.already_in_history_bytes > 0) {
    lines.push(`${number(summary.already_in_history_bytes)} bytes were in history already and were not counted again`)
  }
  return `${lines.join('\n')}\n`
}

function sizeOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + statSync(file).size, 0)
}
