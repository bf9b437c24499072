import type { AccessRecord, Decoded, Decoder } from '../decode/decode.ts'
import { isObject, type JsonObject } from '../decode/json.ts'
import type { PlainFields } from '../decode/plain-fields.ts'
import { type Look, type Watched, watchedObject } from '../decode/watched.ts'
import { type Engine, kind, longestWord, mostSlots, outcome, type Plan, type Role, type Slot } from './engine.ts'

/** Words of one slot; their kinds must fit into a byte. */
const mostWordsEach = 256 - kind.firstWord

/** A lane whose records never come to be known must not cost more than reading them. */
const mostLessons = 20_000

/** What the learner needs of the lane whose value it learns from. */
export interface Teacher {
  readonly decoder: Decoder
  /** Whether a record is more than a request that counts: it was refused, or is of interest otherwise. */
  isSpecial(record: AccessRecord): boolean
  /** Whether records with this status are looked at one by one. Nothing is learnt from them: why they are refused is not asked of others. */
  isWatched(status: number | null): boolean
}

/**
 * Teaches an engine the shapes of records. The general decoder reads a value once more and it is noted at which places it
 * looks; what stands at exactly these places makes the shape. A record that has the same at all of them is read the same
 * way, because the decoder knows of nothing else. Status, time and names may differ: their kinds say that they are written
 * in the plain way, and the decoder's own places say which of them counts.
 */
export class Learner {
  readonly #engine: Engine
  readonly #plain: PlainFields
  readonly #names: ReadonlySet<string>
  #slots: Slot[] = []
  /** Their places as dotted texts. */
  readonly #texts: string[] = []
  #objectsAsked: (readonly string[])[] = []
  readonly #places = new Map<string, number>()
  readonly #words: number[] = []
  readonly #deciding = new Set<string>()
  #isFull = false
  #lessons = 0

  /** @param names the places where tenant and API are looked for */
  constructor(engine: Engine, plain: PlainFields, names: readonly string[]) {
    this.#engine = engine
    this.#plain = plain
    this.#names = new Set(names)
  }

  /** The place of a slot as dotted text; null for none. */
  placeOf(slot: number): string | null {
    return this.#texts[slot] ?? null
  }

