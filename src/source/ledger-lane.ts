import type { Lane } from './source.ts'

/** A lane without a coordinator: the ledger in the store keeps its position. */
export class LedgerLane implements Lane {
  readonly source: string
  readonly partition = 0
  readonly label: string
  readonly format: string | null
  readonly coordinator = null
  readonly earliest: number
  readonly initial: number
  readonly latest: number | null
  #landedTo: number
  #behind: number | null
  #paused: Promise<void> | null = null
  #wake: () => void = () => {}

  constructor(options: {
    source: string
    label: string
    format?: string | null
    initial?: number
    earliest?: number
    latest?: number | null
  }) {
    this.source = options.source
    this.label = options.label
    this.format = options.format ?? null
    this.earliest = options.earliest ?? 0
    this.initial = options.initial ?? 0
    this.latest = options.latest ?? null
    this.#landedTo = this.earliest
    this.#behind = null
  }

  /** Everything below this offset is in history. */
  get landedTo(): number {
    return this.#landedTo
  }

  landed(next: number): void {
    this.#landedTo = Math.max(this.#landedTo, next)
  }

  pause(): void {
    this.#paused ??= new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  resume(): void {
    this.#wake()
    this.#paused = null
  }

  /** Resolves at once, or when the lane is resumed or the reader stops. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#paused === null || signal.aborted) return
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([this.#paused, stopped])
  }

  lag(): number | null {
    return this.#behind
  }

  /** Tells how much is left to read: 0 at the end of the input. */
  setLag(records: number | null): void {
    this.#behind = records
  }
}
