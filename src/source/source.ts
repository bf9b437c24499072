import type { EpochMs } from '../time/clock.ts'

/**
 * Where values come from. A source gives batches of raw values in lanes; a lane is one ordered input (a Kafka
 * partition, a file) and the unit of exactly-once: its offsets only grow, and each range of them lands in history once.
 */
export interface Source {
  /**
   * For a source that one daemon at a time may read: resolves when this one may, or when nobody can tell. Called before
   * `start`, and what is kept in the store is loaded in between. `onChange` is called when that has become old: then the
   * source must be closed, and another one claimed.
   */
  claim?(onChange: () => void): Promise<void>
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

/** Whoever tells people that an input is not read until they have done something. */
export interface InputListener {
  stopped(input: string, reason: string): void
  running(input: string): void
}

/** What the pipeline offers to a source. */
export interface BatchConsumer {
  /**
   * The lanes this consumer now owns; replaces every earlier set. Resolves with the offset to read from for each lane
   * (in the same order), once it is known what had landed before.
   */
  assigned(lanes: readonly Lane[]): Promise<readonly number[]>
  /**
   * Takes one batch. The source must not deliver the lane's next batch before this resolves. Packed bytes are good until
   * then: the source may use their memory again, so whoever keeps them copies them.
   */
  take(lane: Lane, batch: Batch): Promise<void>
  /** The offsets `[lo, hi]` cannot be read any more (retention won): history declares the gap. */
  lost(lane: Lane, lo: number, hi: number): Promise<void>
  /** The lane will never deliver again (end of a file that is not followed). Resolves once all of it has landed. */
  ended(lane: Lane): Promise<void>
  /**
   * The owner's lanes are about to be given up: writes what was taken. Resolves when all of it is in history, or cannot
   * get there now; the source waits no longer than it may.
   */
  revoking?(): Promise<void>
  /** The position lies beyond the end of the input, which is the same one: nothing is read until a person has decided. */
  beyond?(lane: Lane, latest: number): void
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
  /** For inputs that can be deleted and made again under their name: which of them this is. */
  readonly incarnation?: Incarnation
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

/** Tells apart inputs that had the same name one after another. */
export interface Incarnation {
  /** Null where the input does not say; then a new one looks like the old one. */
  readonly id: string | null
  /** The source name of the one with this id; null gives the name from before ids were part of it. */
  sourceOf(id: string | null): string
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
  /** In place of `values`: the values as they lie in the input, in the order of their offsets. */
  readonly packed?: readonly Packed[]
  /** Parts of it that could not be read; none of the values lies in one. */
  readonly unreadable?: readonly Unreadable[]
}

/** Values one behind the other, as they came: for whoever reads them in place. `unpacked` takes them apart. */
export interface Packed {
  readonly bytes: Uint8Array
  readonly framing: LineFraming | RecordFraming
}

/** Complete lines, each ended by a newline; a carriage return before it and blank lines are no values. */
export interface LineFraming {
  readonly kind: 'lines'
  /** Offset of the first byte; a line's offset is that of its first byte. */
  readonly offset: number
}

/** The decompressed records of one Kafka record batch, magic 2. */
export interface RecordFraming {
  readonly kind: 'records'
  /** Offset of the batch, and the last one it covers. */
  readonly base: number
  readonly last: number
  readonly count: number
  /** Time stamp of the batch that the records' own ones are relative to. */
  readonly firstMs: EpochMs
  /** The time stamp of all records where the broker sets it; null where each has its own. */
  readonly appendedMs: EpochMs | null
  /** Values below this offset were not asked for and are passed over. */
  readonly from: number
}

/** Offsets whose values are there but cannot be had, such as a compressed batch that would fill the memory. */
export interface Unreadable {
  readonly lo: number
  readonly hi: number
  /** What they take in the input. */
  readonly bytes: number
  /** For people, and the same for all of its kind. */
  readonly reason: string
}

export interface RawValue {
  readonly offset: number
  /** Null is a Kafka tombstone. */
  readonly bytes: Uint8Array | null
  /** When it arrived: the Kafka record timestamp, null where there is none or it is not set (-1). */
  readonly arrivedMs: EpochMs | null
}
