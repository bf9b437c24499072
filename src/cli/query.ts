import type { LoadedConfig } from '../config/load.ts'
import { Fault } from '../fault/fault.ts'
import { type GroupKey, groupKeys, type Queries, type Selection, type Trends } from '../history/query.ts'
import type { EpochMs } from '../time/clock.ts'
import { dayMs, formatDuration, hourMs, minuteMs, parseDuration } from '../time/duration.ts'
import { parseInstant } from '../time/instant.ts'
import { formatNamed, printRows } from './output.ts'
import { sparkline } from './sparkline.ts'
import { openStore } from './store.ts'
import { type Answer, withTenantNames } from './tenant-names.ts'
import { exitCode, type Terminal } from './terminal.ts'

export const subjects = ['trends', 'summary', 'events', 'alerts', 'dead-letters'] as const

export type Subject = (typeof subjects)[number]

export interface QueryArguments {
  readonly from: string
  readonly to: string
  readonly step?: string
  readonly by?: string
  readonly tenant?: string
  readonly api?: string
  readonly cause?: string
  readonly limit: string
  readonly format?: string
  readonly json?: boolean
  readonly url?: string
  readonly token?: string
}

const pleasantPoints = 60
const steps = [10_000, 30_000, minuteMs, 5 * minuteMs, 15 * minuteMs, hourMs, 6 * hourMs, dayMs]

/** Answers a question over history; see `tollwatch query --help`. */
export async function queryCommand(
  subject: Subject,
  args: QueryArguments,
  loaded: LoadedConfig,
  now: EpochMs,
  terminal: Terminal,
): Promise<number> {
  const select = selection(args, now)
  const format = formatNamed(args)
  const by = groupsOf(args.by ?? (subject === 'trends' ? '' : 'tenant,api,cause'))
  const limit = limitOf(args.limit)
  const stepMs = stepOf(args.step, select)
  const { url, token } = args
  const store = await openStore({
    config: loaded.config,
    ...(url === undefined ? {} : { url }),
    ...(token === undefined ? {} : { token }),
  })
  try {
    if (subject === 'trends' && format === 'table' && terminal.stdout.isTTY === true) {
      showTrends(await store.queries.trends({ ...select, by, limit, stepMs }), by, terminal)
      return exitCode.ok
    }
    const answer = await ask(store.queries, subject, { select, by, limit, stepMs })
    const byTenant = subject === 'events' || subject === 'alerts' || (subject === 'summary' && by.includes('tenant'))
    const { rows, columns } = byTenant ? await withTenantNames(answer, loaded, format, terminal) : answer
    printRows(rows, columns, format, terminal)
    return exitCode.ok
  } finally {
    await store.close()
  }
}

/** For people: a line for each series. A single one is followed by its points. */
function showTrends({ from, to, step_ms: stepMs, series }: Trends, by: readonly GroupKey[], terminal: Terminal): void {
  const columns = ['requests', 'payment_required', 'ratio']
  const startMs = Math.floor(Date.parse(from) / stepMs) * stepMs
  const steps = Math.max(1, Math.ceil((Date.parse(to) - startMs) / stepMs))
  const rows = series.map(({ labels, points }) => {
    const counts = new Array<number>(steps).fill(0)
    let [requests, refused] = [0, 0]
    for (const point of points) {
      requests += point.requests
      refused += point.payment_required
      const at = Math.floor((Date.parse(point.time) - startMs) / stepMs)
      if (at >= 0 && at < steps) counts[at] = point.payment_required
    }
    const ratio = requests === 0 ? null : refused / requests
    return { ...labels, requests, payment_required: refused, ratio, trend: sparkline(counts) }
  })
  const worstFirst = rows.toSorted((a, b) => b.payment_required - a.payment_required || b.requests - a.requests)
  printRows(worstFirst, [...by, ...columns, 'trend'], 'table', terminal)
  const [only, ...more] = series
  if (only === undefined) return
  const how = more.length === 0 ? '' : '; with --format csv every point of each'
  terminal.stdout.write(`\nrefused calls from ${from} to ${to}, a step is ${formatDuration(stepMs)}${how}\n`)
  if (more.length > 0) return
  terminal.stdout.write('\n')
  printRows(
    only.points.map((point) => ({ ...point })),
    ['time', ...columns],
    'table',
    terminal,
  )
}

async function ask(
  queries: Queries,
  subject: Subject,
  { select, by, limit, stepMs }: { select: Selection; by: readonly GroupKey[]; limit: number; stepMs: number },
): Promise<Answer> {
  switch (subject) {
    case 'trends': {
      const { series } = await queries.trends({ ...select, by, limit, stepMs })
      const rows = series.flatMap(({ labels, points }) =>
        points.map(({ time, ...point }) => ({ time, ...labels, ...point })),
      )
      return { rows, columns: ['time', ...by, 'requests', 'payment_required', 'ratio'] }
    }
    case 'summary': {
      const { rows } = await queries.summary({ ...select, by, limit })
      return { rows: rows.map((row) => ({ ...row })), columns: [...by, 'requests', 'payment_required', 'ratio'] }
    }
    case 'events': {
      const { rows } = await queries.events({ ...select, limit })
      const columns = [
        'time',
        'tenant',
        'api',
        'cause',
        'cause_code',
        'cause_source',
        'method',
        'latency_ms',
        'request_id',
        'kind',
        'format',
      ]
      return { rows: rows.map((row) => ({ ...row })), columns }
    }
    case 'alerts': {
      const { rows } = await queries.alerts({ ...select, limit })
      return {
        rows: rows.map((row) => ({ ...row })),
        columns: ['time', 'rule', 'state', 'severity', 'value', 'summary', 'fingerprint'],
      }
    }
    case 'dead-letters': {
      const { rows } = await queries.deadLetters({ ...select, limit })
      const columns = ['time', 'reason', 'source', 'partition', 'offset', 'index', 'bytes', 'message', 'sketch']
      return { rows: rows.map((row) => ({ ...row })), columns }
    }
    default:
      return subject satisfies never
  }
}

function selection(args: QueryArguments, now: EpochMs): Selection {
  const fromMs = instantOf('--from', args.from, now)
  const toMs = instantOf('--to', args.to, now)
  if (fromMs >= toMs) throw invalid(`--from ${args.from} is not before --to ${args.to}`)
  const { tenant, api, cause } = args
  return {
    fromMs,
    toMs,
    ...(tenant === undefined ? {} : { tenant }),
    ...(api === undefined ? {} : { api }),
    ...(cause === undefined ? {} : { cause }),
  }
}

export function instantOf(flag: string, text: string, now: EpochMs): EpochMs {
  const at = parseInstant(text, now)
  if (at === null)
    throw invalid(`${flag} ${text} is no time; use ISO 8601, epoch milliseconds, now, or relative such as -1h`)
  return at
}

function groupsOf(text: string): GroupKey[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return names.map((name) => {
    const key = groupKeys.find((one) => one === name)
    if (key === undefined) throw invalid(`--by ${name} is unknown; use ${groupKeys.join(', ')}`)
    return key
  })
}

function limitOf(text: string): number {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000)
    throw invalid(`--limit ${text} is no number from 1 to 100000`)
  return limit
}

function stepOf(text: string | undefined, { fromMs, toMs }: Selection): number {
  if (text === undefined) return steps.find((step) => (toMs - fromMs) / step <= pleasantPoints) ?? dayMs
  const step = parseDuration(text)
  if (step === null || step < 10_000) throw invalid(`--step ${text} is no duration of 10s or more`)
  return step
}

function invalid(message: string): Fault {
  return new Fault('argument-invalid', message, { retryable: false })
}
