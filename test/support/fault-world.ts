import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dice } from './dice.ts'
import { type Audit, auditDaemon, auditVerify, countedRequests } from './history-audit.ts'
import { committed, createTopic, topicName } from './kafka.ts'
import { waitFor } from './process.ts'
import { tempDir } from './run-context.ts'
import { SteadyTraffic } from './steady-traffic.ts'
import { type Daemon, startTollwatch } from './tollwatch.ts'
import { TopicTruth } from './topic-truth.ts'

export interface WorldOptions {
  readonly brokers: string
  readonly seed: number
  readonly perSecond: number
  /** URL of a ClickHouse server; without it history is embedded in the daemon. */
  readonly clickhouse?: string
  readonly partitions?: number
  /** How soon the group forgets a dead member. */
  readonly sessionTimeout?: string
  readonly flushInterval?: string
  /** Small makes many inserts, so that a fault is likely to fall into one. */
  readonly flushRows?: number
  readonly memoryLimitMib?: number
  /** Share of the calls that are refused; refusals are what waits for history one by one. */
  readonly refusedShare?: number
}

/** A topic with steady traffic, a daemon that may be killed at any time, and the truth to compare with. */
export class FaultWorld {
  readonly topic: string
  readonly dir: string
  readonly traffic: SteadyTraffic
  readonly truth: TopicTruth
  readonly #options: WorldOptions
  readonly #daemons: Daemon[] = []

  private constructor(options: WorldOptions, topic: string) {
    const { brokers, perSecond, seed, partitions = standardPartitions, refusedShare } = options
    this.#options = options
    this.topic = topic
    this.dir = tempDir('fault-world')
    this.traffic = new SteadyTraffic({
      ...{ brokers, topic, partitions, perSecond, seed },
      ...(refusedShare === undefined ? {} : { refusedShare }),
    })
    this.truth = new TopicTruth(brokers, topic)
  }

  static async make(options: WorldOptions): Promise<FaultWorld> {
    const topic = topicName('faults')
    await createTopic(options.brokers, topic, options.partitions ?? standardPartitions)
    return new FaultWorld(options, topic)
  }

  /** Starts a daemon of the one group without waiting for it; each name has a folder of its own. */
  async startDaemon(name = 'first'): Promise<Daemon> {
    const dir = join(this.dir, name)
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, 'tollwatch.yaml'), this.#config())
    const daemon = await startTollwatch({ dir, args: ['-c', 'tollwatch.yaml'], waitUntilReady: false })
    this.#daemons.push(daemon)
    return daemon
  }

  /** How many partitions stand between intent and commit, as the group's coordinator has it. */
  async pendingIntents(): Promise<number> {
    const offsets = await committed(this.#options.brokers, this.topic, this.topic)
    return offsets.filter(({ metadata }) => metadata?.includes('"lo"')).length
  }

  /** Resolves when what is in the topic now has been counted, while more comes in. */
  async caughtUp(daemon: Daemon, timeoutMs = 60_000): Promise<void> {
    await this.truth.read()
    const { records } = this.truth
    const what = `the daemon to count ${records} records`
    const failed = () => (daemon.child.ended() ? `it ended:\n${daemon.logs().slice(-3_000)}` : null)
    await waitFor(what, async () => (await countedRequests(daemon)) >= records, { timeoutMs, everyMs: 100, failed })
  }

  /** Stops the traffic and compares what the daemon says with what the topic holds. */
  async audit(daemon: Daemon, timeoutMs?: number): Promise<Audit> {
    await this.traffic.stop()
    return auditDaemon(daemon, this.truth, timeoutMs)
  }

  /** Ends the daemon in good order and has the store verified. @returns everything that is wrong, in sentences */
  async endAndVerify(daemon: Daemon): Promise<readonly string[]> {
    const { code } = await daemon.stop()
    const ended = code === 0 ? [] : [`the daemon ended with ${code}: ${daemon.logs().slice(-2_000)}`]
    return [...ended, ...(await auditVerify(daemon.dir, this.truth))]
  }

  async close(): Promise<void> {
    await this.traffic.stop()
    await Promise.all(this.#daemons.map((daemon) => daemon.kill()))
  }

  /** Closes it and removes what its daemons have stored, for runs that no test set-up tidies after. */
  async remove(): Promise<void> {
    await this.close()
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 })
  }

  #config(): string {
    const { brokers, clickhouse, sessionTimeout = '1500ms', flushInterval = '500ms' } = this.#options
    const { memoryLimitMib, flushRows = 500 } = this.#options
    const kafka = { brokers, topic: this.topic, group: this.topic, session_timeout: sessionTimeout }
    const history = {
      flush_interval: flushInterval,
      flush_rows: flushRows,
      data_dir: './data',
      ...(memoryLimitMib === undefined ? {} : { memory_limit_mib: memoryLimitMib }),
      ...(clickhouse === undefined ? {} : { clickhouse: { url: clickhouse } }),
    }
    // JSON is YAML.
    return JSON.stringify({ source: { kafka }, history }, null, 2)
  }
}

const standardPartitions = 3

/** Resolves when the daemon has been given partitions, or has ended. */
export async function joined(daemon: Daemon, timeoutMs = 60_000): Promise<void> {
  const ready = () => daemon.child.ended() || hasJoined(daemon)
  await waitFor('the daemon to be given partitions', ready, { timeoutMs, everyMs: 20 })
}

export function hasJoined(daemon: Daemon): boolean {
  return /reading \d+ partitions/.test(daemon.logs())
}

/** Resolves when the daemon has completed a write, interrupted ones of earlier lives among them. */
export async function written(daemon: Daemon, timeoutMs = 60_000): Promise<void> {
  const count = /^tollwatch_history_flush_duration_seconds_count (\d+)/m
  const ready = async () => Number(count.exec(await daemon.metrics())?.[1] ?? 0) > 0
  await waitFor('a write', ready, { timeoutMs, everyMs: 20 })
}

/**
 * Waits for a moment to kill a daemon that was just started: one time in five on its way to the group, else while it
 * settles and fills its windows, or in the middle of steady writing.
 */
export async function randomMoment(daemon: Daemon, dice: Dice): Promise<void> {
  const kind = dice.next()
  if (kind < 0.2) return sleep(dice.between(100, 1_800))
  await joined(daemon)
  if (kind > 0.6) await written(daemon)
  await sleep(dice.between(0, 1_100))
}

/** Interrupted writes that this daemon has completed since it started. */
export function completedWrites(daemon: Daemon): number {
  return daemon.logs().split('completed the write that was interrupted').length - 1
}

/** Writes of this daemon that failed at least once and are repeated until they succeed. */
export function failedWrites(daemon: Daemon): number {
  return daemon.logs().split('cannot write to history').length - 1
}

/** Memory of a process in MiB: what it has now and the most it ever had. Linux alone tells. */
export function memoryMib(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024
  return { now: read('VmRSS'), peak: read('VmHWM') }
}
