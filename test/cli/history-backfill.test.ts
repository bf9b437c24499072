import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { readingOf } from '../../src/config/reading.ts'
import type { Config } from '../../src/config/schema.ts'
import { silentLog } from '../../src/fault/log.ts'
import { openEmbedded } from '../../src/history/database.ts'
import { openHistory } from '../../src/history/history.ts'
import { Pipeline } from '../../src/pipeline.ts'
import { KafkaSource } from '../../src/source/kafka.ts'
import { systemClock } from '../../src/time/clock.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { Counted, standardOptions } from '../pipeline/fake-world.ts'
import { chdbAvailable, describeWithKafka } from '../support/available.ts'
import { createTopic, produce, sharedKafka, topicName } from '../support/kafka.ts'
import { type Caller, countOf, kongTraffic } from '../support/kong-traffic.ts'
import { startChild, waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { tollwatch } from './in-process.ts'

vi.setConfig({ testTimeout: 120_000 })

const hour = 3_600_000
const startMs = Math.floor(Date.now() / hour) * hour - 4 * hour
const callers: readonly Caller[] = [
  { tenant: 'acme', api: 'chat', everyMs: 2_000, refused: { code: 'insufficient_quota', each: 7 } },
  { tenant: 'zinc', api: 'search', everyMs: 3_000, refused: null },
]
/** The first hour was never read, the second was. */
const spans = [0, 1].map((i) => ({ afterMs: startMs + i * hour, untilMs: startMs + (i + 1) * hour }))
const partitions = 2
const script = fileURLToPath(new URL('history-backfill-child.ts', import.meta.url))

describeWithKafka('tollwatch history backfill and repair', () => {
  if (chdbAvailable() !== null) return

  async function arrange() {
    const topic = topicName('backfill')
    const brokers = await sharedKafka()
    const dir = tempDir('backfill')
    const file = join(dir, 'tollwatch.yaml')
    const source = { kafka: { brokers, topic, group: topic, start: 'latest' } }
    const history = { data_dir: join(dir, 'data'), flush_rows: 200 }
    writeFileSync(file, JSON.stringify({ source, decode: { format: 'kong' }, history }))
    const loaded = loadConfig(file, {}, {})
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
    await createTopic(brokers, topic, partitions)
    const send = async (span: (typeof spans)[number]) => {
      for (let partition = 0; partition < partitions; partition++) {
        const values = kongTraffic(callers.slice(partition, partition + 1), span)
        await produce(brokers, topic, [...values, 'no JSON at all'], { partition })
      }
    }
    return { config: loaded.config, file, send, topic }
  }

  /** What `tollwatch run` does: reads what comes from now on, and ends in an orderly way. */
  async function daemon(config: Config, meanwhile: () => Promise<void>): Promise<void> {
    const { kafka } = config.source
    if (kafka === undefined) throw new Error('the settings name a topic')
    const history = await openHistory(config.history, { clock: systemClock, log: silentLog, wait: false })
    const events = new Counted()
    const pipeline = new Pipeline({
      ...{ ...standardOptions, reading: readingOf(config), history, clock: systemClock, events },
      ...{ lifetime: new Lifetime(1_000), flushRows: config.history.flush_rows },
    })
    const source = new KafkaSource(kafka, { clock: systemClock, log: silentLog, epoch: 0 })
    const timer = setInterval(() => pipeline.tick(), 50)
    await source.start(() => pipeline.consumer())
    await waitFor(
      'its partitions',
      async () => pipeline.lanes().length === partitions && pipeline.problems().length === 0,
    )
    await meanwhile()
    const due = callers.reduce((sum, caller) => sum + countOf(caller, spans[1] as (typeof spans)[number]).requests, 0)
    await waitFor(
      'all records',
      async () => events.results.get('ok') === due && events.results.get('not-json') === partitions,
    )
    clearInterval(timer)
    await source.stop()
    await pipeline.drain()
    await source.close()
    await history.close()
  }

  const json = async (...argv: readonly string[]) => {
    const { code, out, err } = await tollwatch(...argv, '--json')
    expect(err).toBe('')
    return { code, answer: JSON.parse(out) }
  }

  const sums = async (file: string) => {
    const args = ['--from', String(startMs), '--to', String(startMs + 3 * hour), '--by', 'tenant', '--json']
    return JSON.parse((await tollwatch('query', 'summary', '-c', file, ...args)).out)
  }

  const whole = callers.map((caller) => {
    const counts = spans.map((span) => countOf(caller, span))
    const requests = counts.reduce((sum, one) => sum + one.requests, 0)
    return { tenant: caller.tenant, requests, payment_required: counts.reduce((sum, one) => sum + one.refused, 0) }
  })

  async function killed(file: string, steps: number): Promise<void> {
    const child = startChild(process.execPath, ['--import', 'tsx', script, file])
    const taken = () => child.stdout().split('step').length - 1
    await waitFor(`${steps} steps`, () => taken() >= steps || child.ended(), { everyMs: 1, timeoutMs: 60_000 })
    const { signal } = await child.kill()
    expect([signal, child.stderr()]).toEqual(['SIGKILL', ''])
  }

  test('history is exact after an older half was never read, a backfill was killed, and a tier was damaged', async () => {
    const { config, file, send, topic } = await arrange()
    await send(spans[0] as (typeof spans)[number])
    await daemon(config, () => send(spans[1] as (typeof spans)[number]))
    expect((await tollwatch('history', 'verify', '-c', file)).code).toBe(0)
    const span = ['-c', file, '--from', '-1d']
    const dry = await json('history', 'backfill', ...span, '--dry-run')
    expect(dry.code).toBe(1)
    expect(dry.answer.map((lane: { missing: unknown[]; left: null }) => [lane.missing.length, lane.left])).toEqual([
      [1, null],
      [1, null],
    ])

    await killed(file, 2)
    const done = await tollwatch('history', 'backfill', ...span)
    expect(done.err).toBe('')
    expect(done.code).toBe(0)
    expect(done.out).toMatch(new RegExp(`kafka:.*:${topic}:.* lane 1 .* filled`))
    expect(await sums(file)).toMatchObject(whole)
    expect((await tollwatch('history', 'verify', '-c', file)).out).toContain('History is whole')
    const again = await json('history', 'backfill', ...span)
    expect([again.code, again.answer.map((lane: { offsets: number }) => lane.offsets)]).toEqual([0, [0, 0]])

    const database = await openEmbedded(join(config.history.data_dir, 'store'))
    for (const table of ['rollup_10s', 'events_402', 'dead_letter']) {
      const where = table === 'dead_letter' ? 'lane = 1' : `tenant = 'acme'`
      await database.command(`ALTER TABLE tollwatch.${table} DELETE WHERE ${where} SETTINGS mutations_sync = 1`)
    }
    await database.close()
    expect((await tollwatch('history', 'verify', '-c', file)).code).toBe(1)
    const mended = await tollwatch('history', 'repair', ...span, '--settled')
    expect([mended.code, mended.err]).toEqual([0, ''])
    expect(mended.out.match(/ rebuilt/g)?.length).toBeGreaterThanOrEqual(3)
    expect(await sums(file)).toMatchObject(whole)
    expect((await tollwatch('history', 'verify', '-c', file)).out).toContain('History is whole')
    const nothing = await json('history', 'repair', ...span, '--settled')
    expect([
      nothing.code,
      nothing.answer.map((one: { places?: unknown[]; hours?: unknown[] }) => one.places ?? one.hours),
    ]).toEqual([...[0, [[], [], []]]])
  })

  test('wrong calls are told what to write', async () => {
    const { file } = await arrange()
    const call = async (...args: readonly string[]) => {
      const { code, err } = await tollwatch('history', ...args)
      return [code, err.trim()]
    }
    expect(await call('backfill', '--from', '-1h')).toEqual([
      ...[2, 'tollwatch: the settings have no source.kafka: name them with -c, or give --kafka BROKERS --topic TOPIC'],
    ])
    expect(await call('backfill', '-c', file, '--from', 'soon')).toEqual([
      ...[2, 'tollwatch: --from is no time; write it like 2026-11-21T14:00:00Z or -6h'],
    ])
    expect((await call('backfill', '-c', file, '--from', '-1h'))[1]).toContain('there is no history in')
  })
})
