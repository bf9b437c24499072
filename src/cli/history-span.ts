import type { Config } from '../config/schema.ts'
import type { CutLimits } from '../history/backfill-reading.ts'
import type { EpochMs } from '../time/clock.ts'
import { parseInstant } from '../time/instant.ts'
import { misused } from './flags.ts'

/** @throws Fault `argument-invalid` */
export function spanOf(args: { from: string; to: string }, now: EpochMs): { fromMs: EpochMs; toMs: EpochMs } {
  const fromMs = instant('--from', args.from, now)
  const toMs = instant('--to', args.to, now)
  if (fromMs >= toMs) throw misused('--from must be earlier than --to')
  return { fromMs, toMs }
}

/** Where ranges that are read again are cut, as the daemon cuts them. */
export function cutLimitsOf({ history, window }: Config): CutLimits {
  return {
    flushRows: history.flush_rows,
    seriesLimit: window.series_limit,
    seriesLimitPerTenant: window.series_limit_per_tenant,
  }
}

function instant(flag: string, text: string, now: EpochMs): EpochMs {
  const at = parseInstant(text, now)
  if (at === null) throw misused(`${flag} is no time; write it like 2026-11-21T14:00:00Z or -6h`)
  return at
}
