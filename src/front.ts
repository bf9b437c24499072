import { type InputHealth, staleAfterMs } from './alert/input-health.ts'
import type { LoadedConfig } from './config/load.ts'
import { Taster } from './core/tally.ts'
import { Fault } from './fault/fault.ts'
import type { Log } from './fault/log.ts'
import type { History } from './history/history.ts'
import type { Reading } from './history/intake.ts'
import type { VerifyReport } from './history/ledger.ts'
import type { AuditLog } from './http/audit.ts'
import type { Health, HttpDeps } from './http/deps.ts'
import { ruleDesk } from './http/rule-desk.ts'
import { mcpHandler } from './mcp/handler.ts'
import type { AlertDesk } from './notify/desk.ts'
import type { Pipeline } from './pipeline.ts'
import type { PushSource } from './source/push.ts'
import type { Source } from './source/source.ts'
import type { MetricsInputs } from './telemetry/inputs.ts'
import type { TenantDirectory } from './tenants/directory.ts'
import type { TenantFile } from './tenants/tenant-file.ts'
import type { Clock, EpochMs } from './time/clock.ts'

const verifyLooks = 5
const verifyPauseMs = 300

/** What exists once history is open. */
export interface Running extends AlertDesk {
  readonly history: History
  readonly audit: AuditLog
  readonly pipeline: Pipeline
  readonly tenants: TenantDirectory
  readonly push: PushSource
  readonly sources: readonly Source[]
  readonly ended: AbortController
}

interface FrontOptions extends Pick<LoadedConfig, 'config'> {
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  readonly demo: boolean
}

/** What the daemon tells of itself. */
export interface Inside {
  /** Null until history is open and this daemon may read. */
  running(): Running | null
  /** Why nothing runs yet. */
  starting(): readonly string[]
  /** Aborted when the daemon ends. */
  readonly stop: AbortSignal
}

/**
 * What people see of the daemon: through page and API, metrics and probes. It is there before the daemon runs, and says
 * then what is still missing.
 */
export class Front {
  readonly startedMs: EpochMs
  tenantFile: TenantFile | null = null
  readonly #options: FrontOptions
  readonly #reading: Reading
  readonly #daemon: Inside
  /** The last proof that history is whole. */
  #verified: Health['verify'] = null
  /** Attempts to deliver messages since the start, by receiver. */
  readonly #attempts = new Map<string, { ok: number; failed: number }>()

  constructor(options: FrontOptions, reading: Reading, daemon: Inside) {
    this.#options = options
    this.#reading = reading
    this.#daemon = daemon
    this.startedMs = options.clock.now()
  }

  metricInputs(): Omit<MetricsInputs, 'lifetime'> {
    return {
      view: () => this.#daemon.running()?.pipeline.view ?? null,
      lag: () => this.#lag(),
      watermarkDelaySeconds: () => this.#watermarkDelaySeconds(),
      series: () => this.#daemon.running()?.pipeline.seriesCount ?? 0,
      foldedTotal: () => this.#daemon.running()?.pipeline.foldedCount ?? 0,
      oldestUnwrittenSeconds: () => this.#oldestUnwrittenSeconds(),
      alerts: () => this.#daemon.running()?.engine.alerts() ?? [],
    }
  }

