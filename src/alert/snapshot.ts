import type { EpochMs } from '../time/clock.ts'
import type { CalibrationState } from './calibration.ts'
import type { Instance } from './rule-runner.ts'
import type { SpikeEvaluator } from './spike-rule.ts'

const version = 1

/** How many series are saved together. */
export const chunkPlaces = 512

/** The state of an engine as plain data. */
export interface Snapshot {
  readonly version: typeof version
  readonly lastStepMs: EpochMs | null
  readonly rules: Record<string, SavedRule>
  readonly orphans: Orphan[]
}

export interface SavedRule {
  readonly lastEvaluatedMs: EpochMs | null
  readonly instances: readonly Instance[]
  readonly baseline: SavedBaseline | null
}

/** An alert whose rule is gone. */
export interface Orphan {
  readonly rule: string
  readonly instance: Instance
}

export interface SavedBaseline extends SavedBaselineHead {
  readonly chunks: readonly SavedChunk[]
}

export interface SavedBaselineHead {
  /** What the numbers mean; under another shape they are worthless. */
  readonly shape: string
  readonly fedToMs: EpochMs | null
  readonly spreadAtMs: readonly [EpochMs, EpochMs]
  readonly calibration: CalibrationState | null
  /** Null where they are to be summed up from the series again. */
  readonly pools: readonly (readonly [string, number, number])[] | null
}

/** Series at the places from `from` on. The numbers are bytes in base64: exact to the last bit, and quick. */
export interface SavedChunk {
  readonly shape: string
  readonly from: number
  readonly keys: readonly (string | null)[]
  readonly numbers: string
  readonly ring: string
}

export function emptySnapshot(lastStepMs: EpochMs | null): Snapshot {
  return { version, lastStepMs, rules: {}, orphans: [] }
}

/** Checks that data is a snapshot of this version; null if not. Its insides were written by us and are trusted. */
export function readSnapshot(saved: unknown): Snapshot | null {
  if (typeof saved !== 'object' || saved === null) return null
  if (!('version' in saved) || saved.version !== version || !('rules' in saved)) return null
  return saved as Snapshot
}

export function saveHead(evaluator: SpikeEvaluator, withPools: boolean): SavedBaselineHead {
  const { shape, fedToMs, spreadAtMs, calibration, series } = evaluator
  return {
    shape,
    fedToMs,
    spreadAtMs: [spreadAtMs[0], spreadAtMs[1]],
    calibration: calibration.save(),
    pools: withPools ? series.pools.save() : null,
  }
}

export function chunkCount({ series }: SpikeEvaluator): number {
  return Math.ceil(series.baselines.places / chunkPlaces)
}

export function saveChunk(evaluator: SpikeEvaluator, chunk: number): SavedChunk {
  const from = chunk * chunkPlaces
  const to = Math.min(from + chunkPlaces, evaluator.series.baselines.places)
  const { numbers, ring } = evaluator.series.baselines.bytes(from, to)
  const keys: (string | null)[] = []
  for (let place = from; place < to; place++) keys.push(evaluator.series.keys[place] ?? null)
  return { shape: evaluator.shape, from, keys, numbers: toBase64(numbers), ring: toBase64(ring) }
}

export function saveBaseline(evaluator: SpikeEvaluator): SavedBaseline {
  const chunks = Array.from({ length: chunkCount(evaluator) }, (_, chunk) => saveChunk(evaluator, chunk))
  return { ...saveHead(evaluator, true), chunks }
}

/** Puts saved baselines back; those of another shape are left out and learnt anew. */
export function loadBaseline(evaluator: SpikeEvaluator, saved: SavedBaseline): void {
  if (saved.shape !== evaluator.shape) return
  evaluator.fedToMs = saved.fedToMs
  evaluator.spreadAtMs = [saved.spreadAtMs[0], saved.spreadAtMs[1]]
  if (saved.calibration !== null) evaluator.calibration.load(saved.calibration)
  evaluator.series.baselines.inflation = evaluator.calibration.inflation
  for (const chunk of saved.chunks) {
    if (chunk.shape !== evaluator.shape) continue
    const bytes = { numbers: Buffer.from(chunk.numbers, 'base64'), ring: Buffer.from(chunk.ring, 'base64') }
    if (!evaluator.series.baselines.load(chunk.from, bytes)) continue
    for (const [at, key] of chunk.keys.entries()) if (key !== null) evaluator.series.restorePlace(chunk.from + at, key)
  }
  // A baseline that was saved while frozen must not stay so if its alert is gone.
  evaluator.series.baselines.releaseAll()
  if (saved.pools !== null) evaluator.series.pools.load(saved.pools)
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
