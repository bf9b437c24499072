import { Feed, type Fetched } from './feed.ts'
import { type Compared, type Figure, measuredRatio, ratesFigure, Sample } from './figures.ts'
import { collectYoung, startCost } from './measure.ts'
import type { Progress } from './progress.ts'
import { busyDensity, type Callers, makeRecords, type Records, type Shape, zipf } from './records.ts'

/** The goal is about so many; a quick run has fewer, which says nothing of it. */
const million = 1_000_000
const apisPerTenant = 500
const chunkRecords = 50_000
const startMs = Date.UTC(2026, 10, 21, 12, 0, 0)

/** A daemon with so many live series, and how fast it takes records of them. */
class Fleet {
  readonly series: number
  readonly sample = new Sample()
  readonly #shape: Shape
  readonly #feed: Feed
  readonly #drawn: (random: () => number) => number
  #records = 0
  bytesPerRecord = 0

  private constructor(shape: Shape, series: number, feed: Feed) {
    this.series = series
    this.#shape = shape
    this.#feed = feed
    this.#drawn = zipf(series)
  }

  /** Opens it and gives every series a record. */
  static async open(shape: Shape, series: number): Promise<Fleet> {
    const feed = await Feed.open({ seriesLimit: 2 * series, seriesLimitPerTenant: 2 * apisPerTenant })
    const fleet = new Fleet(shape, series, feed)
    let next = 0
    const each: Callers = () => callerOf(next++)
    for (let left = series; left > 0; left -= chunkRecords) {
      await feed.take(feed.batches(fleet.#made(Math.min(left, chunkRecords), each)))
    }
    if (feed.pipeline.seriesCount !== series)
      throw new Error(`${feed.pipeline.seriesCount} series instead of ${series}`)
    return fleet
  }

  /** Takes so many records: half of them of any series, half by Zipf's law. */
  async run(count: number, isWarmUp: boolean): Promise<void> {
    const some: Callers = (random) => {
      return callerOf(random() < 0.5 ? Math.floor(random() * this.series) : this.#drawn(random))
    }
    const records = this.#made(count, some)
    const batches: readonly Fetched[] = this.#feed.batches(records)
    const before = this.#feed.tally()
    collectYoung()
    const ended = startCost()
    await this.#feed.take(batches)
    if (!isWarmUp) this.sample.add(count, ended())
    const { requests, refused } = this.#feed.tally()
    if (requests - before.requests !== count || refused - before.refused !== records.refused) {
      throw new Error(`${this.series} series: ${requests - before.requests} of ${count} records were counted`)
    }
  }

  #made(count: number, callers: Callers): Records {
    const from = startMs + (this.#records * 1_000) / busyDensity
    this.#records += count
    const records = makeRecords({ shape: this.#shape, count, seed: this.#records, startMs: from, callers })
    this.bytesPerRecord = records.bytes / count
    return records
  }
}

function callerOf(series: number): { tenant: string; route: string } {
  const api = series % apisPerTenant
  return { tenant: `tenant-${Math.floor(series / apisPerTenant)}`, route: `orders-v1-${api}` }
}

/** What it costs that there are many series: the same work with a thousand of them and with a million. */
export async function seriesFigure(
  shape: Shape,
  options: { rounds: number; count: number; series: number; progress: Progress },
): Promise<Figure> {
  const { rounds, count, series, progress } = options
  const few = await Fleet.open(shape, 1_000)
  const many = await Fleet.open(shape, series)
  progress.step()
  for (let round = 0; round <= rounds; round++) {
    for (const fleet of round % 2 === 0 ? [few, many] : [many, few]) await fleet.run(count, round === 0)
    progress.step()
  }
  const nameOf = (fleet: Fleet) => `${fleet.series.toLocaleString('en')} live series`
  const variants: Compared[] = [
    { name: nameOf(few), rates: few.sample },
    { name: nameOf(many), rates: many.sample, base: few.sample },
  ]
  return ratesFigure({
    title: `Flat cost, ${shape}`,
    note: `Batch bytes to counters, ${count.toLocaleString('en')} records a round, after every series had a record; half of the records fall on any series, half by Zipf's law. In brackets the extremes.`,
    ...{ variants, bytesPerRecord: many.bytesPerRecord },
    measured:
      series === million ? [measuredRatio('series', shape, many.sample.perCpuSecond, few.sample.perCpuSecond)] : [],
  })
}
