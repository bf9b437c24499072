import { type Grouping, noGroup } from './grouping.ts'

/**
 * Which group of a grouping has which place among baselines, both ways. Groups join a grouping while it is in use, some
 * with a baseline of old: after a restart, or when the groups were numbered anew, a series is there again before it is
 * in the windows.
 */
export class GroupPlaces {
  readonly #placeOfKey: (key: string) => number | undefined
  #placeOf: Int32Array = new Int32Array(0)
  #groupOf: Int32Array = new Int32Array(0)
  #knownFor: Grouping | null = null
  /** So many groups of it have been looked up. */
  #known = 0

  constructor(placeOfKey: (key: string) => number | undefined) {
    this.#placeOfKey = placeOfKey
  }

  /** Looks up the groups that have joined since the last call; to be called before the others. */
  follow(grouping: Grouping): void {
    if (this.#knownFor !== grouping) {
      this.#known = 0
      this.#groupOf.fill(noGroup)
    }
    if (this.#placeOf.length < grouping.size) {
      const placeOf = new Int32Array(Math.max(64, Math.ceil(grouping.size * 1.5)))
      placeOf.set(this.#placeOf.subarray(0, this.#known))
      this.#placeOf = placeOf
    }
    for (let group = this.#known; group < grouping.size; group++) {
      const place = this.#placeOfKey(grouping.keys[group] ?? '')
      if (place === undefined) this.#placeOf[group] = noGroup
      else this.pair(group, place)
    }
    this.#known = grouping.size
    this.#knownFor = grouping
  }

  hasPlace(group: number): boolean {
    return (this.#placeOf[group] ?? noGroup) !== noGroup
  }

  /** The group at a place, or `noGroup`. */
  groupAt(place: number): number {
    return this.#groupOf[place] ?? noGroup
  }

  pair(group: number, place: number): void {
    this.#placeOf[group] = place
    if (place >= this.#groupOf.length) {
      const groupOf = new Int32Array(Math.max(64, 2 * place)).fill(noGroup)
      groupOf.set(this.#groupOf)
      this.#groupOf = groupOf
    }
    this.#groupOf[place] = group
  }

  /** Looks all of them up anew at the next call: some places have become free. */
  forget(): void {
    this.#knownFor = null
  }
}
