/**
 * Repairs or forgets in a process of its own, so that a test can kill it: prints a line at each step.
 *
 * Usage: node --import tsx maintenance-child.ts DIR repair FROM TO | forget TENANT
 */
import { openEmbedded } from '../../src/history/database.ts'
import { History } from '../../src/history/history.ts'
import { systemClock } from '../../src/time/clock.ts'

const [dir = '', what, first = '', last = ''] = process.argv.slice(2)
const history = new History(await openEmbedded(dir), { clock: systemClock, epoch: 0 })
const say = { begin: () => process.stdout.write('begin\n'), advance: () => process.stdout.write('step\n') }
if (what === 'forget') await history.forget(first, say)
else {
  const span = { fromMs: Number(first), toMs: Number(last), dryRun: false, settled: false }
  await history.repair({ tier: 'rollup_1m', ...span }, say)
}
await history.close()
process.stdout.write('done\n')
