import { isObject, type JsonObject, type ObjectMembers, objectMembers } from './json.ts'

/**
 * One place that was looked at: its keys from the top. `value` is true when the value itself was handed out, also when
 * there was none, and false when only its presence was asked.
 */
export interface Look {
  readonly path: readonly string[]
  readonly value: boolean
}

/** An object that reads like any other and notes what is looked at. */
export interface Watched {
  readonly entry: JsonObject
  /** In the order of the first look. Each path comes once; that its value was handed out counts more than its presence. */
  looks(): readonly Look[]
  /** How often the value at each of the looks was taken by its key so far. */
  reads(): readonly number[]
  /** The objects of which it was asked which of their members are objects. Those members are among the looks as well. */
  objectsAsked(): readonly (readonly string[])[]
  /** Whether something was asked that places cannot express: all keys of an object, what is inside an array. */
  beyond(): boolean
}

/**
 * Watches how an object is read. Objects inside come watched too, each always as the same one; arrays tell what they
 * are, and to look inside one is `beyond`. What stands on the prototype reads as ever, and is noted as the absent key
 * that it is. Keys that are symbols are no places.
 */
export function watchedObject(root: JsonObject): Watched {
  const notes = new Notes()
  return {
    entry: new WatchedObject(root, [], notes).proxy,
    looks: () => notes.looks.map(({ path, value }) => ({ path, value })),
    reads: () => notes.looks.map(({ reads }) => reads),
    objectsAsked: () => [...notes.objectsAsked],
    beyond: () => notes.beyond,
  }
}

interface OpenLook {
  readonly path: readonly string[]
  value: boolean
  reads: number
}

/** What was noted of all objects of one entry. */
class Notes {
  readonly looks: OpenLook[] = []
  readonly objectsAsked: (readonly string[])[] = []
  beyond = false
}

type Handler = ProxyHandler<Record<string, unknown>>

/** One object of the entry, and what was noted of it. */
class WatchedObject {
  readonly proxy: JsonObject
  readonly #fields: JsonObject
  readonly #path: readonly string[]
  readonly #notes: Notes
  readonly #looks = new Map<string, OpenLook>()
  readonly #inside = new Map<string, unknown>()
  #askedForObjects = false

  constructor(fields: JsonObject, path: readonly string[], notes: Notes) {
    this.#fields = fields
    this.#path = path
    this.#notes = notes
    // The object that is read is never the proxy's target: what a proxy may answer is bound by what its target fixes.
    this.proxy = new Proxy({}, this.#handler())
  }

  #handler(): Handler {
    const fields = this.#fields
    return {
      get: (target, key) => {
        if (key === objectMembers) return () => this.#members()
        if (typeof key === 'symbol') return Reflect.get(target, key)
        this.#note(key, true).reads++
        return Object.hasOwn(fields, key) ? this.#valueOf(key) : Reflect.get(target, key)
      },
      has: (target, key) => {
        if (typeof key === 'symbol') return Reflect.has(target, key)
        this.#note(key, false)
        return Object.hasOwn(fields, key) || Reflect.has(target, key)
      },
      getOwnPropertyDescriptor: (_, key) => {
        if (typeof key === 'symbol') return undefined
        this.#note(key, false)
        if (!Object.hasOwn(fields, key)) return undefined
        // The value is handed out only to those who take it from the descriptor.
        return { configurable: true, enumerable: true, get: () => this.proxy[key] }
      },
      ownKeys: () => {
        this.#notes.beyond = true
        return Reflect.ownKeys(fields)
      },
      set: () => false,
      defineProperty: () => false,
      deleteProperty: () => false,
    }
  }

  #note(key: string, value: boolean): OpenLook {
    const known = this.#looks.get(key)
    if (known !== undefined) {
      known.value ||= value
      return known
    }
    const look = { path: [...this.#path, key], value, reads: 0 }
    this.#looks.set(key, look)
    this.#notes.looks.push(look)
    return look
  }

  #valueOf(key: string): unknown {
    const value = this.#fields[key]
    if (typeof value !== 'object' || value === null) return value
    let inside = this.#inside.get(key)
    if (inside === undefined) {
      inside = isObject(value)
        ? new WatchedObject(value, [...this.#path, key], this.#notes).proxy
        : watchedArray(value as readonly unknown[], this.#notes)
      this.#inside.set(key, inside)
    }
    return inside
  }

  #members(): ObjectMembers {
    if (!this.#askedForObjects) this.#notes.objectsAsked.push(this.#path)
    this.#askedForObjects = true
    const members: [string, JsonObject][] = []
    for (const key of Object.keys(this.#fields)) {
      if (!isObject(this.#fields[key])) continue
      this.#note(key, true)
      const value = this.#valueOf(key)
      if (isObject(value)) members.push([key, value])
    }
    return members
  }
}

function watchedArray(items: readonly unknown[], notes: Notes): readonly unknown[] {
  const beyond = (): void => {
    notes.beyond = true
  }
  return new Proxy(items, {
    get: (target, key) => {
      beyond()
      return Reflect.get(target, key)
    },
    has: (target, key) => {
      beyond()
      return Reflect.has(target, key)
    },
    getOwnPropertyDescriptor: (target, key) => {
      beyond()
      return Reflect.getOwnPropertyDescriptor(target, key)
    },
    ownKeys: (target) => {
      beyond()
      return Reflect.ownKeys(target)
    },
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  })
}
