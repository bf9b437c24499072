/**
 * Kills, freezes and starves a real daemon, broker and store while records keep coming, and audits: every record of the
 * topic in history once, in every window, and `history verify` clean. Ends with a table, and with exit code 1 on any
 * difference.
 *
 * `npm run soak -- --minutes 30 --kills 300 [--seed N] [--rate RECORDS_PER_SECOND] [--store embedded|server|both]`;
 * `--faults zombie,store-away` lets only these take turns beside the kills. `--markdown docs/reliability.md` puts the
 * table into that page, `--json` prints it for machines. It tests `dist/`, or what `TOLLWATCH_DIST` names, and needs Java
 * and chdb like the tests.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chdbAvailable, kafkaAvailable } from '../test/support/available.ts'
import { startKafka } from '../test/support/kafka.ts'
import { soak } from './soak/course.ts'
import { faultNames } from './soak/faults.ts'
import { type Course, markdown, placeInto, plain } from './soak/report.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    kills: { type: 'string' },
    seed: { type: 'string', default: '402' },
    rate: { type: 'string', default: '200' },
    store: { type: 'string', default: 'both' },
    faults: { type: 'string' },
    markdown: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
const rate = Number(values.rate)
const kills = values.kills === undefined ? Math.round(minutes * 10) : Number(values.kills)
const stores = values.store === 'both' ? (['embedded', 'server'] as const) : ([values.store] as const)
if (!(minutes > 0) || !Number.isInteger(seed) || !(rate >= 10) || !(Number.isInteger(kills) && kills >= 0)) {
  fail('--minutes takes a number above 0, --seed and --kills whole numbers, --rate records a second from 10 up')
}
if (stores.some((store) => store !== 'embedded' && store !== 'server')) {
  fail('--store takes embedded, server or both')
}
const faults = values.faults?.split(',') ?? faultNames
const unknown = faults.filter((name) => !faultNames.includes(name))
if (unknown.length > 0) fail(`--faults knows ${faultNames.join(', ')}, and not ${unknown.join(', ')}`)
const missing = kafkaAvailable() ?? chdbAvailable()
if (missing !== null) fail(missing)
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
process.env['TOLLWATCH_DIST'] ??= main
if (!existsSync(process.env['TOLLWATCH_DIST'])) fail('there is no dist/main.js: run "npm run build" first')

const courses: Course[] = []
const kafka = await startKafka()
try {
  for (const store of stores as readonly ('embedded' | 'server')[]) {
    const share = { minutes: minutes / stores.length, kills: Math.ceil(kills / stores.length) }
    courses.push(await soak(kafka, { ...share, store, seed, faults, perSecond: rate, onProgress: progress() }))
  }
} finally {
  await kafka.stop()
}

const text = markdown(courses)
console.log(values.json ? JSON.stringify(courses.map(plain), null, 2) : text)
if (values.markdown !== undefined) placeInto(values.markdown, text)
const differences = courses.flatMap((course) => course.differences)
for (const difference of differences) console.error(difference)
process.exitCode = differences.length === 0 ? 0 : 1

/** A line that is written over on a terminal, else one a minute. */
function progress(): (course: Course, elapsedMs: number) => void {
  let saidMs = Number.NEGATIVE_INFINITY
  return (course, elapsedMs) => {
    const { isTTY } = process.stderr
    if (elapsedMs - saidMs < (isTTY ? 1_000 : 60_000)) return
    saidMs = elapsedMs
    const others = [...course.faults].filter(([name]) => name !== 'kill').reduce((sum, [, row]) => sum + row.count, 0)
    const line =
      `${course.store}: ${(elapsedMs / 60_000).toFixed(1)} min, ${course.faults.get('kill')?.count ?? 0} kills ` +
      `(${course.killsInWrite} in a write), ${others} other faults, ${course.audits} audits of ${course.records} records, ` +
      `lost ${course.lost}, doubled ${course.doubled}, ${course.differences.length} differences, ` +
      `${Math.round(course.peakMemoryMib)} MiB`
    process.stderr.write(isTTY ? `\r\x1b[K${line}` : `${line}\n`)
  }
}

function fail(message: string): never {
  console.error(`soak: ${message}`)
  process.exit(2)
}
