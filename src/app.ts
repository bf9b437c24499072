import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { type InputHealth, staleAfterMs } from './alert/input-health.ts'
import type { LoadedConfig } from './config/load.ts'
import { readingOf } from './config/reading.ts'
import type { Config } from './config/schema.ts'
import type { Decoder } from './decode/decode.ts'
import { Fault, messageOf } from './fault/fault.ts'
import type { Log } from './fault/log.ts'
import { type History, openHistory } from './history/history.ts'
import type { Reading } from './history/intake.ts'
import { storedIntents } from './history/lane-writer.ts'
import type { VerifyReport } from './history/ledger.ts'
import type { StateStore } from './history/state.ts'
import type { HttpDeps } from './http/deps.ts'
import { createServer } from './http/server.ts'
import { type AlertDesk, openAlertDesk } from './notify/desk.ts'
import { Pipeline } from './pipeline.ts'
import type { FileBook } from './source/file-identity.ts'
import { LineCutter } from './source/lines.ts'
import { openSources } from './source/open.ts'
import { PushSource } from './source/push.ts'
import type { Source } from './source/source.ts'
import { parseListen } from './telemetry/address.ts'
import { Metrics } from './telemetry/metrics.ts'
import { serveMetrics } from './telemetry/server.ts'
import { noDirectory, type TenantDirectory } from './tenants/directory.ts'
import { type LoadedTenants, TenantFile } from './tenants/tenant-file.ts'
import type { Clock } from './time/clock.ts'
import { Lifetime } from './window/lifetime.ts'

const tickMs = 1_000
const saveEveryTicks = 60
const healthEveryTicks = 10
const drainMs = 25_000
const verifyLooks = 5
const verifyPauseMs = 300

export interface AppOptions extends LoadedConfig {
  /** The directory of tenants as it was checked before the start, so that a large one is read once; null for none. */
  readonly tenants: LoadedTenants | null
  readonly demo: boolean
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  readonly random: () => number
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What `source.stdin` reads. */
  readonly input: Readable
}

export interface App {
  /** Addresses to look at. */
  readonly pageUrl: string
  readonly metricsUrl: string
  /** Resolves when history is open and every source has been started. */
  readonly started: Promise<void>
  /**
   * Stops reading, writes what was taken, and closes everything.
   *
   * @returns whether all of it is in history; otherwise the next start completes it
   */
  stop(): Promise<boolean>
}

/** What exists once history is open. */
interface Running extends AlertDesk {
  readonly history: History
  readonly pipeline: Pipeline
  readonly tenants: TenantDirectory
  readonly push: PushSource
  readonly sources: readonly Source[]
}

/**
 * Builds the daemon and starts it. Page and metrics answer at once and say what is still missing; history may be away
 * for long, and reading begins when it is there.
 *
 * @throws Fault when an address cannot be listened on or the store can never be opened
 */
export async function startApp(options: AppOptions): Promise<App> {
  const daemon = new Daemon(options)
  await daemon.listen()
  const started = daemon.run()
  // Whoever waits for `started` hears of it; nobody else must die of it.
  started.catch(() => undefined)
  return { pageUrl: daemon.pageUrl, metricsUrl: daemon.metricsUrl, started, stop: () => daemon.stop() }
}

class Daemon {
  pageUrl = ''
  metricsUrl = ''
  readonly #options: AppOptions
  readonly #config: Config
  readonly #reading: Reading
  readonly #lifetime: Lifetime
  readonly #metrics: Metrics
  readonly #startedMs: number
  readonly #stop = new AbortController()
  /** Steps of the teardown, run backwards. */
  readonly #teardown: (() => Promise<void>)[] = []
  #running: Running | null = null
  #problem: string | null = 'history is being opened'
  #ticking: Promise<void> = Promise.resolve()

  constructor(options: AppOptions) {
    this.#options = options
    this.#config = options.config
    this.#reading = readingOf(options.config)
    this.#startedMs = options.clock.now()
    this.#lifetime = new Lifetime(options.config.window.series_limit)
    this.#metrics = new Metrics(
      {
        lifetime: () => this.#lifetime.totals(),
        view: () => this.#running?.pipeline.view ?? null,
        lag: () => this.#lag(),
        watermarkDelaySeconds: () => this.#watermarkDelaySeconds(),
        series: () => this.#running?.pipeline.seriesCount ?? 0,
        foldedTotal: () => this.#running?.pipeline.foldedCount ?? 0,
        oldestUnwrittenSeconds: () => this.#oldestUnwrittenSeconds(),
        alerts: () => this.#running?.engine.alerts() ?? [],
      },
      { topSeries: this.#config.telemetry.top_series, version: options.version, startedMs: this.#startedMs },
    )
  }

