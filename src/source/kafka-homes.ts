import type { Clock, EpochMs } from '../time/clock.ts'
import type { KafkaLane } from './kafka-lane.ts'

/** Finds a tenant that came by two lanes of a source since a time; null when every tenant keeps to one. */
export type FindStray = (
  sources: readonly string[],
  sinceMs: EpochMs,
) => Promise<{ readonly source: string; readonly tenant: string; readonly lanes: readonly [number, number] } | null>

/** How far back tenants are looked for in several partitions. */
const reachMs = 10 * 60_000

/**
 * Whether each tenant keeps to one partition. Daemons that share a topic know only the tenants of their own partitions: a
 * tenant in two of them would be in half in the windows of both, so that no rate and no alert of it was right.
 */
export class TenantHomes {
  readonly #findStray: FindStray
  readonly #clock: Clock
  #sinceMs: EpochMs

  constructor(findStray: FindStray, clock: Clock) {
    this.#findStray = findStray
    this.#clock = clock
    this.#sinceMs = clock.now()
  }

  /** Partitions became more, so tenants have moved: where they were before says nothing. */
  moved(): void {
    this.#sinceMs = this.#clock.now()
  }

  /** A sentence that names a tenant in two partitions; null when there is none. */
  async stray(lanes: readonly KafkaLane[]): Promise<string | null> {
    const since = Math.max(this.#clock.now() - reachMs, this.#sinceMs)
    const stray = await this.#findStray([...new Set(lanes.map((lane) => lane.source))], since)
    if (stray === null) return null
    const topic = lanes.find((lane) => lane.source === stray.source)?.topic ?? stray.source
    const tenant = JSON.stringify(stray.tenant.slice(0, 100))
    return `${topic} is not keyed by tenant: ${tenant} came by partitions ${stray.lanes.join(' and ')}`
  }
}
