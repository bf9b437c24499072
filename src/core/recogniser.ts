import type { AccessRecord, Decoded, Decoder } from '../decode/decode.ts'
import type { PlainFields } from '../decode/plain-fields.ts'
import { apiSlotIn, type Engine, outcome, type Pair, tenantSlotIn } from './engine.ts'
import { Learner } from './learner.ts'

/** What a record is called under the number of its pair of names; null where the record does not say. */
export interface PairNames {
  readonly tenant: string | null
  readonly api: string | null
}

/** What the general decoder made of one value, for learning. */
export interface Lesson {
  readonly bytes: Uint8Array
  readonly entries: readonly Decoded[]
  readonly decoder: Decoder
  /** The decoder's state before it read the value. */
  readonly state: string
}

/**
 * Recognises records of one layout, and learns from the general decoder what it does not recognise. The first pair of
 * names at two places is read by the general decoder; where that takes the names as labels are made of any value at these
 * places, the pairs to come are named without it.
 */
export class Recogniser {
  readonly engine: Engine
  readonly #learner: Learner
  readonly #isSpecial: (record: AccessRecord) => boolean
  readonly #watched: ReadonlySet<number>
  readonly #mostPairs: number
  /** Pairs that were learnt one by one: null for names that the general decoder must read each time. */
  readonly #pairs = new Map<number, PairNames | null>()
  /** By slot and number of the name its label; undefined where it is refused. */
  readonly #labels = new Map<number, Map<number, string | null | undefined>>()
  /** By the two slots of the names, whether their values alone say the names. */
  readonly #isTrusted = new Map<number, boolean>()

  constructor(options: {
    engine: Engine
    plain: PlainFields
    /** The places where tenant and API are looked for. */
    names: readonly string[]
    isSpecial: (record: AccessRecord) => boolean
    watched: readonly number[]
    mostPairs: number
  }) {
    const { engine, plain, names, isSpecial, watched, mostPairs } = options
    this.engine = engine
    this.#learner = new Learner(engine, plain, names)
    this.#isSpecial = isSpecial
    this.#watched = new Set(watched)
    this.#mostPairs = mostPairs
  }

  /** Whether it has met as many names as it may keep, and another one should begin anew. */
  get isFull(): boolean {
    return this.engine.pairCount >= this.#mostPairs
  }

  /** Whether records with this status are looked at one by one, whatever else is known of them. */
  isWatched(status: number | null): boolean {
    return status !== null && this.#watched.has(status)
  }

  /**
   * What the records of a pair are called.
   *
   * @param decoder one in the state that this recogniser is for
   * @returns null when the general decoder must read each of them, undefined when it must read one to learn from
   */
  namesOf(pair: number, decoder: Decoder): PairNames | null | undefined {
    const known = this.#pairs.get(pair)
    if (known !== undefined) return known
    const found = this.engine.pairAt(pair)
    if (this.#isTrusted.get(found.names) !== true) return undefined
    // One that is refused is learnt from: such a name may be passed over, and another place be looked at.
    return this.#namesIn(found, decoder) ?? undefined
  }

  /** @returns whether something was learnt, so that values that were not recognised may be now */
  learn(i: number, { bytes, entries, decoder, state }: Lesson): boolean {
    const { engine } = this
    // What the engine said may be from before it learnt the last thing.
    engine.run(i, i + 1)
    let found = engine.outcomes[i] ?? outcome.general
    if (found === outcome.general || found === outcome.skipped || decoder.state !== state) return false
    if (found < 0 || this.#isRefused(found)) {
      const isWatched = (status: number | null): boolean => this.isWatched(status)
      this.#learner.learn(i, bytes, { decoder, isSpecial: this.#isSpecial, isWatched })
      found = engine.outcomes[i] ?? outcome.general
    }
    if (found >= 0 && !this.#pairs.has(found) && !this.isWatched(engine.statuses[i] ?? null))
      this.#learnPair(i, found, entries, decoder)
    return true
  }

  /** Whether a new pair has names that are taken as they stand, and this one is not. */
  #isRefused(found: number): boolean {
    return !this.#pairs.has(found) && this.#isTrusted.get(this.engine.pairAt(found).names) === true
  }

  #learnPair(i: number, number: number, entries: readonly Decoded[], decoder: Decoder): void {
    const pair = this.engine.pairAt(number)
    const [entry] = entries
    const record = entries.length === 1 && entry?.kind === 'record' ? entry.record : null
    if (record === null || !this.#agrees(i, pair, record)) {
      this.#pairs.set(number, null)
      return
    }
    const names = { tenant: record.tenant, api: record.api }
    this.#pairs.set(number, names)
    if (this.#isTrusted.has(pair.names)) return
    const guessed = this.#namesIn(pair, decoder)
    this.#isTrusted.set(pair.names, guessed !== null && guessed.tenant === names.tenant && guessed.api === names.api)
  }

  /** Whether the general decoder found the same at the same places. */
  #agrees(i: number, { names }: Pair, record: AccessRecord): boolean {
    const { engine } = this
    const origin = record.origin()
    return (
      !this.#isSpecial(record) &&
      record.status === engine.statuses[i] &&
      (record.timeMs ?? 0) === engine.times[i] &&
      origin.tenantPlace === this.#learner.placeOf(tenantSlotIn(names)) &&
      origin.apiPlace === this.#learner.placeOf(apiSlotIn(names))
    )
  }

  /** The names as labels are made of the values; null when one of them is refused. */
  #namesIn({ names, tenant, api }: Pair, decoder: Decoder): PairNames | null {
    const tenantName = this.#nameIn('tenant', tenantSlotIn(names), tenant, decoder)
    const apiName = this.#nameIn('api', apiSlotIn(names), api, decoder)
    return tenantName === undefined || apiName === undefined ? null : { tenant: tenantName, api: apiName }
  }

  /** Null where the plan has no place for it, undefined when it is refused. */
  #nameIn(kind: 'tenant' | 'api', slot: number, name: number, decoder: Decoder): string | null | undefined {
    const labels = this.#labels.get(slot) ?? new Map<number, string | null | undefined>()
    this.#labels.set(slot, labels)
    const known = labels.get(name)
    if (known !== undefined) return known
    const label = this.#labelOf(kind, slot, name, decoder)
    labels.set(name, label)
    return label
  }

  #labelOf(kind: 'tenant' | 'api', slot: number, name: number, decoder: Decoder): string | null | undefined {
    const place = this.#learner.placeOf(slot)
    if (place === null) return null
    const raw = this.engine.nameAt(name)
    const text = raw.includes('\\') ? unescaped(raw) : raw
    return text === null ? undefined : (decoder.labelAt(kind, place, text) ?? undefined)
  }
}

/** The text that raw JSON says; null when it is none. */
function unescaped(raw: string): string | null {
  try {
    const parsed: unknown = JSON.parse(`"${raw}"`)
    return typeof parsed === 'string' ? parsed : null
  } catch {
    return null
  }
}