  async listen(): Promise<void> {
    const { log } = this.#options
    const listen = parseListen(this.#config.telemetry.listen)
    if (listen === null) throw new Fault('config-invalid', 'telemetry.listen is no address', { retryable: false })
    const metrics = await serveMetrics(this.#metrics, { listen, log })
    this.#teardown.push(() => metrics.close())
    this.metricsUrl = metrics.url
    const server = createServer(this.#httpDeps(), this.#config.http)
    this.#teardown.push(() => server.close())
    this.pageUrl = await server.listen()
  }

  /** Opens history, restores what was known, and starts to read. */
  async run(): Promise<void> {
    const { clock, log } = this.#options
    try {
      const history = await openHistory(this.#config.history, {
        ...{ clock, log, signal: this.#stop.signal, wait: true },
        onProblem: (problem) => {
          this.#problem = problem
        },
      })
      this.#teardown.push(() => history.close())
      this.#running = await this.#assemble(history)
      this.#problem = null
      const { sources, pipeline } = this.#running
      for (const source of sources) await source.start(() => pipeline.consumer())
      this.#ticking = this.#tick(this.#running)
    } catch (error) {
      this.#problem = messageOf(error)
      throw error
    }
  }

  async stop(): Promise<boolean> {
    this.#stop.abort()
    let drained = true
    const running = this.#running
    if (running !== null) {
      for (const source of running.sources) await source.stop()
      drained = await this.#drain(running)
      await this.#ticking
      for (const source of running.sources) await source.close()
      await running.alerting.close().catch((error: unknown) => {
        this.#options.log.warn(`alert states of the last minutes were not stored: ${messageOf(error)}`)
      })
      await running.dispatcher.close()
    }
    for (const step of this.#teardown.reverse()) {
      await step().catch((error: unknown) => this.#options.log.warn(`closing: ${messageOf(error)}`))
    }
    return drained
  }

  async #drain({ pipeline, alerting }: Running): Promise<boolean> {
    const { clock, log } = this.#options
    const late = clock.sleep(drainMs).then(() => false)
    const drained = await Promise.race([pipeline.drain().then(() => true), late])
    if (!drained) {
      log.error(
        'history did not take everything in time; the next start completes what was announced and reads the rest again',
      )
      pipeline.abandon()
      alerting.abandon()
    }
    return drained
  }

  async #assemble(history: History): Promise<Running> {
    const { clock, log } = this.#options
    const tenants = this.#tenants()
    const desk = await this.#desk(history, tenants)
    const pipeline = this.#pipeline(history, desk)
    const push = new PushSource({
      directory: join(this.#config.history.data_dir, 'spool'),
      keepBytes: this.#keepBytes,
      clock,
      log,
    })
    return {
      ...desk,
      history,
      pipeline,
      tenants,
      push,
      sources: [...(await this.#sources(history.state)), push],
    }
  }

  #tenants(): TenantDirectory {
    const { clock, log, folder, tenants } = this.#options
    const { file } = this.#config.tenants
    if (file === undefined || tenants === null) return noDirectory
    if (!tenants.ok)
      throw new Fault('config-invalid', 'tenants.file has problems; see check-config', { retryable: false })
    const directory = new TenantFile(resolve(folder, file), tenants, { clock, log })
    const watching = directory.watch(this.#stop.signal)
    this.#teardown.push(() => watching)
    return directory
  }

  #desk(history: History, tenants: TenantDirectory): Promise<AlertDesk> {
    const { clock, log, random, folder, environment, demo } = this.#options
    const { alerts, notify } = this.#config
    return openAlertDesk({
      ...{ clock, log, random, folder, environment, demo, notify, tenants, rules: alerts.rules },
      ...{ baselineSeriesLimit: alerts.baseline_series_limit, pageUrl: this.pageUrl, state: history.state },
      logAlerts: (records) => history.logAlerts(records),
      evaluation: () => this.#notEvaluated(),
      attempts: {
        sent: (receiver) => this.#metrics.notified(receiver, 'sent'),
        failed: (receiver, reason) => this.#metrics.notified(receiver, reason),
      },
    })
  }

  /** Why rules are not evaluated now; null when they are. */
  #notEvaluated(): string | null {
    const running = this.#running
    if (running === null) return 'the daemon is starting'
    const delaySeconds = this.#watermarkDelaySeconds()
    if (delaySeconds !== null && delaySeconds * 1000 > staleAfterMs) return 'the log input stands still'
    return running.alerting.problem ?? running.pipeline.problems()[0] ?? null
  }

  #pipeline(history: History, { engine, alerting }: AlertDesk): Pipeline {
    const { clock, log } = this.#options
    const { window, history: store } = this.#config
    return new Pipeline({
      ...{ history, clock, log, reading: this.#reading, lifetime: this.#lifetime, events: this.#metrics },
      onSlice: (endMs, view) => alerting.onSlice(endMs, view),
      onQuotas: engine.wantsQuotas ? (readings) => engine.observeQuota(readings) : null,
      resumeAtMs: engine.lastStepMs,
      ...{ latenessMs: window.lateness, idleAfterMs: window.idle_after, seriesLimit: window.series_limit },
      ...{ seriesLimitPerTenant: window.series_limit_per_tenant, flushIntervalMs: store.flush_interval },
      ...{ flushRows: store.flush_rows, memoryLimitBytes: store.memory_limit_mib * 1024 * 1024, epoch: store.epoch },
    })
  }

  async #sources(state: StateStore): Promise<Source[]> {
    const { clock, log, demo, folder, input } = this.#options
    const { source, history } = this.#config
    const interrupted = (await storedIntents(state)).filter((one) => demo && one.source.startsWith('demo:'))
    return openSources(source, {
      interrupted,
      ...{ clock, log, demo, folder, epoch: history.epoch, keepBytes: this.#keepBytes },
      ...{ book: fileBook(state), input },
    })
  }

  /** One byte more than a value may have is enough to see that it is too large. */
  get #keepBytes(): number {
    return this.#config.decode.max_value_bytes + 1
  }

  async #tick(running: Running): Promise<void> {
    const { clock, log } = this.#options
    for (let ticks = 1; !this.#stop.signal.aborted; ticks++) {
      await clock.sleep(tickMs, this.#stop.signal)
      try {
        running.pipeline.tick()
        if (ticks % healthEveryTicks === 0) running.alerting.onHealth(clock.now(), this.#inputs(running))
        if (ticks % saveEveryTicks === 0) running.alerting.save()
        await running.dispatcher.tick(clock.now())
      } catch (error) {
        log.error(`tick: ${messageOf(error)}`, { error })
      }
    }
  }

  /** Kafka topics with the age of their event time. Files and pushes come when they come, so they are never late. */
  #inputs({ pipeline }: Running): readonly InputHealth[] {
    const now = this.#options.clock.now()
    return [...pipeline.reached()].map(([source, atMs]) => ({
      topic: topicOf(source),
      watermarkAgeMs: atMs === null ? null : Math.max(0, now - atMs),
      lagSeconds: null,
    }))
  }

  #httpDeps(): HttpDeps {
    const { clock, log, version, demo } = this.#options
    const running = (): Running => {
      if (this.#running !== null) return this.#running
      throw new Fault('store-unreachable', this.#problem ?? 'the daemon is starting', { retryable: true })
    }
    return {
      ...{ clock, log, version, demo, startedMs: this.#startedMs },
      tenants: { find: (id) => this.#running?.tenants.find(id) ?? null },
      queries: {
        trends: (select) => running().history.queries.trends(select),
        summary: (select) => running().history.queries.summary(select),
        events: (select) => running().history.queries.events(select),
        minutes: (select) => running().history.queries.minutes(select),
        alerts: (select) => running().history.queries.alerts(select),
        deadLetters: (select) => running().history.queries.deadLetters(select),
      },
      verify: () => this.#verify(running().history),
      view: () => this.#running?.pipeline.view ?? null,
      watermarkMs: () => this.#running?.pipeline.view?.endMs ?? null,
      alerts: () => this.#running?.engine.alerts() ?? [],
      explain: (fingerprint) => this.#running?.engine.explain(fingerprint)?.sentences ?? null,
      account: (fingerprint) => {
        const alert = this.#running?.engine.alerts().find((one) => one.fingerprint === fingerprint) ?? null
        return this.#running?.dispatcher.account(fingerprint, alert) ?? null
      },
      drills: {
        start: (asked) => running().drills.start(asked),
        find: (id) => this.#running?.drills.find(id) ?? null,
      },
      ready: () => this.#notReady(),
      progress: () => this.#progress(),
      ingest: (format, body) => this.#ingest(running(), format, body),
      silences: {
        list: () => this.#running?.silences.list() ?? [],
        add: (silence) => running().silences.add(silence),
        expire: (id) => running().silences.expire(id),
      },
    }
  }

  /** While ranges land, tables are read at different moments: what is really wrong is still wrong at the next look. */
  async #verify(history: History): Promise<VerifyReport> {
    for (let looks = 1; ; looks++) {
      const report = await history.verify()
      if (report.ok || looks === verifyLooks) return report
      await this.#options.clock.sleep(verifyPauseMs, this.#stop.signal)
    }
  }

  #notReady(): readonly string[] {
    const running = this.#running
    if (running === null) return [this.#problem ?? 'the daemon is starting']
    const problems = [...running.pipeline.problems(), ...running.sources.flatMap((source) => source.problems())]
    if (running.alerting.problem !== null) problems.push(`alerts cannot be stored: ${running.alerting.problem}`)
    return problems
  }

  #progress(): ReturnType<HttpDeps['progress']> {
    const pipeline = this.#running?.pipeline
    const lags = pipeline?.lanes().map((lane) => lane.lag()) ?? []
    return {
      lagRecords: lags.some((lag) => lag === null) ? null : lags.reduce<number>((sum, lag) => sum + (lag ?? 0), 0),
      oldestUnwrittenSeconds: this.#oldestUnwrittenSeconds(),
      series: pipeline?.seriesCount ?? 0,
      foldedTotal: pipeline?.foldedCount ?? 0,
    }
  }

  async #ingest(
    running: Running,
    format: string,
    body: AsyncIterable<Uint8Array>,
  ): Promise<{ accepted: number; unreadable: number }> {
    const parts: Uint8Array[] = []
    for await (const part of body) parts.push(part)
    const bytes = Buffer.concat(parts)
    const { accepted, unreadable } = countLines(bytes, this.#reading.decoder(format === 'auto' ? null : format))
    if (accepted + unreadable > 0) await running.push.push(format, bytes)
    return { accepted, unreadable }
  }

  #lag(): { topic: string; partition: number; records: number }[] {
    const lanes = this.#running?.pipeline.lanes() ?? []
    return lanes.flatMap((lane) => {
      const records = lane.lag()
      if (records === null || lane.coordinator === null) return []
      return [{ topic: topicOf(lane.source), partition: lane.partition, records }]
    })
  }

  #watermarkDelaySeconds(): number | null {
    const at = this.#running?.pipeline.view?.endMs ?? null
    return at === null ? null : Math.max(0, (this.#options.clock.now() - at) / 1000)
  }

  #oldestUnwrittenSeconds(): number {
    const at = this.#running?.pipeline.oldestUnwrittenMs ?? null
    return at === null ? 0 : Math.max(0, (this.#options.clock.now() - at) / 1000)
  }
}

/** `kafka:CLUSTER:TOPIC` without what is ours, an epoch behind it too. */
function topicOf(source: string): string {
  return source.split(':').slice(2).join(':').replace(/#\d+$/, '')
}

/** Remembers the files read, in the store's state. */
export function fileBook(state: StateStore): FileBook {
  return {
    known: async () => new Map([...(await state.load('file'))].map(([identity, length]) => [identity, Number(length)])),
    remember: (identity, length) => state.put([{ kind: 'file', key: identity, value: String(length) }]),
  }
}

/** What the lines of a push hold, for its answer; they are decoded for good when they are read from the spool. */
function countLines(bytes: Buffer, decoder: Decoder): { accepted: number; unreadable: number } {
  const cutter = new LineCutter(0, bytes.length)
  let accepted = 0
  let unreadable = 0
  for (const line of [...cutter.push(bytes), ...cutter.end()]) {
    for (const entry of decoder.decode(line.bytes)) {
      if (entry.kind === 'record') accepted++
      else if (entry.kind === 'unreadable') unreadable++
    }
  }
  return { accepted, unreadable }
}
