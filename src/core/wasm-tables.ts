import type { Program, Slot } from './engine.ts'

const units = { ms: 1, s: 2, us: 3, ns: 4 } as const

/** Bits: 1 to 4 the unit of a number, 16 that names can be words, 32 ISO 8601, 64 Common Log Format. */
export function notationOf({ time, hasWords }: Slot): number {
  const unit = time?.number === undefined || time.number === null ? 0 : units[time.number]
  return unit | (hasWords ? 16 : 0) | (time?.iso === true ? 32 : 0) | (time?.clf === true ? 64 : 0)
}

/** An object that is looked into. */
export interface Node {
  /** Path of the object. */
  readonly path: string
  readonly keys: { readonly key: string; readonly slot: number }[]
  objectsAsked: boolean
}

/** The objects that are looked into, the top first. */
export function nodesOf({ slots, objectsAsked }: Program): readonly Node[] {
  const nodes = new Map<string, Node>()
  const nodeAt = (path: readonly string[]): Node => {
    const text = JSON.stringify(path)
    const node = nodes.get(text) ?? { path: text, keys: [], objectsAsked: false }
    nodes.set(text, node)
    return node
  }
  nodeAt([])
  for (const [slot, { path }] of slots.entries()) {
    nodeAt(path.slice(0, -1)).keys.push({ key: path.at(-1) ?? '', slot })
  }
  for (const path of objectsAsked) nodeAt(path).objectsAsked = true
  return [...nodes.values()]
}

/** Number of the node of an object; -1 for one that is not looked into. */
export function nodeNumber(nodes: readonly Node[], path: readonly string[]): number {
  const text = JSON.stringify(path)
  return nodes.findIndex((node) => node.path === text)
}

/** Where a key is looked for in its node's table. The same as `keyHash` in `wasm/scan.ts`. */
export function keyHash(key: Buffer): number {
  const padded = Buffer.concat([key, Buffer.alloc(8)])
  const first = padded.readBigUInt64LE(0)
  const mixed = key.length < 8 ? first : first + padded.readBigUInt64LE(key.length - 8) * 31n
  const product = BigInt.asUintN(64, BigInt.asUintN(64, mixed + BigInt(key.length)) * 0x9e3779b97f4a7c15n)
  return Number(BigInt.asUintN(32, product >> 40n))
}
