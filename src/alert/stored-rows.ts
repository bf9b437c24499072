import type { EpochMs } from '../time/clock.ts'
import type { Memory, SavedChunk, SavedHead, SavedMemory } from './memory.ts'
import { SeriesMemory } from './series-memory.ts'

/** Rows that are saved as they are. */
export class StoredRows implements Memory {
  readonly series: SeriesMemory
  readonly #shape: string
  fedToMs: EpochMs | null = null

  constructor(options: { width: number; seriesLimit: number; shape: string }) {
    this.series = new SeriesMemory(options)
    this.#shape = options.shape
  }

  get chunkCount(): number {
    return this.series.chunkCount
  }

  saveHead(): SavedHead {
    return { shape: this.#shape, fedToMs: this.fedToMs }
  }

  saveChunk(chunk: number): SavedChunk {
    return { shape: this.#shape, ...this.series.saveChunk(chunk) }
  }

  load({ head, chunks }: SavedMemory): void {
    if (head.shape !== this.#shape) return
    this.fedToMs = head.fedToMs
    for (const chunk of chunks) if (chunk.shape === this.#shape) this.series.loadChunk(chunk)
  }

  settle(): void {}

  chunkOf(key: string): number | undefined {
    const place = this.series.placeOf(key)
    return place === undefined ? undefined : Math.floor(place / this.series.chunkPlaces)
  }
}
