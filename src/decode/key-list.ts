import { type JsonObject, objectMembers } from './json.ts'

/** Most keys of an object that is told by them, and their longest; gateways write a few dozen. */
const mostKeys = 100
const longestKey = 100
/** Most different beginnings of objects that are remembered. */
const mostNodes = 10_000

/**
 * The keys of an object, in their order: the very same list for all objects that have the same. Nearly all records of a
 * gateway have one of a few lists, and what follows from the keys alone is worked out once for each.
 */
export class KeyList {
  readonly keys: readonly string[]
  readonly #set: ReadonlySet<string>

  constructor(keys: readonly string[]) {
    this.keys = keys
    this.#set = new Set(keys)
  }

  has(key: string): boolean {
    return this.#set.has(key)
  }
}

/** Where the objects whose keys begin alike part. */
class KeyNode {
  list: KeyList | null = null
  /** The key that comes next in most of them: comparing it is cheaper than to look it up. */
  #usual: string | null = null
  #next: KeyNode | null = null
  #others: Map<string, KeyNode> | null = null

  behind(key: string): KeyNode {
    return this.#usual === key && this.#next !== null ? this.#next : this.#behindOther(key)
  }

  #behindOther(key: string): KeyNode {
    const known = this.#others?.get(key)
    if (known !== undefined) return known
    nodes++
    const made = new KeyNode()
    if (this.#next === null) {
      this.#usual = key
      this.#next = made
    } else {
      this.#others ??= new Map()
      this.#others.set(key, made)
    }
    return made
  }
}

let root = new KeyNode()
let nodes = 0

/** The keys of an object; null where they are too many, and for a watched object: to ask it for all keys is noted. */
export function keysOf(entry: JsonObject): KeyList | null {
  if ((entry as { readonly [objectMembers]?: unknown })[objectMembers] !== undefined) return null
  if (nodes > mostNodes) {
    root = new KeyNode()
    nodes = 0
  }
  let node = root
  let count = 0
  for (const key in entry) {
    if (++count > mostKeys || key.length > longestKey) return null
    node = node.behind(key)
  }
  node.list ??= new KeyList(Object.keys(entry))
  return node.list
}

/** What follows from the keys alone, worked out once for each list. */
export function byKeys<T extends object>(work: (keys: KeyList) => T): (keys: KeyList) => T {
  const known = new WeakMap<KeyList, T>()
  let last: KeyList | null = null
  let lastGiven: T | null = null
  return (keys) => {
    if (keys === last && lastGiven !== null) return lastGiven
    const given = known.get(keys) ?? work(keys)
    known.set(keys, given)
    last = keys
    lastGiven = given
    return given
  }
}
