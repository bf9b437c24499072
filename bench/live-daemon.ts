import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { startApp } from '../src/app.ts'
import { loadDefaults, type Overrides } from '../src/config/load.ts'
import { silentLog } from '../src/fault/log.ts'
import { systemClock } from '../src/time/clock.ts'

/*
 * The daemon as `tollwatch run` starts it, in a process of its own, with a watch on its event loop: whoever started it
 * asks how long anything kept the loop from other work since it was last asked.
 */

/** How long something else had to wait, in milliseconds. */
export interface LoopDelay {
  readonly longestMs: number
  readonly p99Ms: number
}

/** The sampling timer itself; what it takes is not a delay. */
const resolutionMs = 1

const loaded = loadDefaults(JSON.parse(process.argv[2] ?? '{}') as Overrides)
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
const watch = monitorEventLoopDelay({ resolution: resolutionMs })
const app = await startApp({
  ...loaded,
  ...{ tenants: null, demo: false, version: 'bench', clock: systemClock, log: silentLog, random: Math.random },
  ...{ environment: {}, input: Readable.from([]) },
})
watch.enable()
process.once('disconnect', () => process.exit(0))
process.on('message', () => {
  const delay = { longestMs: watch.max / 1e6 - resolutionMs, p99Ms: watch.percentile(99) / 1e6 - resolutionMs }
  watch.reset()
  process.send?.(delay satisfies LoopDelay)
})
process.send?.({ page: app.pageUrl })