  /** Learns from the value with this number, which the engine did not recognise. */
  learn(i: number, bytes: Uint8Array, { decoder, isSpecial, isWatched }: Teacher): void {
    const code = this.#engine.outcomes[i]
    if (this.#isFull || code === outcome.general || ++this.#lessons > mostLessons) return
    if (code === outcome.unknownWord && !this.#hasRoom(this.#engine.unknownWord().slot)) return
    const entry = objectIn(bytes)
    if (entry === null) return
    const watched = watchedObject(entry)
    const state = decoder.state
    const decoded = decoder.readObject(watched.entry)
    const record = decoded?.kind === 'record' ? decoded.record : null
    if (isWatched(record?.status ?? null)) return
    const before = watched.reads()
    const places = record === null ? null : { tenant: record.origin().tenantPlace, api: record.origin().apiPlace }
    const after = watched.reads()
    const isPlain = record !== null && !isSpecial(record) && decoder.state === state
    // Places cannot say what such a record is, and where there is no room for all of them, those that there is room for do not.
    if (watched.beyond() || !this.#hasPlaces(watched.looks())) return
    // Where names stand is looked through twice: by the reading, and to tell it here. More than that is for something else.
    this.#noteDeciding(watched, (i) => 2 * ((after[i] ?? 0) - (before[i] ?? 0)))
    if (this.#extend(watched.looks(), watched.objectsAsked())) this.#look()
    for (let tries = 0; tries < mostSlots; tries++) {
      this.#engine.run(i, i + 1)
      if (this.#engine.outcomes[i] === outcome.unknownWord) {
        if (!this.#addWord(this.#engine.unknownWord())) return
      } else if (this.#engine.outcomes[i] === outcome.unknownShape || (this.#engine.outcomes[i] ?? -1) >= 0) {
        if (isPlain && places !== null) {
          const refused = this.#refusedName(watched.looks(), places)
          if (refused !== null) {
            if (!this.#refuse(refused)) return
            continue
          }
        }
        if (this.#engine.outcomes[i] !== outcome.unknownShape) return
        this.#teach(decoded, isPlain ? record : null, places, watched.looks())
        this.#engine.run(i, i + 1)
        return
      } else return
    }
  }

  /** Notes the places of names at which something else is looked for too: there the very text may decide what a record is. */
  #noteDeciding(watched: Watched, readsForNames: (look: number) => number): void {
    const reads = watched.reads()
    for (const [i, { path }] of watched.looks().entries()) {
      if ((reads[i] ?? 0) > readsForNames(i) && this.#names.has(path.join('.')))
        this.#deciding.add(JSON.stringify(path))
    }
  }

  #hasPlaces(looks: readonly Look[]): boolean {
    const missing = looks.filter(({ path }) => !this.#places.has(JSON.stringify(path)))
    return this.#slots.length + missing.length <= mostSlots
  }

  /** Makes the decoder's places slots, and gives those that were only asked for more of a role when they are read. */
  #extend(looks: readonly Look[], objectsAsked: readonly (readonly string[])[]): boolean {
    let isChanged = false
    for (const { path, value } of looks) {
      // What is inside a slot is looked into by its keys.
      const key = JSON.stringify(path)
      const known = this.#places.get(key)
      const slot = this.#slotOf(path, value, this.#deciding.has(key))
      if (known === undefined) {
        this.#places.set(key, this.#slots.length)
        this.#slots.push(slot)
        this.#texts.push(path.join('.'))
        this.#words.push(0)
        isChanged = true
      } else if (value && this.#slots[known]?.role !== slot.role) {
        this.#slots[known] = slot
        isChanged = true
      }
    }
    for (const path of objectsAsked) {
      if (this.#objectsAsked.some((one) => JSON.stringify(one) === JSON.stringify(path))) continue
      this.#objectsAsked.push(path)
      isChanged = true
    }
    return isChanged
  }

  #slotOf(path: readonly string[], isRead: boolean, isDeciding: boolean): Slot {
    const place = path.join('.')
    const time = this.#plain.times.find((one) => one.place === place) ?? null
    const role = isRead ? this.#roleOf(place) : 'presence'
    return { path, role: role === 'name' && isDeciding ? 'word' : role, time, hasWords: false }
  }

  #roleOf(place: string): Role {
    if (this.#plain.status.includes(place)) return 'status'
    if (this.#plain.times.some((one) => one.place === place)) return 'time'
    if (this.#plain.upstream.includes(place)) return 'upstream'
    return this.#names.has(place) ? 'name' : 'word'
  }

  #look(): void {
    this.#engine.look({ slots: this.#slots, objectsAsked: this.#objectsAsked })
  }

  #hasRoom(slot: number): boolean {
    return (this.#words[slot] ?? mostWordsEach) < mostWordsEach
  }

  #addWord(word: { readonly slot: number; readonly isNumber: boolean; readonly bytes: Uint8Array }): boolean {
    if (!this.#hasRoom(word.slot)) return false
    const next = this.#words[word.slot] ?? 0
    this.#words[word.slot] = next + 1
    return this.#engine.addWord(word, kind.firstWord + next)
  }

  /** A name that was looked at and passed over, though it is written as names are. */
  #refusedName(looks: readonly Look[], chosen: { tenant: string | null; api: string | null }): number | null {
    for (const { path, value } of looks) {
      const slot = this.#places.get(JSON.stringify(path)) ?? -1
      const place = path.join('.')
      if (!value || this.#slots[slot]?.role !== 'name' || place === chosen.tenant || place === chosen.api) continue
      const found = this.#engine.kindAt(slot)
      if (found === kind.name || found === kind.nameNumber || found === kind.path) return slot
    }
    return null
  }

  /** From now on this name is a word at its slot. */
  #refuse(slot: number): boolean {
    const bytes = this.#engine.bytesAt(slot)
    const one = this.#slots[slot]
    if (one === undefined || bytes.length > longestWord || this.#engine.kindAt(slot) === kind.nameNumber) return false
    if (!this.#addWord({ slot, isNumber: false, bytes })) return false
    this.#slots[slot] = { ...one, hasWords: true }
    this.#look()
    return true
  }

  #teach(
    decoded: Decoded | null,
    record: AccessRecord | null,
    places: { tenant: string | null; api: string | null } | null,
    looks: readonly Look[],
  ): void {
    const plan = record === null || places === null ? null : this.#planOf(record, places, looks)
    const verdict = decoded?.kind === 'skipped' ? outcome.skipped : outcome.general
    if (!this.#engine.addShape(plan, verdict)) this.#isFull = true
  }

  /** Null when the plain fields do not say what the decoder says. */
  #planOf(
    record: AccessRecord,
    places: { tenant: string | null; api: string | null },
    looks: readonly Look[],
  ): Plan | null {
    const read = looks.filter(({ value }) => value).map(({ path }) => this.#places.get(JSON.stringify(path)) ?? -1)
    const last = (role: Role, wanted: number): number =>
      read.findLast((slot) => this.#slots[slot]?.role === role && this.#hasStatus(slot, wanted)) ?? -1
    const named = (place: string | null): number =>
      place === null ? -1 : (read.findLast((slot) => this.#isName(slot, place)) ?? -2)
    const timeSlot = record.timeMs === null ? -1 : this.#timeSlot(read, record.timeMs)
    const statusSlot = record.status === null ? -2 : last('status', record.status)
    const tenantSlot = named(places.tenant)
    const apiSlot = named(places.api)
    if (timeSlot === -2 || statusSlot < 0 || tenantSlot === -2 || apiSlot === -2) return null
    return { timeSlot, statusSlot, tenantSlot, apiSlot }
  }

  #hasStatus(slot: number, wanted: number): boolean {
    const found = this.#engine.kindAt(slot)
    return (found === kind.statusNumber || found === kind.statusText) && this.#engine.numberAt(slot) === wanted
  }

  #timeSlot(read: readonly number[], timeMs: number): number {
    const slot = read.findLast((one) => this.#engine.kindAt(one) === kind.time && this.#engine.numberAt(one) === timeMs)
    return slot ?? -2
  }

  #isName(slot: number, place: string): boolean {
    const one = this.#slots[slot]
    const found = this.#engine.kindAt(slot)
    if (one?.role !== 'name' || one.path.join('.') !== place) return false
    return found === kind.name || found === kind.nameNumber || found === kind.path
  }
}

function objectIn(bytes: Uint8Array): JsonObject | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString())
    return isObject(parsed) ? parsed : null
  } catch {
    return null
  }
}
