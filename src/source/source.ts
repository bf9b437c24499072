import type { EpochMs } from '../time/clock.ts'

/**
 * Where values come from. A source gives batches of raw values in lanes; a lane is one ordered input (a Kafka
 * partition, a file) and the unit of exactly-once: its offsets only grow, and each range of them lands in history once.
 */
export interface Source {
  /**
   * Begins to deliver; `open` gives a consumer for each independent set of lanes. Does not wait for a world that is
   * away (see `problems`); throws a Fault when the source can never work.
   */
  start(open: () => BatchConsumer): Promise<void>
  /** Stops reading. Batches already delivered may still be landed and committed until `close`. */
  stop(): Promise<void>
  /** Leaves the group, closes files. */
  close(): Promise<void>
  /** Not ready reasons for /readyz, empty when all is well. */
  problems(): readonly string[]
}

/** What the pipeline offers to a source. */
export interface BatchConsumer {
  /**
   * The lanes this consumer now owns; replaces every earlier set. Resolves with the offset to read from for each lane
   * (in the same order), once it is known what had landed before.
   */
  assigned(lanes: readonly Lane[]): Promise<readonly number[]>
  /** Takes one batch. The source must not deliver the lane's next batch before this resolves. */
  take(lane: Lane, batch: Batch): Promise<void>
  /** The offsets `[lo, hi]` cannot be read any more (retention won): history declares the gap. */
  lost(lane: Lane, lo: number, hi: number): Promise<void>
  /** The lane will never deliver again (end of a file that is not followed). Resolves once all of it has landed. */
  ended(lane: Lane): Promise<void>
}

/** One ordered input and its place to remember positions in. */
export interface Lane {
  /**
   * Identity of the input, stable over restarts and part of every insert token, such as `kafka:<cluster>:<topic>`.
   * Two inputs whose offsets mean different things must never share it.
   */
  readonly source: string
  /** Number of the lane inside its source (a Kafka partition); 0 where there is one. */
  readonly partition: number
  /** For people: `gateway-logs/3`, `access.log`. */
  readonly label: string
  /** The log layout of this lane alone; null means the configured one. */
  readonly format: string | null
  /** Where the position is kept; null means the ledger in the store keeps it. */
  readonly coordinator: Coordinator | null
  /** Lowest offset that can still be read; what lies below a position is a gap. */
  readonly earliest: number
  /** Where to begin when nothing is known of the lane. */
  readonly initial: number
  /** The offset one past the newest record when the lane was assigned; null where it is not known. */
  readonly latest: number | null
  /** Stops or resumes delivery, for back-pressure. */
  pause(): void
  resume(): void
  /** Told when everything below an offset is in history for good, for a source that keeps values until then. */
  landed?(next: number): void
  /** Records between the position and the end of the input; null where it is not known. */
  lag(): number | null
}

/** A place outside the store that keeps a lane's position and fences old owners (a Kafka consumer group). */
export interface Coordinator {
  /** The committed offset with its metadata text, or null if there is none. */
  read(): Promise<{ offset: number; metadata: string } | null>
  /**
   * Stores offset and metadata. Resolves `fenced` when this owner has lost the lane: it must drop what it holds.
   * Throws a retryable Fault when the outcome is unknown.
   */
  commit(offset: number, metadata: string): Promise<'committed' | 'fenced'>
}

export interface Batch {
  /** First and last offset covered, both inclusive; offsets without a value (control records) may be among them. */
  readonly lo: number
  readonly hi: number
  readonly values: readonly RawValue[]
}

export interface RawValue {
  readonly offset: number
  /** Null is a Kafka tombstone. */
  readonly bytes: Uint8Array | null
  /** When it arrived: the Kafka record timestamp, null where there is none or it is not set (-1). */
  readonly arrivedMs: EpochMs | null
}
