/**
 * Backfills as `tollwatch history backfill` does, in a process of its own that a test can kill: prints a line at each
 * step.
 *
 * Usage: node --import tsx history-backfill-child.ts CONFIG
 */
import { cutLimitsOf } from '../../src/cli/history-span.ts'
import { openStoreAlone } from '../../src/cli/store.ts'
import { loadConfig } from '../../src/config/load.ts'
import { readingOf } from '../../src/config/reading.ts'
import { silentLog } from '../../src/fault/log.ts'
import { openTopics } from '../../src/source/kafka-range.ts'

const loaded = loadConfig(process.argv[2] ?? null, {}, process.env)
if (!loaded.ok || loaded.config.source.kafka === undefined) throw new Error('the settings name a topic')
const { config } = loaded
const history = await openStoreAlone(config)
const topics = await openTopics(loaded.config.source.kafka, { epoch: 0, log: silentLog })
await history.backfill(
  {
    ...{ lanes: topics.lanes, reading: readingOf(config), limits: cutLimitsOf(config), fromMs: 0, toMs: Date.now() },
    ...{ dryRun: false, declareLost: false, withPresentSettings: false },
  },
  { begin: () => process.stdout.write('begin\n'), advance: () => process.stdout.write('step\n') },
)
await history.close()
await topics.close()
process.stdout.write('done\n')
