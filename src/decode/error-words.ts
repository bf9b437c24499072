import { isObject } from './json.ts'
import { isPlainKey } from './plain-key.ts'

export interface ErrorWord {
  readonly kind: 'code' | 'text'
  readonly value: string
  readonly where: string
  /** Lower is finer and decides first. */
  readonly rank: number
}

const nodeLimit = 2_000
const depthLimit = 8

/** Rank of words in what a body reports about earlier attempts: the outer error counts. */
const demotion = 1_000

/**
 * Keys whose value is a machine word, finest first: Stripe's `decline_code` says more than its `code`, and that more than
 * its `type`. Keys are compared without case, `_` and `-`. `advice_code`, `network_decline_code`, `doc_url` and
 * `param` are missing on purpose: they are no reasons.
 */
const codeRanks: ReadonlyMap<string, number> = new Map([
  ['declinecode', 0],
  ['errorreason', 1],
  ['invalidreason', 1],
  ['limitsource', 2],
  ['errortype', 3],
  ['errorclass', 3],
  ['code', 4],
  ['errorcode', 4],
  ['errcode', 4],
  ['statuscode', 4],
  ['reason', 5],
  ['type', 7],
  ['typename', 7],
  ['status', 8],
  ['error', 8],
])

/** A `type` that is a URL or a URN is a problem type (RFC 9457), finer than a bare `type`. */
const problemTypeRank = 6

/** A text that is one machine word: `"message": "insufficient_quota"`. */
const wordTextRank = 10

const textKeys = new Set([
  ...['message', 'msg', 'detail', 'details', 'description', 'errormessage', 'errordescription', 'errormsg', 'error'],
  ...['reason', 'title', 'statusmsg', 'faultstring', 'errors', 'code', 'explanation'],
])

/** Keys under which a body may repeat what the caller wrote, or what a model said: any words can stand there. */
const echoKeys = new Set([
  ...['request', 'requestbody', 'prompt', 'prompts', 'messages', 'input', 'inputs', 'choices', 'content', 'contents'],
  ...['delta', 'output', 'query', 'params', 'toolcalls', 'arguments', 'text'],
  // What x402 says about the goods, not about the refusal.
  ...['resource', 'accepts', 'extra'],
])

const earlierKeys = new Set(['previouserrors', 'previous', 'attempts', 'retries', 'history'])

/** Keys that only payment services and payment protocols use: their mere presence tells whose words the codes are. */
const markKeys = new Set([
  ...['paymentintent', 'setupintent', 'paymentmethod', 'charge', 'declinecode', 'advicecode', 'networkdeclinecode'],
  ...['x402version'],
])
const markRank = 500

interface Node {
  readonly value: unknown
  readonly key: string
  readonly parent: string
  readonly where: string
  readonly depth: number
  readonly demoted: number
}

/** The machine words and messages of a response body, outer ones before inner ones of the same rank. */
export function errorWords(root: unknown, where: string): readonly ErrorWord[] {
  const words: ErrorWord[] = []
  const nodes: Node[] = [{ value: root, key: '', parent: '', where, depth: 0, demoted: 0 }]
  for (let i = 0; i < nodes.length && i < nodeLimit; i++) {
    const node = nodes[i]
    if (node === undefined) break
    if (Array.isArray(node.value)) addItems(nodes, node, node.value)
    else if (isObject(node.value)) addFields(nodes, words, node, node.value)
    else addWords(words, node)
  }
  return words
}

function addItems(nodes: Node[], node: Node, items: readonly unknown[]): void {
  if (node.depth >= depthLimit) return
  for (let i = 0; i < items.length && nodes.length < nodeLimit; i++) {
    nodes.push({ ...node, value: items[i], where: `${node.where}[${i}]`, depth: node.depth + 1 })
  }
}

function addFields(nodes: Node[], words: ErrorWord[], node: Node, fields: { readonly [key: string]: unknown }): void {
  if (node.depth >= depthLimit) return
  for (const name in fields) {
    if (nodes.length >= nodeLimit) return
    const key = folded(name)
    const value = fields[name]
    if (echoKeys.has(key)) continue
    // A key of the body becomes part of `cause_source`, so it may not be a secret.
    const where = `${node.where}.${isPlainKey(name) ? name : '*'}`
    if (markKeys.has(key)) words.push({ kind: 'code', value: name, where, rank: markRank })
    const demoted = node.demoted + (earlierKeys.has(key) ? demotion : 0)
    nodes.push({ value, key, parent: node.key, where, depth: node.depth + 1, demoted })
  }
}

function addWords(words: ErrorWord[], node: Node): void {
  const { value, key, where, demoted } = node
  const rank = codeRanks.get(key)
  if (typeof value === 'number') {
    const wanted =
      key === 'code' || key === 'errorcode' || key === 'errcode' || (key === 'statuscode' && node.parent !== '')
    // 100 to 599 repeats the HTTP status.
    if (wanted && rank !== undefined && Number.isInteger(value) && (value < 100 || value > 599)) {
      words.push({ kind: 'code', value: String(value), where, rank: rank + demoted })
    }
    return
  }
  if (typeof value !== 'string' || value === '') return
  const isWord = value.length <= 160 && /^[\w.:/#?&=~%-]+$/.test(value)
  if (isWord && rank !== undefined) {
    const finer = key === 'type' && /[:/#]/.test(value) ? problemTypeRank : rank
    words.push({ kind: 'code', value, where, rank: finer + demoted })
  } else if (isWord && textKeys.has(key) && /[_A-Z]/.test(value)) {
    words.push({ kind: 'code', value, where, rank: wordTextRank + demoted })
  }
  if (textKeys.has(key)) words.push({ kind: 'text', value, where, rank: demoted })
}

function folded(key: string): string {
  return key.length > 40 ? '' : key.toLowerCase().replaceAll(/[_-]/g, '')
}
