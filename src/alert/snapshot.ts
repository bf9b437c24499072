import type { EpochMs } from '../time/clock.ts'
import type { CalibrationState } from './calibration.ts'
import { CombinedEvaluator } from './combined-rule.ts'
import { type Memory, type SavedChunk, type SavedHead, type SavedMemory, toBase64 } from './memory.ts'
import type { QuotaReading } from './quota-reading.ts'
import type { Evaluator } from './reading.ts'
import type { Instance } from './rule-runner.ts'
import { SpikeEvaluator } from './spike-rule.ts'

const version = 2

/** How many baselines are saved together. */
const chunkPlaces = 512

/** The state of an engine as plain data. */
export interface Snapshot {
  readonly version: typeof version
  readonly lastStepMs: EpochMs | null
  readonly rules: Record<string, SavedRule>
  readonly orphans: Orphan[]
  /** Quota readings of minutes that event time has not passed yet. */
  readonly quota: QuotaReading[]
}

export interface SavedRule {
  readonly lastEvaluatedMs: EpochMs | null
  readonly lastHealthMs: EpochMs | null
  readonly instances: readonly Instance[]
  /** In the order of `memoriesOf`; null where nothing was saved. */
  readonly memories: readonly (SavedMemory | null)[]
}

/** An alert whose rule is gone. */
export interface Orphan {
  readonly rule: string
  readonly instance: Instance
}

export function emptySnapshot(lastStepMs: EpochMs | null): Snapshot {
  return { version, lastStepMs, rules: {}, orphans: [], quota: [] }
}

/** Checks that data is a snapshot of this version; null if not. Its insides were written by us and are trusted. */
export function readSnapshot(saved: unknown): Snapshot | null {
  if (typeof saved !== 'object' || saved === null) return null
  if (!('version' in saved) || saved.version !== version || !('rules' in saved)) return null
  return saved as Snapshot
}

/** What an evaluator keeps between steps. */
export function memoriesOf(evaluator: Evaluator): readonly Memory[] {
  if (evaluator instanceof CombinedEvaluator) return evaluator.evaluators.flatMap(memoriesOf)
  return evaluator instanceof SpikeEvaluator ? [new SpikeMemory(evaluator)] : (evaluator.memories?.() ?? [])
}

export function saveMemory(memory: Memory): SavedMemory {
  const chunks = Array.from({ length: memory.chunkCount }, (_, chunk) => memory.saveChunk(chunk))
  return { head: memory.saveHead(true), chunks }
}

interface SavedSpikeHead extends SavedHead {
  readonly spreadAtMs: readonly [EpochMs, EpochMs]
  readonly calibration: CalibrationState | null
  /** Null where they are to be summed up from the series again. */
  readonly pools: readonly (readonly [string, number, number])[] | null
}

interface SavedSpikeChunk extends SavedChunk {
  readonly ring: string
}

/** The baselines of a spike rule. */
class SpikeMemory implements Memory {
  readonly #evaluator: SpikeEvaluator
  #poolsMissing = false

  constructor(evaluator: SpikeEvaluator) {
    this.#evaluator = evaluator
  }

  get chunkCount(): number {
    return Math.ceil(this.#evaluator.series.baselines.places / chunkPlaces)
  }

  saveHead(clean: boolean): SavedSpikeHead {
    const { shape, fedToMs, spreadAtMs, calibration, series } = this.#evaluator
    return {
      shape,
      fedToMs,
      spreadAtMs: [spreadAtMs[0], spreadAtMs[1]],
      calibration: calibration.save(),
      pools: clean ? series.pools.save() : null,
    }
  }

  saveChunk(chunk: number): SavedSpikeChunk {
    const { series, shape } = this.#evaluator
    const from = chunk * chunkPlaces
    const to = Math.min(from + chunkPlaces, series.baselines.places)
    const { numbers, ring } = series.baselines.bytes(from, to)
    const keys: (string | null)[] = []
    for (let place = from; place < to; place++) keys.push(series.keys[place] ?? null)
    return { shape, from, keys, numbers: toBase64(numbers), ring: toBase64(ring) }
  }

  load({ head, chunks }: SavedMemory): void {
    const evaluator = this.#evaluator
    // The shape is the same, so it was this class that wrote it.
    const saved = head as SavedSpikeHead
    if (saved.shape !== evaluator.shape) return
    evaluator.fedToMs = saved.fedToMs
    evaluator.spreadAtMs = [saved.spreadAtMs[0], saved.spreadAtMs[1]]
    if (saved.calibration !== null) evaluator.calibration.load(saved.calibration)
    evaluator.series.baselines.inflation = evaluator.calibration.inflation
    for (const chunk of chunks as readonly SavedSpikeChunk[]) {
      if (chunk.shape !== evaluator.shape) continue
      const bytes = { numbers: Buffer.from(chunk.numbers, 'base64'), ring: Buffer.from(chunk.ring, 'base64') }
      if (!evaluator.series.baselines.load(chunk.from, bytes)) continue
      for (const [at, key] of chunk.keys.entries()) {
        if (key !== null) evaluator.series.restorePlace(chunk.from + at, key)
      }
    }
    // A baseline that was saved while frozen must not stay so if its alert is gone.
    evaluator.series.baselines.releaseAll()
    if (saved.pools !== null) evaluator.series.pools.load(saved.pools)
    this.#poolsMissing = saved.pools === null
  }

  settle(): void {
    if (this.#poolsMissing) this.#evaluator.series.sumUpPools(this.#evaluator.fedToMs ?? 0)
  }

  chunkOf(key: string): number | undefined {
    const place = this.#evaluator.series.placeOfKey(key)
    return place === undefined ? undefined : Math.floor(place / chunkPlaces)
  }
}
