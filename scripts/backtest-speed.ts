/**
 * How fast a backtest is: runs the command over made-up history, as `npx tsx scripts/backtest-speed.ts [DAYS] [SERIES]`.
 * The traffic of the series falls off as it does with real tenants: some make thousands of requests a minute, most make
 * one now and then. Half a percent is refused, and once a day one tenant has an incident of an hour.
 */

import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { shippedFolder } from '../src/alert/rule-files.ts'
import { backtestCommand } from '../src/cli/backtest.ts'
import type { Queries, SeriesMinutes } from '../src/history/query.ts'
import { systemClock } from '../src/time/clock.ts'
import { dayMs, hourMs, minuteMs } from '../src/time/duration.ts'

const days = Number(process.argv[2] ?? 2)
const series = Number(process.argv[3] ?? 10_000)
const toMs = Date.UTC(2026, 0, 31)
const causes = ['quota_exceeded', 'payment_failed', 'insufficient_funds', 'subscription_expired']
let seed = 1
let points = 0
let making = 0

function uniform(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return (seed + 0.5) / 2 ** 32
}

/** A whole number with this mean, spread by a third. */
function about(mean: number): number {
  const wanted = mean * (0.67 + 0.66 * uniform())
  return Math.floor(wanted) + (uniform() < wanted % 1 ? 1 : 0)
}

function hour(fromMs: number): readonly SeriesMinutes[] {
  const rows: SeriesMinutes[] = []
  const hurt = Math.floor(fromMs / hourMs) % 24 === 12 ? Math.floor(fromMs / dayMs) % 50 : -1
  for (let k = 0; k < series; k++) {
    const named = { tenant: `tenant-${k >> 1}`, api: k % 2 === 0 ? 'chat' : 'maps' }
    const mean = 3_000 / (k + 1) ** 0.95
    const [minutes, counts, refusedAt, refused]: number[][] = [[], [], [], []]
    for (let minute = 0; minute < 60; minute++) {
      const requests = about(mean)
      if (requests === 0) continue
      minutes?.push(minute)
      counts?.push(requests)
      const count = about(requests * (k === hurt ? 0.3 : 0.005))
      if (count === 0) continue
      refusedAt?.push(minute)
      refused?.push(count)
    }
    points += (minutes?.length ?? 0) + (refusedAt?.length ?? 0)
    if (minutes?.length !== 0) rows.push({ ...named, cause: '', minutes: minutes ?? [], counts: counts ?? [] })
    if (refusedAt?.length !== 0)
      rows.push({ ...named, cause: causes[k % 4] ?? '', minutes: refusedAt ?? [], counts: refused ?? [] })
  }
  return rows
}

const queries: Pick<Queries, 'minutes'> = {
  minutes: async ({ fromMs }) => {
    const before = process.cpuUsage().user
    const rows = hour(fromMs)
    making += process.cpuUsage().user - before
    return { complete: true, rows }
  },
}
const startMs = systemClock.now()
const args = {
  ...{ rules: ['shipped'], from: `-${days}d`, to: 'now', warmUp: '1d', compare: [], sweep: [], format: 'table' },
  ...{ notify: join(shippedFolder, 'notify.yaml'), baselineSeriesLimit: 100_000 },
}
const { stdout, stderr } = process
await backtestCommand(args, queries as Queries, toMs, { stdin: new PassThrough(), stdout, stderr })
const { user, system } = process.cpuUsage()
const minutes = ((days + 1) * dayMs) / minuteMs
// Processor time, since a machine may have other work as well.
const usedMs = (user + system - making) / 1000
console.log(
  [
    `${series} series, ${Math.round(points / minutes)} counts a minute, ${minutes} minutes with the day of learning`,
    `${(usedMs / 1000).toFixed(0)} s of processor time, ${(usedMs / minutes).toFixed(1)} ms a minute, and ${(making / 1e6).toFixed(0)} s to make the traffic`,
    `${((systemClock.now() - startMs) / 1000).toFixed(0)} s by the clock, at most ${Math.round(process.resourceUsage().maxRSS / 1000)} MB`,
    `31 days: ${(((usedMs / minutes) * 31 * 1440 * 1e-3) / 60).toFixed(1)} min`,
  ].join('\n'),
)
