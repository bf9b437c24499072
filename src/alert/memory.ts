import type { EpochMs } from '../time/clock.ts'

/** What a condition keeps between steps, as far as it must survive a restart: a head and chunks of series. */
export interface Memory {
  readonly chunkCount: number
  /** @param clean whether all is saved at this moment, so that nothing need be summed up again */
  saveHead(clean: boolean): SavedHead
  saveChunk(chunk: number): SavedChunk
  /** Puts saved data back; what was saved under another shape is left out and learnt anew. */
  load(saved: SavedMemory): void
  /** Called once after `load`, when all active alerts are held again. */
  settle(): void
  /** The chunk that a series lies in; undefined if it is not kept. */
  chunkOf(key: string): number | undefined
}

export interface SavedMemory {
  readonly head: SavedHead
  readonly chunks: readonly SavedChunk[]
}

/** Written and read by one and the same memory: `shape` says what the rest means. */
export interface SavedHead {
  readonly shape: string
  readonly fedToMs: EpochMs | null
}

/** Series at the places from `from` on. The numbers are bytes in base64: exact to the last bit, and quick. */
export interface SavedChunk {
  readonly shape: string
  readonly from: number
  readonly keys: readonly (string | null)[]
  readonly numbers: string
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
