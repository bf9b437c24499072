import { setTimeout as sleep } from 'node:timers/promises'
import { startClickHouse } from '../../test/support/clickhouse-http.ts'
import { Dice } from '../../test/support/dice.ts'
import { completedWrites, FaultWorld, memoryMib } from '../../test/support/fault-world.ts'
import { auditVerify } from '../../test/support/history-audit.ts'
import type { Kafka } from '../../test/support/kafka.ts'
import { type FaultKind, faultsOf, kill, type Scene } from './faults.ts'
import type { Course } from './report.ts'

export interface SoakOptions {
  readonly store: 'embedded' | 'server'
  readonly minutes: number
  readonly kills: number
  readonly seed: number
  readonly perSecond: number
  /** Names of the faults that take turns. */
  readonly faults: readonly string[]
  /** Told twice a second. */
  readonly onProgress: (course: Course, elapsedMs: number) => void
}

/** A run is long when there is room in it for outages of minutes. */
const longFromMinutes = 10
const faultEveryMs = 30_000
const auditEveryMs = 120_000
const patienceMs = 300_000
/** Kills that are still missing when the time is over are made up for, but not without end. */
const longestOverrun = 1.5

/** Lives through one course of faults and audits; never throws for what Tollwatch does wrong. */
export async function soak(kafka: Kafka, options: SoakOptions): Promise<Course> {
  const server = options.store === 'server' ? await startClickHouse() : null
  const { seed, perSecond, store } = options
  const world = await FaultWorld.make({
    ...{ brokers: kafka.brokers, seed, perSecond, memoryLimitMib: 16 },
    ...(server === null ? {} : { clickhouse: server.url }),
  })
  const course = freshCourse(store, seed)
  try {
    world.traffic.start()
    const daemon = await world.startDaemon()
    const scene: Scene = {
      ...{ world, kafka, server, dice: new Dice(seed), daemon },
      restart: async () => {
        scene.daemon = await world.startDaemon()
      },
    }
    await new Run(scene, course, options).live()
  } catch (error) {
    course.differences.push(`the course broke off: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    await world.remove()
    await server?.stop()
  }
  return course
}

function freshCourse(store: Course['store'], seed: number): Course {
  return {
    ...{ store, seed, minutes: 0, faults: new Map(), killsInWrite: 0, interruptedWritesCompleted: 0 },
    ...{ records: 0, refused: 0, unreadable: 0, lost: 0, doubled: 0, audits: 0, differences: [] },
    ...{ verify: 'not run' as const, peakMemoryMib: 0 },
  }
}

/** The loop of one course: kills in between, another fault every half minute, an audit every two. */
class Run {
  readonly #scene: Scene
  readonly #course: Course
  readonly #options: SoakOptions
  readonly #began = performance.now()
  #kills = 0

  constructor(scene: Scene, course: Course, options: SoakOptions) {
    this.#scene = scene
    this.#course = course
    this.#options = options
  }

  async live(): Promise<void> {
    const sampling = setInterval(() => {
      this.#sampleMemory()
      this.#options.onProgress(this.#course, performance.now() - this.#began)
    }, 500)
    try {
      await this.#untilOver()
      await this.#end()
    } finally {
      clearInterval(sampling)
    }
  }

  async #untilOver(): Promise<void> {
    const { minutes, kills, store, faults } = this.#options
    const lengthMs = minutes * 60_000
    const kinds = faultsOf(faults, store === 'embedded')
    let [nextFaultMs, nextAuditMs, turn] = [faultEveryMs / 2, auditEveryMs, 0]
    for (;;) {
      const elapsedMs = performance.now() - this.#began
      const over = elapsedMs >= lengthMs
      if ((over && this.#kills >= kills) || elapsedMs > lengthMs * longestOverrun) break
      if (!over && elapsedMs >= nextFaultMs) {
        const kind = kinds[turn++ % kinds.length]
        if (kind !== undefined) await this.#fault(kind)
        nextFaultMs = performance.now() - this.#began + faultEveryMs
      } else if (elapsedMs >= nextAuditMs) {
        await this.#audit()
        this.#scene.world.traffic.start()
        nextAuditMs = performance.now() - this.#began + auditEveryMs
      } else if (over || this.#kills < (kills * elapsedMs) / lengthMs) {
        await this.#kill()
      } else {
        await sleep(200)
      }
    }
  }

  async #kill(): Promise<void> {
    const { world } = this.#scene
    const victim = this.#scene.daemon
    await kill.happen(this.#scene, false)
    this.#kills++
    if ((await world.pendingIntents()) > 0) this.#course.killsInWrite++
    this.#course.interruptedWritesCompleted += completedWrites(victim)
    this.#count(kill, null)
  }

  async #fault(kind: FaultKind): Promise<void> {
    const before = this.#scene.daemon
    await kind.happen(this.#scene, this.#options.minutes >= longFromMinutes)
    const over = performance.now()
    await this.#scene.world.caughtUp(this.#scene.daemon, patienceMs)
    if (before !== this.#scene.daemon) this.#course.interruptedWritesCompleted += completedWrites(before)
    this.#count(kind, performance.now() - over)
  }

  #count({ name, what }: FaultKind, recoveryMs: number | null): void {
    const row = this.#course.faults.get(name) ?? { what, count: 0, longestRecoveryMs: null }
    this.#course.faults.set(name, row)
    row.count++
    if (recoveryMs !== null) row.longestRecoveryMs = Math.max(row.longestRecoveryMs ?? 0, recoveryMs)
  }

  async #audit(): Promise<void> {
    const { world, daemon, server } = this.#scene
    const course = this.#course
    const audit = await world.audit(daemon, patienceMs)
    this.#note(audit.differences)
    // A server can be verified beside the daemon; the embedded store is the daemon's alone.
    if (server !== null) this.#note(await auditVerify(daemon.dir, world.truth))
    const { records, refused, unreadable } = world.truth
    Object.assign(course, { records, refused, unreadable, lost: audit.lost, doubled: audit.doubled })
    course.audits++
  }

  async #end(): Promise<void> {
    const { world, daemon } = this.#scene
    const course = this.#course
    await this.#audit()
    course.interruptedWritesCompleted += completedWrites(daemon)
    const problems = await world.endAndVerify(daemon)
    this.#note(problems)
    course.verify = problems.length === 0 ? 'clean' : 'not clean'
    course.minutes = (performance.now() - this.#began) / 60_000
  }

  #sampleMemory(): void {
    try {
      const { peak } = memoryMib(this.#scene.daemon.child.pid)
      this.#course.peakMemoryMib = Math.max(this.#course.peakMemoryMib, peak)
    } catch {
      // It has just been killed.
    }
  }

  #note(differences: readonly string[]): void {
    const { differences: all } = this.#course
    if (all.length < 100) all.push(...differences)
  }
}
