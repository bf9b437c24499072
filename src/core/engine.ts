import type { Packed } from '../source/source.ts'

/** What a value is, where it is not the number of a pair of names. The same numbers as in `wasm/scan.ts` and `wasm/core.ts`. */
export const outcome = {
  /** No record of this shape was learnt. */
  unknownShape: -1,
  /** For the general decoder, and there is nothing to learn from it. */
  general: -2,
  /** No access record, and no error. */
  skipped: -3,
  /** A word stands in it that was not met there before. */
  unknownWord: -5,
  /** An object stands where none was before, in an object whose members matter. */
  unknownObject: -6,
} as const

/** Why counting has stopped at a value. The same numbers as in `wasm/count.ts`. */
export const stop = {
  /** All values are counted. */
  end: 0,
  /** It was not recognised, or its time is not to be taken as it stands: for the general decoder. */
  decode: 1,
  /** Its pair of names is not known to the host. */
  pair: 2,
  /** It lies further ahead than the windows hold. */
  ahead: 3,
  /** It was counted or put aside, and the range may be full now, or the value tells of a quota. */
  taken: 4,
  /** Its status is watched, so the host must look at it. */
  refused: 5,
} as const

/** What holds for the records that are counted next. Times in epoch milliseconds, slices of 10 s since 1970. */
export interface Terms {
  /** Chosen by the host; cells of one account are never those of another. */
  readonly account: number
  /** The arrival of values that have none of their own. */
  readonly now: number
  /** From this slice on the windows hold none. */
  readonly aheadFrom: number
  /** Slices in which a record is late: from the first, and below the second. */
  readonly lateFrom: number
  readonly lateTo: number
  /** The days that the range reaches over: to count a record outside of them stops. */
  readonly spanFromMs: number
  readonly spanToMs: number
  /** After so many new cells it stops. */
  readonly cellsLeft: number
  /** Whether to stop, once in a slice for each pair, at a value in which `ratelimit` stands. */
  readonly asks: boolean
}

/** What was counted since `clearTallies`. */
export interface Tallies {
  readonly ok: number
  readonly skipped: number
  /** Newest event time that moves the watermark; 0 for none. */
  readonly newestMs: number
  /** Least and greatest event time; infinite for none. */
  readonly leastMs: number
  readonly greatestMs: number
}

/** Where the numbers of a cell stand; see `Engine.cells`. `late` of its requests lay behind the watermark. */
export const cell = { account: 0, slice: 1, pair: 2, requests: 3, n2xx: 4, n4xx: 5, n5xx: 6, late: 7 } as const
export const cellWidth = 8
export const mostCells = 32_768

/** What stands at a slot; from `firstWord` on a word that was met before. The same numbers as in `wasm/scan.ts`. */
export const kind = {
  absent: 0,
  null: 1,
  false: 2,
  true: 3,
  object: 4,
  array: 5,
  number: 6,
  text: 7,
  time: 8,
  statusNumber: 9,
  statusText: 10,
  name: 11,
  nameNumber: 12,
  path: 13,
  blank: 14,
  otherStatus: 15,
  firstWord: 16,
} as const

/** What a slot is for. */
export type Role = 'presence' | 'time' | 'status' | 'name' | 'word' | 'upstream'

/** The notations of a time that may stand at a slot. */
export interface TimeNotation {
  readonly number: 'ms' | 's' | 'us' | 'ns' | null
  readonly iso: boolean
  readonly clf: boolean
}

/** A place that is looked at. */
export interface Slot {
  /** Keys from the top. */
  readonly path: readonly string[]
  readonly role: Role
  /** For the role `time`. */
  readonly time: TimeNotation | null
  /** For the role `name`: whether some of the names there are words, because they are no names. */
  readonly hasWords: boolean
}

/** What an engine looks at. Slots are only ever added at the end. */
export interface Program {
  readonly slots: readonly Slot[]
  /** Objects in which an object at any other key makes the shape unknown. */
  readonly objectsAsked: readonly (readonly string[])[]
}

export interface EngineOptions {
  /** Longer values are left to the general decoder. */
  readonly longestValue: number
  /** Whether numbers and UUIDs in paths are ids. */
  readonly templates: boolean
  /** Statuses of records that the host must look at. */
  readonly watched: readonly number[]
}

/** What records of one shape are. Slots are -1 where there is none. */
export interface Plan {
  readonly timeSlot: number
  readonly statusSlot: number
  readonly tenantSlot: number
  readonly apiSlot: number
}

