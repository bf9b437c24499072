import { waitFor } from './process.ts'
import { type Daemon, tollwatch } from './tollwatch.ts'
import type { Counts, TopicTruth } from './topic-truth.ts'

/** How far what Tollwatch says is from the truth; all zero and no sentence when it says the same. */
export interface Audit {
  readonly records: number
  readonly lost: number
  readonly doubled: number
  /** Everything that differs, in sentences, at most ten of a kind. */
  readonly differences: readonly string[]
}

interface Summary {
  rows: { tenant: string; api: string; cause: string; requests: number; payment_required: number }[]
}

interface Live {
  at: string | null
  rows: { tenant: string; api: string; requests: number; causes: Record<string, number> }[]
}

interface Verified {
  problems: string[]
  lanes: { dead_letters: number; gaps?: unknown }[]
  totals: Record<string, { requests?: number; payment_required: number }>
}

const hour = 3_600_000

/**
 * Waits until all that the topic holds is in history and in the windows, then compares both with the truth, series by
 * series and cause by cause. Nobody must produce meanwhile.
 */
export async function auditDaemon(daemon: Daemon, truth: TopicTruth, timeoutMs = 60_000): Promise<Audit> {
  await truth.read()
  // A count that never comes shows in the comparison, with names, which says more than having waited in vain.
  await waitFor(
    'all records in history and in the windows',
    async () => (await countedRequests(daemon)) >= truth.records && (await liveTotal(daemon)) !== null,
    { timeoutMs, everyMs: 100, failed: () => (daemon.child.ended() ? daemon.logs().slice(-3_000) : null) },
  ).catch((error: unknown) => {
    if (daemon.child.ended()) throw error
  })
  const history = compared('history', truth.total, await historyCounts(daemon))
  const differences = [...history.differences]
  for (const window of ['1m', '5m', '15m', '1h']) differences.push(...(await compareLive(daemon, truth, window)))
  return { records: truth.records, lost: history.lost, doubled: history.doubled, differences }
}

/** Runs `tollwatch history verify` in the daemon's folder; the daemon must have ended where the store is embedded. */
export async function auditVerify(dir: string, truth: TopicTruth): Promise<readonly string[]> {
  const { code, stdout, stderr } = await tollwatch(['history', 'verify', '-c', 'tollwatch.yaml', '--json'], {
    cwd: dir,
  })
  if (code !== 0 && stdout === '') return [`history verify ended with ${code}: ${stderr.slice(-1_000)}`]
  const { problems, lanes, totals } = JSON.parse(stdout) as Verified
  const found = {
    ledger: totals['ledger']?.requests,
    'refusals in the ledger': totals['ledger']?.payment_required,
    'the minute tier': totals['rollup_1m']?.requests,
    'refused calls one by one': totals['events_402']?.payment_required,
    'dead letters': lanes.reduce((sum, lane) => sum + lane.dead_letters, 0),
  }
  const expected = {
    ledger: truth.records,
    'refusals in the ledger': truth.refused,
    'the minute tier': truth.records,
    'refused calls one by one': truth.refused,
    'dead letters': truth.unreadable,
  }
  const differences = Object.entries(expected)
    .filter(([what, count]) => found[what as keyof typeof found] !== count)
    .map(([what, count]) => `verify: ${what}: ${found[what as keyof typeof found]} instead of ${count}`)
  return [...problems.map((problem) => `verify: ${problem}`), ...differences]
}

function span(): string {
  return `from=${Date.now() - 24 * hour}&to=${Date.now() + hour}&limit=1000`
}

/** Requests in history, over all series. */
export async function countedRequests(daemon: Daemon): Promise<number> {
  const { rows } = await daemon.get<Summary>(`/api/v1/summary?${span()}&by=`)
  return rows.reduce((sum, row) => sum + row.requests, 0)
}

/** Null while the windows are still being loaded. */
async function liveTotal(daemon: Daemon): Promise<string | null> {
  return (await daemon.get<Live>('/api/v1/live?window=1h')).at
}

async function historyCounts(daemon: Daemon): Promise<Counts> {
  const counts: Counts = new Map()
  const bySeries = await daemon.get<Summary>(`/api/v1/summary?${span()}&by=tenant,api`)
  for (const row of bySeries.rows) counts.set(`${row.tenant} ${row.api} `, row.requests)
  const byCause = await daemon.get<Summary>(`/api/v1/summary?${span()}&by=tenant,api,cause`)
  for (const { tenant, api, cause, payment_required } of byCause.rows) {
    if (cause !== '') counts.set(`${tenant} ${api} ${cause}`, payment_required)
  }
  return counts
}

async function compareLive(daemon: Daemon, truth: TopicTruth, window: string): Promise<readonly string[]> {
  const live = await daemon.get<Live>(`/api/v1/live?window=${window}&limit=10000`)
  if (live.at === null) return truth.records === 0 ? [] : [`window ${window} is empty`]
  const counts: Counts = new Map()
  for (const { tenant, api, requests, causes } of live.rows) {
    if (requests > 0) counts.set(`${tenant} ${api} `, requests)
    for (const [cause, count] of Object.entries(causes)) counts.set(`${tenant} ${api} ${cause}`, count)
  }
  const toMs = Date.parse(live.at)
  const lengthMs = { '1m': 60_000, '5m': 300_000, '15m': 900_000, '1h': hour }[window] ?? hour
  return compared(`window ${window}`, truth.between(toMs - lengthMs, toMs), counts).differences
}

function compared(
  what: string,
  expected: Counts,
  found: Counts,
): { lost: number; doubled: number; differences: string[] } {
  const differences: string[] = []
  let [lost, doubled] = [0, 0]
  for (const key of new Set([...expected.keys(), ...found.keys()])) {
    const [is, should] = [found.get(key) ?? 0, expected.get(key) ?? 0]
    if (is === should) continue
    // A refusal is in the requests of its series too; it is lost or doubled once.
    if (key.endsWith(' ')) {
      lost += Math.max(0, should - is)
      doubled += Math.max(0, is - should)
    }
    if (differences.length < 10) differences.push(`${what}: "${key.trim()}": ${is} instead of ${should}`)
  }
  return { lost, doubled, differences }
}