  httpDeps(): HttpDeps {
    const { clock, log, version, demo } = this.#options
    const running = (): Running => {
      const now = this.#daemon.running()
      if (now !== null) return now
      throw new Fault('store-unreachable', this.#daemon.starting().join('; '), { retryable: true })
    }
    const deps: HttpDeps = {
      ...{ clock, log, version, demo, startedMs: this.startedMs },
      tenants: { find: (id) => this.#daemon.running()?.tenants.find(id) ?? null },
      queries: {
        trends: (select) => running().history.queries.trends(select),
        summary: (select) => running().history.queries.summary(select),
        events: (select) => running().history.queries.events(select),
        minutes: (select) => running().history.queries.minutes(select),
        alerts: (select) => running().history.queries.alerts(select),
        deadLetters: (select) => running().history.queries.deadLetters(select),
      },
      facts: {
        seen: (tenant) => running().history.facts.seen(tenant),
        lastFired: () => running().history.facts.lastFired(),
        deadLetterReasons: (sinceMs) => running().history.facts.deadLetterReasons(sinceMs),
      },
      directory: () => this.tenantFile?.all() ?? [],
      verify: () => this.#verify(running().history),
      refusalsByMinute: (series, endMs, minutes) =>
        this.#daemon.running()?.pipeline.view?.refusalsByMinute(series, endMs, minutes) ??
        new Array<number>(minutes).fill(0),
      rules: ruleDesk(() => this.#daemon.running()?.engine ?? null, this.#options.config.alerts.baseline_series_limit),
      health: () => this.#health(),
      audit: { add: (entry) => running().audit.add(entry), list: () => running().audit.list() },
      mcp: mcpHandler(() => deps),
      view: () => this.#daemon.running()?.pipeline.view ?? null,
      watermarkMs: () => this.#daemon.running()?.pipeline.view?.endMs ?? null,
      alerts: () => this.#daemon.running()?.engine.alerts() ?? [],
      explain: (fingerprint) => this.#daemon.running()?.engine.explain(fingerprint)?.sentences ?? null,
      account: (fingerprint) => {
        const alert =
          this.#daemon
            .running()
            ?.engine.alerts()
            .find((one) => one.fingerprint === fingerprint) ?? null
        return this.#daemon.running()?.dispatcher.account(fingerprint, alert) ?? null
      },
      drills: {
        start: (asked) => running().drills.start(asked),
        find: (id) => this.#daemon.running()?.drills.find(id) ?? null,
      },
      ready: () => this.#notReady(),
      progress: () => this.#progress(),
      ingest: (format, body) => this.#ingest(running(), format, body),
      silences: {
        list: () => this.#daemon.running()?.silences.list() ?? [],
        add: (silence) => running().silences.add(silence),
        expire: (id) => running().silences.expire(id),
      },
    }
    return deps
  }

  /** While ranges land, tables are read at different moments: what is really wrong is still wrong at the next look. */
  async #verify(history: History): Promise<VerifyReport> {
    for (let looks = 1; ; looks++) {
      const report = await history.verify()
      if (report.ok || looks === verifyLooks) {
        this.#verified = { atMs: this.#options.clock.now(), report }
        return report
      }
      await this.#options.clock.sleep(verifyPauseMs, this.#daemon.stop)
    }
  }

  #notReady(): readonly string[] {
    const running = this.#daemon.running()
    if (running === null) return this.#daemon.starting()
    const problems = [...running.pipeline.problems(), ...running.sources.flatMap((source) => source.problems())]
    if (running.alerting.problem !== null) problems.push(`alerts cannot be stored: ${running.alerting.problem}`)
    return problems
  }

  #health(): Health {
    const waiting = this.#daemon.running()?.dispatcher.waiting() ?? new Map<string, number>()
    const names = new Set([...waiting.keys(), ...this.#attempts.keys()])
    const countsOf = (name: string) => {
      return { ...(this.#attempts.get(name) ?? { ok: 0, failed: 0 }), waiting: waiting.get(name) ?? 0 }
    }
    return {
      lanes: this.#daemon.running()?.pipeline.laneHealth() ?? [],
      latenessMs: this.#options.config.window.lateness,
      memoryBytes: process.memoryUsage.rss(),
      verify: this.#verified,
      notifications: new Map([...names].map((name) => [name, countsOf(name)])),
    }
  }

  #progress(): ReturnType<HttpDeps['progress']> {
    const pipeline = this.#daemon.running()?.pipeline
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
    // What the lines hold, for the answer; they are counted when they are read from the spool.
    const layout = format === 'auto' ? null : format
    const taster = new Taster(this.#reading.decoder(layout), layout, this.#reading.recognisers ?? null)
    taster.taste({ bytes, framing: { kind: 'lines', offset: 0 } })
    const { accepted, unreadable } = taster.tally
    if (accepted + unreadable > 0) await running.push.push(format, bytes)
    return { accepted, unreadable }
  }

  #lag(): { topic: string; partition: number; records: number }[] {
    const lanes = this.#daemon.running()?.pipeline.lanes() ?? []
    return lanes.flatMap((lane) => {
      const records = lane.lag()
      if (records === null || lane.coordinator === null) return []
      return [{ topic: topicOf(lane.source), partition: lane.partition, records }]
    })
  }

  #watermarkDelaySeconds(): number | null {
    const at = this.#daemon.running()?.pipeline.view?.endMs ?? null
    return at === null ? null : Math.max(0, (this.#options.clock.now() - at) / 1000)
  }

  #oldestUnwrittenSeconds(): number {
    const at = this.#daemon.running()?.pipeline.oldestUnwrittenMs ?? null
    return at === null ? 0 : Math.max(0, (this.#options.clock.now() - at) / 1000)
  }
  attemptsOf(receiver: string): { ok: number; failed: number } {
    const counts = this.#attempts.get(receiver) ?? { ok: 0, failed: 0 }
    this.#attempts.set(receiver, counts)
    return counts
  }

  /** Why rules are not evaluated now; null when they are. */
  notEvaluated(): string | null {
    const running = this.#daemon.running()
    if (running === null) return this.#daemon.starting().join('; ')
    const delaySeconds = this.#watermarkDelaySeconds()
    if (delaySeconds !== null && delaySeconds * 1000 > staleAfterMs) return 'the log input stands still'
    return running.alerting.problem ?? running.pipeline.problems()[0] ?? null
  }

  /** Kafka topics with the age of their event time. Files and pushes come when they come, so they are never late. */
  inputs({ pipeline }: Running): readonly InputHealth[] {
    const now = this.#options.clock.now()
    return [...pipeline.reached()].map(([source, atMs]) => ({
      topic: topicOf(source),
      watermarkAgeMs: atMs === null ? null : Math.max(0, now - atMs),
      lagSeconds: null,
    }))
  }
}

/** The topic of `kafka:CLUSTER:TOPIC:ID#EPOCH`, of which the last two may be missing. */
function topicOf(source: string): string {
  return (source.split(':')[2] ?? '').replace(/#\d+$/, '')
}
