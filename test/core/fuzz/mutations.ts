import type { Dice } from '../../support/dice.ts'
import { lookedAt } from './odd-values.ts'
import { type FieldKind, type Place, placesIn, type Tree, written } from './tree.ts'

/** Says what may stand at a place. */
export interface Filler {
  usual(kind: FieldKind): string
  odd(kind: FieldKind | null): string
}

type Mutation = (place: Place, tree: Tree, dice: Dice, filler: Filler) => void

/** Changes one thing of a record, most often at a place that matters. */
export function mutate(tree: Tree, dice: Dice, filler: Filler): void {
  const places = placesIn(tree)
  const ones = dice.chance(0.7) ? places.filter(({ member }) => member.kind !== null) : places
  if (ones.length === 0) return
  dice.pick(mutations)(dice.pick(ones), tree, dice, filler)
}

const otherValue: Mutation = ({ member }, _, dice, filler) => {
  member.value = dice.chance(0.8) ? filler.odd(member.kind) : filler.odd(null)
}

const blank: Mutation = ({ member }, _, dice) => {
  member.value = dice.pick(['""', '"-"', 'null', '"N/A"', '" "'])
}

const gone: Mutation = ({ tree, index }) => {
  tree.splice(index, 1)
}

const twice: Mutation = ({ tree, index, member }, _, dice, filler) => {
  const same = dice.chance(0.3)
  const value = same
    ? member.value
    : member.kind !== null && dice.chance(0.5)
      ? filler.usual(member.kind)
      : filler.odd(member.kind)
  tree.splice(Math.floor(dice.next() * (tree.length + 1)), 0, { ...member, value })
  if (dice.chance(0.2)) tree.splice(index, 0, { ...member, value: 'null' })
}

const reordered: Mutation = ({ tree }, _, dice) => {
  for (let i = tree.length - 1; i > 0; i--) {
    const j = Math.floor(dice.next() * (i + 1))
    const [a, b] = [tree[i], tree[j]]
    if (a === undefined || b === undefined) return
    tree[i] = b
    tree[j] = a
  }
}

const movedToTheEnd: Mutation = ({ tree, index }) => {
  tree.push(...tree.splice(index, 1))
}

/** The key once more where it means nothing: in another object, in an array, one level deeper. */
const decoy: Mutation = ({ member }, top, dice, filler) => {
  const value =
    member.kind === null ? '"decoy"' : dice.chance(0.5) ? filler.usual(member.kind) : filler.odd(member.kind)
  const inside = { key: member.key, value, kind: null }
  const holders = placesIn(top).filter((one) => typeof one.member.value !== 'string')
  const luck = dice.next()
  if (luck < 0.5 && holders.length > 0) {
    const holder = dice.pick(holders).member.value
    if (typeof holder !== 'string') holder.splice(Math.floor(dice.next() * (holder.length + 1)), 0, inside)
  } else if (luck < 0.75) {
    top.splice(Math.floor(dice.next() * top.length), 0, {
      key: '"list"',
      value: `[${written([inside])},1]`,
      kind: null,
    })
  } else {
    const key = JSON.stringify(dice.pick(['extra', 'more', 'fields', 'ctx', 'headers', 'a', 'z', '7']))
    top.splice(Math.floor(dice.next() * top.length), 0, { key, value: [inside], kind: null })
  }
}

const addedKey: Mutation = ({ tree }, top, dice, filler) => {
  const to = dice.chance(0.8) ? top : tree
  const value = dice.chance(0.3)
    ? dice.pick(['"acme"', '200', '402', '"402"', 'null', '{}', '"{}"'])
    : filler.odd(dice.pick(anyKind))
  to.splice(Math.floor(dice.next() * (to.length + 1)), 0, {
    key: JSON.stringify(dice.pick(lookedAt)),
    value,
    kind: null,
  })
}

const escapedKey: Mutation = ({ member }, _, dice) => {
  member.key = escapedAt(member.key, dice)
}

const escapedValue: Mutation = ({ member }, _, dice) => {
  if (typeof member.value === 'string' && /^".+"$/.test(member.value)) member.value = escapedAt(member.value, dice)
}

