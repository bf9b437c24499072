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
  /** Statuses that the general decoder must look at. */
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
  /** Reads the values from one number up to another and notes what each is. */
  run(from: number, to: number): void
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
  /** Whether `ratelimit` stands anywhere in a value, in any case: without it, it tells of no quota. */
  mentionsQuota(i: number): boolean

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

/** The raw texts of tenant and API, without quotes; empty at a slot of -1. Of a path without its query, ids as zeros. */
export interface Pair {
  /** Number of the two slots, see `namesOf`. */
  readonly names: number
  readonly tenant: string
  readonly api: string
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
