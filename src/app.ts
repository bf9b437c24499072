import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { LoadedConfig } from './config/load.ts'
import { readingOf } from './config/reading.ts'
import type { Config } from './config/schema.ts'
import { Fault, messageOf } from './fault/fault.ts'
import type { Log } from './fault/log.ts'
import { Front, type Running } from './front.ts'
import { type History, openHistory } from './history/history.ts'
import type { Reading } from './history/intake.ts'
import { storedIntents } from './history/lane-writer.ts'
import { ScopedState } from './history/scoped-state.ts'
import type { StateStore } from './history/state.ts'
import { AuditLog } from './http/audit.ts'
import { createServer } from './http/server.ts'
import { type AlertDesk, openAlertDesk } from './notify/desk.ts'
import { InputWatch } from './notify/input-watch.ts'
import { Pipeline } from './pipeline.ts'
import type { FileBook } from './source/file-identity.ts'
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
const longestTurnPauseMs = 5_000

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
  readonly #front: Front
  readonly #metrics: Metrics
  readonly #stop = new AbortController()
  /** Steps of the teardown, run backwards. */
  readonly #teardown: (() => Promise<void>)[] = []
  #running: Running | null = null
  #problem: string | null = 'history is being opened'
  #ticking: Promise<void> = Promise.resolve()
  #directory: TenantDirectory | null = null
  /** Sources that wait for their turn to read. */
  #claiming: readonly Source[] = []
  #turning: Promise<void> = Promise.resolve()
  readonly #inputWatch: InputWatch

  constructor(options: AppOptions) {
    this.#options = options
    this.#config = options.config
    this.#reading = readingOf(options.config)
    this.#inputWatch = new InputWatch(options.clock)
    this.#lifetime = new Lifetime(options.config.window.series_limit)
    this.#front = new Front(options, this.#reading, {
      running: () => this.#running,
      starting: () => {
        const claims = this.#claiming.flatMap((source) => source.problems())
        return claims.length > 0 ? claims : [this.#problem ?? 'the daemon is starting']
      },
      stop: this.#stop.signal,
    })
    const inputs = { lifetime: () => this.#lifetime.totals(), ...this.#front.metricInputs() }
    this.#metrics = new Metrics(inputs, {
      topSeries: this.#config.telemetry.top_series,
      version: options.version,
      startedMs: this.#front.startedMs,
    })
  }

  async listen(): Promise<void> {
    const { log } = this.#options
    const listen = parseListen(this.#config.telemetry.listen)
    if (listen === null) throw new Fault('config-invalid', 'telemetry.listen is no address', { retryable: false })
    const metrics = await serveMetrics(this.#metrics, { listen, log })
    this.#teardown.push(() => metrics.close())
    this.metricsUrl = metrics.url
    const server = createServer(this.#front.httpDeps(), this.#config.http)
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
      await this.#begin(history)
    } catch (error) {
      this.#problem = messageOf(error)
      throw error
    }
  }

  async stop(): Promise<boolean> {
    this.#stop.abort()
    await this.#turning
    const drained = this.#running === null || (await this.#end(this.#running))
    for (const source of this.#claiming) await source.close()
    for (const step of this.#teardown.reverse()) {
      await step().catch((error: unknown) => this.#options.log.warn(`closing: ${messageOf(error)}`))
    }
    return drained
  }

  /**
   * Waits until this daemon may read, loads what the last one left in the store, and starts. In this order, for a daemon
   * that stands by must not go on from what it loaded long ago.
   */
  async #begin(history: History): Promise<void> {
    const sources = await this.#sources(history)
    this.#claiming = sources
    const ended = new AbortController()
    const claims = sources.map((source) => source.claim?.(() => this.#turn(history)))
    await Promise.race([Promise.all(claims), abortOf(this.#stop.signal)])
    if (this.#stop.signal.aborted) return
    const running = await this.#assemble(history, sources, ended)
    this.#running = running
    this.#claiming = []
    this.#problem = null
    for (const source of running.sources) await source.start(() => running.pipeline.consumer())
    this.#ticking = this.#tick(running)
  }

  /** Another daemon has read, or may have: ends what runs and begins again from the store. */
  #turn(history: History): void {
    const { clock, log } = this.#options
    this.#turning = this.#turning.then(async () => {
      if (this.#stop.signal.aborted) return
      log.info('beginning again from the store: another daemon may have read meanwhile')
      this.#problem = 'beginning again from the store'
      if (this.#running !== null) await this.#end(this.#running)
      while (!this.#stop.signal.aborted) {
        try {
          await this.#begin(history)
          return
        } catch (error) {
          this.#problem = messageOf(error)
          log.error(`cannot begin again: ${this.#problem}; trying again`)
          for (const source of this.#claiming) await source.close()
          await clock.sleep(longestTurnPauseMs, this.#stop.signal)
        }
      }
    })
  }

  /** @returns whether all that was read is in history */
  async #end(running: Running): Promise<boolean> {
    running.ended.abort()
    for (const source of running.sources) await source.stop()
    const drained = await this.#drain(running)
    await this.#ticking
    for (const source of running.sources) await source.close()
    // An assignment that was just being opened would go on asking a store that is closed.
    running.pipeline.abandon()
    await running.alerting.close().catch((error: unknown) => {
      this.#options.log.warn(`alert states of the last minutes were not stored: ${messageOf(error)}`)
    })
    await running.dispatcher.close()
    this.#running = null
    return drained
  }

  async #drain({ pipeline, alerting }: Running): Promise<boolean> {
    const { clock, log } = this.#options
    const late = clock.sleep(drainMs).then(() => false)
    const drained = await Promise.race([pipeline.drain(), late])
    if (!drained) {
      log.error(
        'history did not take everything in time; the next start completes what was announced and reads the rest again',
      )
      pipeline.abandon()
      alerting.abandon()
    }
    return drained
  }

  async #assemble(history: History, sources: readonly Source[], ended: AbortController): Promise<Running> {
    const { clock, log } = this.#options
    this.#directory ??= this.#tenants()
    const tenants = this.#directory
    const desk = await this.#desk(history, tenants)
    this.#warnOfSharing(desk)
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
      audit: await AuditLog.open(history.state, clock),
      pipeline,
      tenants,
      push,
      sources: [...sources, push],
      ended,
    }
  }

  #tenants(): TenantDirectory {
    const { clock, log, folder, tenants } = this.#options
    const { file } = this.#config.tenants
    if (file === undefined || tenants === null) return noDirectory
    if (!tenants.ok)
      throw new Fault('config-invalid', 'tenants.file has problems; see check-config', { retryable: false })
    const directory = new TenantFile(resolve(folder, file), tenants, { clock, log })
    this.#front.tenantFile = directory
    const watching = directory.watch(this.#stop.signal)
    this.#teardown.push(() => watching)
    return directory
  }

  #desk(history: History, tenants: TenantDirectory): Promise<AlertDesk> {
    const { clock, log, random, folder, environment, demo } = this.#options
    const { alerts, notify } = this.#config
    return openAlertDesk({
      ...{ clock, log, random, folder, environment, demo, notify, tenants, rules: alerts.rules },
      ...{ baselineSeriesLimit: alerts.baseline_series_limit, pageUrl: this.pageUrl, state: this.#alertState(history) },
      logAlerts: (records) => history.logAlerts(records),
      evaluation: () => this.#front.notEvaluated(),
      conditions: () => this.#inputWatch.alerts(),
      attempts: {
        sent: (receiver) => {
          this.#metrics.notified(receiver, 'sent')
          this.#front.attemptsOf(receiver).ok++
        },
        failed: (receiver, reason) => {
          this.#metrics.notified(receiver, reason)
          this.#front.attemptsOf(receiver).failed++
        },
      },
    })
  }

  /** A rule across tenants sees a part of them in each daemon that shares a topic. */
  #warnOfSharing({ engine }: AlertDesk): void {
    if (this.#config.source.kafka?.mode !== 'keyed') return
    const across = engine.rules.filter(({ groupBy }) => !groupBy.includes('tenant')).map(({ name }) => name)
    if (across.length === 0) return
    const message =
      'in source.kafka.mode keyed these rules see the tenants of this daemon only, for they are not by tenant'
    this.#options.log.warn(message, { rules: across.slice(0, 100) })
  }

  /** Daemons that share topics each know their own tenants only, so each keeps its alerts apart from the others'. */
  #alertState({ state }: History): StateStore {
    const { kafka } = this.#config.source
    return kafka?.mode === 'keyed' && kafka.instance !== '' ? new ScopedState(state, kafka.instance) : state
  }

  #pipeline(history: History, { engine, alerting }: AlertDesk): Pipeline {
    const { clock, log } = this.#options
    const { window, history: store } = this.#config
    return new Pipeline({
      ...{
        history,
        clock,
        log,
        inputs: this.#inputWatch,
        reading: this.#reading,
        lifetime: this.#lifetime,
        events: this.#metrics,
      },
      onSlice: (endMs, view) => alerting.onSlice(endMs, view),
      onQuotas: engine.wantsQuotas ? (readings) => engine.observeQuota(readings) : null,
      resumeAtMs: engine.lastStepMs,
      ...{ latenessMs: window.lateness, idleAfterMs: window.idle_after, seriesLimit: window.series_limit },
      ...{ seriesLimitPerTenant: window.series_limit_per_tenant, flushIntervalMs: store.flush_interval },
      ...{ flushRows: store.flush_rows, memoryLimitBytes: store.memory_limit_mib * 1024 * 1024, epoch: store.epoch },
    })
  }

  async #sources(history: History): Promise<Source[]> {
    const { state } = history
    const { clock, log, demo, folder, input } = this.#options
    const { source } = this.#config
    const { epoch } = this.#config.history
    const interrupted = (await storedIntents(state)).filter((one) => demo && one.source.startsWith('demo:'))
    return openSources(source, {
      interrupted,
      ...{ clock, log, demo, folder, epoch, keepBytes: this.#keepBytes },
      ...{ book: fileBook(state), input, inputs: this.#inputWatch },
      strays: (sources, sinceMs) => history.strayTenant(sources, sinceMs),
    })
  }

  /** One byte more than a value may have is enough to see that it is too large. */
  get #keepBytes(): number {
    return this.#config.decode.max_value_bytes + 1
  }

  async #tick(running: Running): Promise<void> {
    const { clock, log } = this.#options
    for (let ticks = 1; !running.ended.signal.aborted; ticks++) {
      await clock.sleep(tickMs, running.ended.signal)
      try {
        running.pipeline.tick()
        if (ticks % healthEveryTicks === 0) running.alerting.onHealth(clock.now(), this.#front.inputs(running))
        if (ticks % saveEveryTicks === 0) running.alerting.save()
        await running.dispatcher.tick(clock.now())
      } catch (error) {
        log.error(`tick: ${messageOf(error)}`, { error })
      }
    }
  }
}

function abortOf(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Remembers the files read, in the store's state. */
export function fileBook(state: StateStore): FileBook {
  return {
    known: async () => new Map([...(await state.load('file'))].map(([identity, length]) => [identity, Number(length)])),
    remember: (identity, length) => state.put([{ kind: 'file', key: identity, value: String(length) }]),
  }
}
