import { gzipSync } from 'node:zlib'
import type { Dice } from '../../support/dice.ts'
import type { FuzzCase } from './cases.ts'
import { mutate } from './mutations.ts'
import { broken, oddNames, oddNameTexts, oddScalars, oddStatuses, oddTimes, textLines } from './odd-values.ts'
import { type FieldKind, filled, type Member, placesIn, type Template, templateOfTree, written } from './tree.ts'

const statuses = ['200', '200', '200', '201', '204', '301', '400', '401', '404', '500', '503', '100', '599']
const upstreams = ['200', '"200"', '"200"', '"502, 200"', '""', '"-"', 'null', '500', '"503"']
const tenants = ['acme', 'grey-owl', 'red_kite', 'cust_77', 'app-heron', '4711', 'b\u00fcro', 'Nord West'].map((name) =>
  JSON.stringify(name),
)
const apis = [
  'reports',
  'maps-v1',
  'orders',
  'chat-api',
  'default',
  'search@file',
  '5e0c7a11-1d2f-4a3b-8c4d-5e6f708192a3',
].map((name) => JSON.stringify(name))
const words = [
  'via_upstream',
  'direct_response',
  'DownstreamEnd',
  'DownstreamEnd',
  'DownstreamStart',
  'TcpUpstreamConnected',
].map((name) => JSON.stringify(name))
const zones = ['+02:00', '-05:30', '+00:00', '+14:00']
/** How many kinds of changed records are repeated at a time. */
const mostKin = 12
const clfMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Makes log values: most of them nearly as gateways write them. */
export class Generator {
  readonly #dice: Dice
  readonly #case: FuzzCase
  readonly #nowMs: number
  /** Records of all cases, for lanes on which something else turns up. */
  readonly #strangers: readonly Template[]
  #template: Template
  /** Records that were changed lately: more like them follow, so that what was learnt of them is used. */
  readonly #kin: Template[] = []

  /** Whether more records like one that was changed follow it. */
  readonly #repeats: boolean

  constructor(options: {
    dice: Dice
    one: FuzzCase
    nowMs: number
    strangers: readonly Template[]
    repeats: boolean
  }) {
    this.#repeats = options.repeats
    this.#dice = options.dice
    this.#case = options.one
    this.#nowMs = options.nowMs
    this.#strangers = options.strangers
    this.#template = options.dice.pick(options.one.templates)
  }

