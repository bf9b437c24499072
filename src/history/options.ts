import { z } from 'zod'
import { dayMs, formatDuration, hourMs, parseDuration } from '../time/duration.ts'
import { duration } from '../time/setting.ts'

const clickhouseOptions = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('Such as http://clickhouse:8123.'),
  user: z.string().default('default'),
  password: z.string().default('').describe('Give it as ${ENV_VAR} or use password_file.'),
  password_file: z.string().optional(),
  cluster: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+$/, 'is no name of a cluster; SELECT cluster FROM system.clusters lists them')
    .optional()
    .describe('Replicated tables on this cluster; url then leads to the replicas of one shard.'),
})

/** The windows reach back an hour and are loaded from the 10 s tier; beside it goes what a restart may have missed. */
const shortestTierMs = 2 * hourMs
const shortestKeptMs = hourMs
/** DateTime ends in 2106; a time to live that reaches beyond it wraps round and deletes at once. */
const longestKeptMs = 7_300 * dayMs

const retentionOptions = z
  .strictObject({
    rollup_10s: duration('3d'),
    rollup_1m: duration('90d'),
    rollup_1h: duration('730d'),
    events: z
      .union([z.string(), z.literal(false)])
      .default('30d')
      .transform((value, context) => {
        if (value === false || value === 'off') return null
        const ms = parseDuration(value)
        if (ms !== null) return ms
        context.addIssue({
          code: 'custom',
          message: `"${value}" is neither a duration nor off; write it like 30d, or off to keep no refused calls one by one`,
        })
        return z.NEVER
      }),
    dead_letters: duration('14d'),
  })
  .superRefine((kept, context) => {
    const complain = (path: keyof typeof kept, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message })
    const said = formatDuration
    if (kept.rollup_10s < shortestTierMs)
      complain('rollup_10s', `must be ${said(shortestTierMs)} or more: after a restart the windows are loaded from it`)
    if (kept.rollup_1m < kept.rollup_10s)
      complain('rollup_1m', `must be ${said(kept.rollup_10s)} or more: a coarser tier is kept as long as the finer`)
    if (kept.rollup_1h < kept.rollup_1m)
      complain('rollup_1h', `must be ${said(kept.rollup_1m)} or more: a coarser tier is kept as long as the finer`)
    if (kept.events !== null && kept.events < shortestKeptMs)
      complain('events', `must be ${said(shortestKeptMs)} or more, or off`)
    if (kept.dead_letters < shortestKeptMs) complain('dead_letters', `must be ${said(shortestKeptMs)} or more`)
    for (const name of ['rollup_10s', 'rollup_1m', 'rollup_1h', 'events', 'dead_letters'] as const) {
      if ((kept[name] ?? 0) > longestKeptMs) complain(name, `must be ${said(longestKeptMs)} or less`)
    }
  })

export const historyOptions = z.strictObject({
  clickhouse: clickhouseOptions.optional().describe('A ClickHouse server; without it history lives in data_dir.'),
  data_dir: z.string().default('./data/tollwatch').describe('Where the embedded store and the ingest spool live.'),
  flush_interval: duration('10s').describe('Longest time a record waits before it is written.'),
  flush_rows: z
    .int()
    .min(1)
    .default(50_000)
    .describe('Write earlier once a lane holds this many rollup rows and events.'),
  memory_limit_mib: z.int().min(8).default(256).describe('Lanes pause once this much waits to be written.'),
  epoch: z.int().min(0).default(0).describe('Raise it to write ranges again that are in history already.'),
  retention: retentionOptions.prefault({}),
})

export type HistoryOptions = z.infer<typeof historyOptions>
export type Retention = HistoryOptions['retention']
