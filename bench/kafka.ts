import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbedded } from '../src/history/database.ts'
import { migrate } from '../src/history/migrate.ts'
import { tempDir } from '../test/support/run-context.ts'
import { config } from './daemon.ts'
import { type Figure, measuredRatio, ratesFigure, Sample } from './figures.ts'
import { handRun } from './kafkajs-reader.ts'
import { type Cost, collectYoung } from './measure.ts'
import { requireTally, type Tally } from './naive.ts'
import type { Progress } from './progress.ts'
import { bareRun, type Run, wholeRun } from './readers.ts'
import { busyDensity, type Shape, sparseDensity } from './records.ts'
import { fillTopic, makePool, partitions, type Topic } from './topic.ts'

const handName = 'kafkajs + JSON.parse + Map'
const bareName = 'Tollwatch, windows alone'
const wholeName = 'Tollwatch, windows + history + alerts'

/** One way to read a topic to its end. */
interface Variant {
  readonly name: string
  readonly sample: Sample
  readonly topic: Topic
  readonly run: Run
}

/**
 * From a real broker to the windows, beside kafkajs with the work done by hand, and the whole daemon beside its windows
 * alone. The broker is another process on the same machine: CPU time is this process's alone, wall time is shared with
 * it. Each run reads its topic from the beginning with a group of its own; it is measured from the end of the lead on
 * until everything has landed and is committed.
 */
export async function kafkaFigure(
  shape: Shape,
  options: { brokers: string; rounds: number; counts: KafkaCounts; progress: Progress },
): Promise<Figure> {
  const { brokers, rounds, counts, progress } = options
  const shared = { pool: makePool(shape, counts.pool), brokers, lead: counts.lead }
  const byHand = await fillTopic({ ...shared, count: counts.byHand })
  const busy = await fillTopic({ ...shared, count: counts.busy })
  const sparse = await fillTopic({ ...shared, count: counts.sparse, density: sparseDensity })
  progress.step()
  const directory = tempDir('bench-kafka')
  const database = await openEmbedded(join(directory, 'store'))
  try {
    await migrate(database, config.history.retention)
    const whole = wholeRun(database)
    const slow = `, ${sparseDensity.toLocaleString('en')}/s of event time`
    const variants: readonly Variant[] = [
      { name: handName, topic: byHand, run: handRun, sample: new Sample() },
      { name: bareName, topic: busy, run: bareRun, sample: new Sample() },
      { name: wholeName, topic: busy, run: whole, sample: new Sample() },
      { name: `${bareName}${slow}`, topic: sparse, run: bareRun, sample: new Sample() },
      { name: `${wholeName}${slow}`, topic: sparse, run: whole, sample: new Sample() },
    ]
    for (let round = 0; round <= rounds; round++) {
      for (let i = 0; i < variants.length; i++) {
        const variant = variants[(i + round) % variants.length]
        if (variant !== undefined) await measure(variant, round)
      }
      progress.step()
    }
    return figureOf(shape, variants, counts)
  } finally {
    await database.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** How many records of each topic are measured. */
export interface KafkaCounts {
  /** Batches of 1,000 that differ; the topics repeat them with other times. */
  readonly pool: number
  /** Records of the first minute, which are not measured. */
  readonly lead: number
  readonly byHand: number
  readonly busy: number
  readonly sparse: number
}

/** Round 0 warms up. */
async function measure({ name, topic, run, sample }: Variant, round: number): Promise<void> {
  collectYoung()
  const { count, cost, tally }: { count: number; cost: Cost; tally: Tally } = await run(topic, round)
  requireTally(name, tally, { requests: topic.count, refused: topic.refused })
  if (round > 0) sample.add(count, cost)
}

function figureOf(shape: Shape, variants: readonly Variant[], counts: KafkaCounts): Figure {
  const [byHand, bare, whole, sparseBare, sparseWhole] = variants
  if (!byHand || !bare || !whole || !sparseBare || !sparseWhole) throw new Error('there are five variants')
  const { bytesPerRecord } = bare.topic
  return ratesFigure({
    title: `Kafka to windows, ${shape} (${Math.round(bytesPerRecord)} B a record)`,
    note: `${partitions} partitions; ${counts.busy.toLocaleString('en')} records with ${busyDensity.toLocaleString('en')} a second of event time (${counts.byHand.toLocaleString('en')} for kafkajs, ${counts.sparse.toLocaleString('en')} of the sparse ones). "Windows alone" is compared with kafkajs, "history + alerts" with the windows alone. CPU time of this process, the embedded store's threads included. In brackets the extremes.`,
    variants: [
      { name: byHand.name, rates: byHand.sample },
      { name: bare.name, rates: bare.sample, base: byHand.sample },
      { name: whole.name, rates: whole.sample, base: bare.sample },
      { name: sparseBare.name, rates: sparseBare.sample, base: byHand.sample },
      { name: sparseWhole.name, rates: sparseWhole.sample, base: sparseBare.sample },
    ],
    bytesPerRecord,
    measured: [
      measuredRatio('loopback', shape, bare.sample.perSecond, byHand.sample.perSecond),
      measuredRatio('whole', shape, whole.sample.perCpuSecond, bare.sample.perCpuSecond),
    ],
  })
}