  /** One value; null is a tombstone. */
  next(): Buffer | null {
    const dice = this.#dice
    if (dice.chance(0.05)) this.#template = dice.pick(this.#case.templates)
    const luck = dice.next()
    if (luck < 0.62) return this.#filled(this.#template)
    if (luck < 0.775 && this.#kin.length > 0) return this.#filled(dice.pick(this.#kin), dice.chance(0.5))
    if (luck < 0.985) return this.#mutated(this.#template)
    if (luck < 0.99) return this.#mutated(dice.pick(this.#strangers))
    return this.#nothingLikeIt()
  }

  /** @param isOdd whether something else stands at one of the places */
  #filled({ texts, kinds }: Template, isOdd = false): Buffer {
    const odd = isOdd ? Math.floor(this.#dice.next() * kinds.length) : -1
    let text = texts[0] ?? ''
    for (let i = 0; i < kinds.length; i++) {
      const kind = kinds[i] ?? 'word'
      text += (i === odd ? this.odd(kind) : this.usual(kind)) + (texts[i + 1] ?? '')
    }
    return Buffer.from(text)
  }

  #mutated(template: Template): Buffer {
    const dice = this.#dice
    const tree = filled(template.tree, (kind) => this.usual(kind))
    const usual = new Map<Member, Member['value']>()
    for (const { member } of placesIn(tree)) if (member.kind !== null) usual.set(member, member.value)
    const times = dice.chance(0.6) ? 1 : dice.chance(0.7) ? 2 : 4
    for (let i = 0; i < times; i++) mutate(tree, dice, this)
    if (dice.chance(this.#repeats ? 0.5 : 0.3)) {
      if (dice.chance(0.6)) return Buffer.from(written(tree, () => (dice.chance(0.15) ? dice.pick(blanks) : '')))
      return this.#spoilt(written(tree))
    }
    const made = templateOfTree(tree, (member) => usual.get(member) === member.value)
    if (this.#repeats)
      this.#kin[this.#kin.length < mostKin ? this.#kin.length : Math.floor(dice.next() * mostKin)] = made
    return this.#filled(made)
  }

  /** How a plain record fills a place: raw JSON. */
  usual(kind: FieldKind): string {
    const dice = this.#dice
    switch (kind) {
      case 'status':
        return dice.chance(0.03) ? '402' : dice.pick(statuses)
      case 'statusText':
        return `"${dice.chance(0.03) ? '402' : dice.pick(statuses)}"`
      case 'tenant':
        return dice.pick(tenants)
      case 'api':
        return dice.pick(apis)
      case 'path':
        return this.#path()
      case 'line':
        return `"GET ${this.#path().slice(1, -1)} HTTP/1.1"`
      case 'upstream':
        return dice.chance(0.02) ? '"502, 402"' : dice.pick(upstreams)
      case 'word':
        return dice.pick(words)
      default:
        return this.#time(kind)
    }
  }

  /** Something else for a place. */
  odd(kind: FieldKind | null): string {
    const dice = this.#dice
    const luck = dice.next()
    if (luck < 0.06) return dice.pick(broken)
    if (luck < 0.2 || kind === null) return dice.pick(oddScalars)
    switch (kind) {
      case 'status':
      case 'statusText':
      case 'upstream':
        return dice.pick(oddStatuses)
      case 'tenant':
      case 'api':
      case 'path':
      case 'line':
      case 'word':
        return dice.chance(0.15) ? dice.pick(oddNameTexts) : dice.pick(oddNames)
      default:
        return dice.chance(0.3) ? this.#time(dice.pick(timeKinds)) : dice.pick(oddTimes)
    }
  }

  #path(): string {
    const dice = this.#dice
    const id = Math.floor(dice.next() * 100_000)
    switch (Math.floor(dice.next() * 6)) {
      case 0:
        return `"/v1/orders/${id}?dry=1"`
      case 1:
        return `"/v1/orders/${id}/items/${id % 7}"`
      case 2:
        return `"/files/${id % 20}/raw"`
      case 3:
        return `"https://api.example.org/v2/${id}/x?q=${id}"`
      case 4:
        return `"/v1/5e0c7a11-1d2f-4a3b-8c4d-${String(id + 1e11)}"`
      default:
        return '"/v1/search"'
    }
  }

  #time(kind: FieldKind): string {
    const dice = this.#dice
    // Mostly in order and lately; some from an hour ago, and some from clocks that are wrong.
    const spanMs = dice.chance(0.97) ? 60_000 : dice.chance(0.7) ? 7_200_000 : 40 * 86_400_000
    const ms = this.#nowMs + (dice.chance(0.02) ? 1 : -1) * Math.floor(dice.next() * spanMs)
    switch (kind) {
      case 'ms':
        return String(ms)
      case 'msText':
        return `"${ms}"`
      case 's':
        return dice.chance(0.5) ? String(Math.floor(ms / 1000)) : seconds(ms, dice)
      case 'sText':
        return `"${seconds(ms, dice)}"`
      case 'us':
        return `${ms}${three(dice)}`
      case 'usText':
        return `"${ms}${three(dice)}"`
      case 'nsText':
        return `"${ms}${three(dice)}${three(dice)}"`
      case 'clf':
        return clf(ms, dice)
      case 'isoZone': {
        const zone = dice.pick(zones)
        const minutes = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) * (zone.startsWith('-') ? -1 : 1)
        return `"${new Date(ms + minutes * 60_000).toISOString().slice(0, dice.chance(0.5) ? 19 : 23)}${zone}"`
      }
      default: {
        const text = new Date(ms).toISOString()
        const luck = dice.next()
        return luck < 0.6
          ? `"${text}"`
          : luck < 0.8
            ? `"${text.slice(0, 19)}Z"`
            : `"${text.slice(0, 23)}${three(dice)}${three(dice)}Z"`
      }
    }
  }

  /** Not one whole record any more. */
  #spoilt(text: string): Buffer {
    const dice = this.#dice
    switch (Math.floor(dice.next() * 14)) {
      case 0:
        return Buffer.from(text.slice(0, Math.floor(dice.next() * text.length)))
      case 1:
        return Buffer.from(text + dice.pick(['x', '}', ',', ' null', '{}', '\u0000', '\u00a0', ']', '"', '/']))
      case 2:
        return Buffer.from(text + dice.pick(['', ' ', '\n', ',']) + this.#filled(this.#template).toString())
      case 3:
        return Buffer.from(`[${text}${dice.chance(0.5) ? `,${text}` : ''}]`)
      case 4:
        return Buffer.from(JSON.stringify(text))
      case 5:
        return Buffer.from(
          `{"@timestamp":"2026-10-05T08:15:36.042Z","@metadata":{"beat":"filebeat"},"message":${JSON.stringify(text)}}`,
        )
      case 6:
        return Buffer.from(`{"log":${JSON.stringify(`${text}\n`)},"stream":"stdout","time":"2026-10-05T08:15:36.042Z"}`)
      case 7:
        return Buffer.from(`{"json":${text},"kubernetes":{"pod":"edge-1"}}`)
      case 8:
        return Buffer.from(dice.pick(['\ufeff', ' ', '\n\t ', '\u00a0', '\r\n']) + text)
      case 9:
        return Buffer.from(text + dice.pick([' ', '\r', '\n', ' \t\r\n ']))
      default:
        return spoiltBytes(Buffer.from(text), dice)
    }
  }

  #nothingLikeIt(): Buffer | null {
    const dice = this.#dice
    const luck = dice.next()
    if (luck < 0.1) return null
    if (luck < 0.15) return zipped
    if (luck < 0.2) return Buffer.from(dice.pick(broken))
    if (luck < 0.25) return Buffer.from(`{"a":${'['.repeat(20)}${']'.repeat(20)}}`)
    return Buffer.from(dice.pick(textLines))
  }
}

