/** What stands at a place that matters: how a plain record fills it, and which odd values are of interest there. */
export type FieldKind =
  | 'status'
  | 'statusText'
  | 'ms'
  | 'msText'
  | 's'
  | 'sText'
  | 'us'
  | 'usText'
  | 'nsText'
  | 'iso'
  | 'isoZone'
  | 'clf'
  | 'tenant'
  | 'api'
  | 'path'
  | 'line'
  | 'upstream'
  | 'word'

/** A member of an object: key and value are raw JSON, so that both can be spelled in any way. */
export interface Member {
  key: string
  value: string | Tree
  /** Null where nobody looks in a plain record. */
  kind: FieldKind | null
}

/** An object as it will be written: members may repeat, and may be no JSON. */
export type Tree = Member[]

/** Where a member stands. */
export interface Place {
  readonly tree: Tree
  readonly index: number
  readonly member: Member
}

/** @param fields places as `key/key`, with what stands there */
export function treeOf(record: object, fields: Readonly<Record<string, FieldKind>>, from = ''): Tree {
  const members = Object.entries(record).filter(([, value]) => value !== undefined)
  return members.map(([key, value]: [string, unknown]) => {
    const place = `${from}${key}`
    const isTree = typeof value === 'object' && value !== null && !Array.isArray(value)
    return {
      key: JSON.stringify(key),
      value: isTree ? treeOf(value, fields, `${place}/`) : JSON.stringify(value),
      kind: fields[place] ?? null,
    }
  })
}

/** A copy in which `fill` has said what stands at the places that matter. */
export function filled(tree: Tree, fill: (kind: FieldKind) => string): Tree {
  return tree.map(({ key, value, kind }) => ({
    key,
    value: kind !== null ? fill(kind) : typeof value === 'string' ? value : filled(value, fill),
    kind,
  }))
}

/** The text of a tree, compact or with blanks wherever JSON allows them. */
export function written(tree: Tree, blank: () => string = noBlank): string {
  let text = `{${blank()}`
  for (let i = 0; i < tree.length; i++) {
    const member = tree[i]
    if (member === undefined) continue
    const value = typeof member.value === 'string' ? member.value : written(member.value, blank)
    text += `${i === 0 ? '' : `,${blank()}`}${member.key}${blank()}:${blank()}${value}${blank()}`
  }
  return `${text}}`
}

function noBlank(): string {
  return ''
}

/** All members, those inside others too. */
export function placesIn(tree: Tree, found: Place[] = []): Place[] {
  for (let index = 0; index < tree.length; index++) {
    const member = tree[index]
    if (member === undefined) continue
    found.push({ tree, index, member })
    if (typeof member.value !== 'string') placesIn(member.value, found)
  }
  return found
}

/** A template of which only the places that matter change: text, place, text, place, text. */
export interface Template {
  readonly tree: Tree
  readonly texts: readonly string[]
  readonly kinds: readonly FieldKind[]
}

export function templateOf(record: object, fields: Readonly<Record<string, FieldKind>>): Template {
  return templateOfTree(treeOf(record, fields), ({ kind }) => kind !== null)
}

/** @param isOpen whether a member may have another value each time; of those that matter */
export function templateOfTree(tree: Tree, isOpen: (member: Member) => boolean): Template {
  const kinds: FieldKind[] = []
  const opened = (one: Tree): Tree =>
    one.map((member) => {
      const { key, value, kind } = member
      if (kind === null || !isOpen(member))
        return typeof value === 'string' ? member : { ...member, value: opened(value) }
      kinds.push(kind)
      return { key, value: '\u0000', kind }
    })
  const texts = written(opened(tree)).split('\u0000')
  return { tree, texts, kinds }
}
