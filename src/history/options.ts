import { z } from 'zod'
import { duration } from '../time/setting.ts'

const clickhouseOptions = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('Such as http://clickhouse:8123.'),
  user: z.string().default('default'),
  password: z.string().default('').describe('Give it as ${ENV_VAR} or use password_file.'),
  password_file: z.string().optional(),
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
  retention: z
    .strictObject({
      rollup_10s: duration('3d'),
      rollup_1m: duration('90d'),
      rollup_1h: duration('730d'),
      events: duration('30d'),
      dead_letters: duration('14d'),
    })
    .prefault({}),
})

export type HistoryOptions = z.infer<typeof historyOptions>