const blanks = [' ', '  ', '\t', '\n', '\r\n', ' \n\t ', ' '.repeat(17)]
const zipped = gzipSync('{"started_at":1791188136042,"latencies":{},"response":{"status":200}}')
const timeKinds: readonly FieldKind[] = [
  'ms',
  'msText',
  's',
  'sText',
  'us',
  'usText',
  'nsText',
  'iso',
  'isoZone',
  'clf',
]

function three(dice: Dice): string {
  return String(Math.floor(dice.next() * 1000)).padStart(3, '0')
}

function seconds(ms: number, dice: Dice): string {
  const whole = Math.floor(ms / 1000)
  const luck = dice.next()
  if (luck < 0.7) return `${whole}.${three(dice)}`
  if (luck < 0.85) return `${whole}.${three(dice)}${three(dice)}`
  return `${whole}.${Math.floor(dice.next() * 10)}`
}

function clf(ms: number, dice: Dice): string {
  const text = new Date(ms).toISOString()
  const month = clfMonths[Number(text.slice(5, 7)) - 1] ?? ''
  const zone = dice.chance(0.7) ? '+0000' : dice.pick(['+0200', '-0530'])
  return `"${text.slice(8, 10)}/${month}/${text.slice(0, 4)}:${text.slice(11, 19)} ${zone}"`
}

const oddBytes = [
  0x00, 0x01, 0x09, 0x0a, 0x0d, 0x1f, 0x20, 0x22, 0x2c, 0x2d, 0x2f, 0x30, 0x3a, 0x5b, 0x5c, 0x5d, 0x65, 0x75, 0x7b,
  0x7d, 0x7f, 0x80,
]
const oddRuns = [
  ...[
    [0xc3, 0xa9],
    [0xc0, 0xaf],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x9f, 0xa6, 0x89],
    [0xf4, 0x90, 0x80, 0x80],
  ],
  ...[
    [0xff],
    [0xc3],
    [0xe0, 0x80, 0x80],
    [0xf0, 0x80, 0x80, 0x80],
    [0xef, 0xbb, 0xbf],
    [0xe2, 0x80, 0xa8],
    [0xf5],
    [0xc1, 0x81],
  ],
]

/** One or two bytes changed, taken out or put in. */
function spoiltBytes(bytes: Buffer, dice: Dice): Buffer {
  let spoilt = bytes
  for (let times = dice.chance(0.7) ? 1 : 2; times > 0; times--) {
    const at = Math.floor(dice.next() * spoilt.length)
    const luck = dice.next()
    const put =
      luck < 0.3
        ? []
        : luck < 0.6
          ? [dice.pick(oddBytes)]
          : luck < 0.8
            ? dice.pick(oddRuns)
            : [Math.floor(dice.next() * 256)]
    spoilt = Buffer.concat([spoilt.subarray(0, at), Buffer.from(put), spoilt.subarray(at + (dice.chance(0.6) ? 1 : 0))])
  }
  return spoilt
}