const otherKey: Mutation = ({ member }, _, dice) => {
  const key = member.key.slice(1, -1)
  const first = key.slice(0, 1)
  const upper = first === first.toUpperCase() ? first.toLowerCase() : first.toUpperCase()
  member.key = `"${dice.pick([`${key}_`, `${upper}${key.slice(1)}`, key.slice(1), ` ${key}`, `${key}\u00e9`, key.replace('_', '-'), `${key}\\u0000`])}"`
}

/** Number as text and text as number. */
const otherType: Mutation = ({ member }) => {
  if (typeof member.value !== 'string') return
  member.value = member.value.startsWith('"') ? member.value.slice(1, -1) : `"${member.value}"`
}

/** `{"a":{"b":1}}` as `{"a.b":1}`, and the other way round. */
const dots: Mutation = ({ tree, index, member }) => {
  if (typeof member.value !== 'string') {
    const prefix = member.key.slice(1, -1)
    tree.splice(index, 1, ...member.value.map((inner) => ({ ...inner, key: `"${prefix}.${inner.key.slice(1)}` })))
    return
  }
  const dot = member.key.indexOf('.')
  if (dot < 0) return
  const inner = { ...member, key: `"${member.key.slice(dot + 1)}` }
  tree.splice(index, 1, { key: `${member.key.slice(0, dot)}"`, value: [inner], kind: null })
}

const swapped: Mutation = ({ member }, top, dice) => {
  const other = dice.pick(placesIn(top)).member
  const value = member.value
  member.value = typeof other.value === 'string' ? other.value : '{}'
  if (typeof value === 'string' && typeof other.value === 'string') other.value = value
}

const deep: Mutation = ({ tree }, _, dice) => {
  const levels = dice.pick([3, 58, 59, 60, 61, 70])
  const isArray = dice.chance(0.5)
  const value = isArray
    ? `${'['.repeat(levels)}${']'.repeat(levels)}`
    : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  tree.splice(Math.floor(dice.next() * (tree.length + 1)), 0, { key: '"deep"', value, kind: null })
}

const long: Mutation = ({ tree }, _, dice) => {
  const value = JSON.stringify(
    dice.pick(['x', '\u00e9', '"', '\\', '\ud83e\udd89']).repeat(dice.pick([7, 15, 16, 17, 31, 33, 300])),
  )
  tree.splice(Math.floor(dice.next() * (tree.length + 1)), 0, {
    key: JSON.stringify('p'.repeat(Math.floor(dice.next() * 20))),
    value,
    kind: null,
  })
}

const quota: Mutation = (_, top, dice) => {
  const header = dice.pick([
    'x-ratelimit-remaining',
    'X-RateLimit-Limit',
    'ratelimit',
    'sent_http_x_ratelimit_remaining',
  ])
  top.push({ key: JSON.stringify(header), value: dice.pick(['"0"', '5', '"limit=10, remaining=3"']), kind: null })
}

const mutations: readonly Mutation[] = [
  ...[otherValue, otherValue, otherValue, otherValue, blank, gone, twice, twice, reordered, reordered, movedToTheEnd],
  ...[
    decoy,
    decoy,
    decoy,
    addedKey,
    addedKey,
    escapedKey,
    escapedValue,
    escapedValue,
    otherKey,
    otherType,
    dots,
    swapped,
    deep,
    long,
    quota,
  ],
]

const anyKind: readonly FieldKind[] = ['status', 'ms', 'iso', 'tenant', 'path', 'upstream']

/** One character of a JSON text as an escape. */
function escapedAt(text: string, dice: Dice): string {
  const at = 1 + Math.floor(dice.next() * Math.max(1, text.length - 2))
  const found = text[at] ?? ''
  if (found === '\\' || text[at - 1] === '\\' || found === '"') return text
  if (found === '/' && dice.chance(0.5)) return `${text.slice(0, at)}\\/${text.slice(at + 1)}`
  const code = found.charCodeAt(0).toString(16).padStart(4, '0')
  return `${text.slice(0, at)}\\u${dice.chance(0.5) ? code : code.toUpperCase()}${text.slice(at + 1)}`
}