export const mostSlots = 128
export const mostValues = 131_072
export const longestWord = 32

/**
 * Finds the values of a packed chunk and recognises records of shapes that were taught. `wasm-engine.ts` is the one in
 * use; `plain-engine.ts` says in TypeScript what it does, and stands in where there is no WebAssembly with SIMD.
 */
export interface Engine {
  /**
   * Takes a chunk in. The arrays below are about it until the next one.
   *
   * @returns the number of its values, or why they cannot be told apart
   */
  load(packed: Packed): number | 'broken' | 'too-many'
  /** Reads the values from one number up to another and notes what each is; counts nothing. */
  run(from: number, to: number): void

  /** Sets the terms of the records that are counted from now on. */
  agree(terms: Terms): void
  /**
   * Reads and counts values from one number up to another, as far as the host is not needed: `stopped` says for what. A
   * value at which it stopped for its pair, or because it lies ahead, may be counted by going on with it.
   *
   * @returns the value at which it stopped, or `to`
   */
  count(from: number, to: number): number
  readonly stopped: number
  /** Whether it stopped because the value may tell of a quota. */
  readonly mentioned: boolean
  /** Records of this pair are counted from now on, and it is asked for quotas anew. */
  know(pair: number): void
  /** The value at which it stopped for its pair is counted though the pair is not known. */
  allowPair(): void
  /** No pair is known any more. */
  forgetKnown(): void
  tallies(): Tallies
  clearTallies(): void
  /**
   * Values with a watched status that were put aside rather than counted; each may make two rows. A new chunk forgets them.
   */
  refused(): Int32Array
  clearRefused(): void
  /**
   * What was counted since `clearCells`: `cellWidth` numbers for each cell. Several may be of the same account, slice and
   * pair. The array moves when something is counted.
   */
  readonly cells: Int32Array
  readonly cellCount: number
  clearCells(): void

  /** By value: an `outcome`, or from 0 on the number of its pair of names. */
  readonly outcomes: Int32Array
  readonly statuses: Uint16Array
  /** Epoch milliseconds; 0 for a record without a time. */
  readonly times: Float64Array
  readonly offsets: Float64Array
  /** Epoch milliseconds; 0 where it is not known. */
  readonly arrivals: Float64Array
  /** The bytes of a value, null for none. They share the memory of the chunk. */
  value(i: number): Uint8Array | null
  /** Sets what is looked at and forgets all shapes; words and pairs stay. */
  look(program: Program): void
  /** After `run` of one value: what stood at a slot. */
  kindAt(slot: number): number
  /** After `run` of one value: the time or status at a slot. */
  numberAt(slot: number): number
  /** After `run` of one value: the raw bytes of the text or number at a slot, without quotes. */
  bytesAt(slot: number): Uint8Array
  /** How many pairs of names were met. */
  readonly pairCount: number
  /** What stood where the names stand, by the number of the pair. */
  pairAt(pair: number): Pair
  /** The raw text of a name, without quotes, by its number. */
  nameAt(name: number): string
  /** After an `unknownWord`: where it stood and whether it was a number. */
  unknownWord(): { readonly slot: number; readonly isNumber: boolean; readonly bytes: Uint8Array }
  /** @returns false when there is no more room */
  addWord(
    word: { readonly slot: number; readonly isNumber: boolean; readonly bytes: Uint8Array },
    kind: number,
  ): boolean
  /**
   * Teaches the shape of the value that was read last.
   *
   * @param plan null for a shape that always has the outcome `verdict`
   * @returns false when there is no more room
   */
  addShape(plan: Plan | null, verdict: number): boolean
}

/**
 * The numbers of tenant and API; equal texts have equal numbers. 0 is no name, at a slot of -1. Paths are without their
 * query, with zeros for ids.
 */
export interface Pair {
  /** Number of the two slots, see `namesOf`. */
  readonly names: number
  readonly tenant: number
  readonly api: number
}

/** Number of the pair of slots that hold the names. */
export function namesOf({ tenantSlot, apiSlot }: Pick<Plan, 'tenantSlot' | 'apiSlot'>): number {
  return (tenantSlot + 1) * 256 + apiSlot + 1
}

/** The slot of the tenant in such a number, -1 for none. */
export function tenantSlotIn(names: number): number {
  return (names >> 8) - 1
}

/** The slot of the API in such a number, -1 for none. */
export function apiSlotIn(names: number): number {
  return (names & 255) - 1
}
