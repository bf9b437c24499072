import type { EpochMs } from '../time/clock.ts'
import type { JsonObject } from './json.ts'
import type { PlainFields } from './plain-fields.ts'

/** The layouts of gateway access logs; `auto` recognises the layout and sticks to it per lane. */
export const formatNames = [
  'apipark',
  'kong',
  'apisix',
  'envoy',
  'nginx',
  'traefik',
  'tyk',
  'aws-apigw',
  'gravitee',
  'wso2',
  'krakend',
  'otlp',
  'ecs',
  'litellm',
  'custom',
] as const

export type FormatName = (typeof formatNames)[number]

/** Why a value, or one entry of it, is no access record. Counted under these names and kept with the dead letter. */
export const decodeFailures = [
  'empty',
  'too-large',
  'not-utf8',
  'not-json',
  'not-a-record',
  'unknown-format',
  'unsupported-format',
  'wrong-type',
  'no-status',
  'bad-time',
  'future-time',
  'too-old',
] as const

export type DecodeFailure = (typeof decodeFailures)[number]

/** Messages that are no access record and no error either. */
export const skipReasons = ['no-http', 'health', 'metrics', 'control', 'event', 'duplicate'] as const

export type SkipReason = (typeof skipReasons)[number]

/** One request as its gateway logged it. Unknown values are null. */
export interface AccessRecord {
  readonly format: FormatName
  /** Event time; null when the record has none, then the arrival time stands in. */
  readonly timeMs: EpochMs | null
  /** What the client got, 100 to 599; null when no response was sent. */
  readonly status: number | null
  /** What the last upstream attempt answered; null when the gateway answered itself or does not say. */
  readonly upstreamStatus: number | null
  /** Whether any upstream attempt answered 402, also one that a later attempt made good; where absent, `upstreamStatus` says it. */
  readonly upstreamRefused?: boolean
  readonly tenant: string | null
  readonly api: string | null
  readonly method: string | null
  readonly consumer: string | null
  readonly plan: string | null
  readonly latencyMs: number | null
  readonly requestId: string | null
  /** What only an operator's rule or a person asks for. Worked out only when called. */
  readonly origin: () => Origin
  /** Everything that may explain a refusal. Worked out only when called, for the rare record that is refused. */
  readonly evidence: () => Evidence
}

/** Where a record's names come from. */
export interface Origin {
  /** The service behind the API, where the layout tells one. */
  readonly service: string | null
  /** The places that gave tenant and API, such as `consumer.custom_id`; null where there is none. */
  readonly tenantPlace: string | null
  readonly apiPlace: string | null
}

/** What speaks for a cause, each list finest first. Only response bodies are searched, never requests. */
export interface Evidence {
  /** Who wrote the answer; null where the log does not tell. */
  readonly answeredBy: 'gateway' | 'upstream' | null
  /** Machine words in the response's body or headers: `decline_code`, `error.code`, problem `type`. */
  readonly codes: readonly Sign[]
  /** The gateway's own verdict: a response flag, an error key, a handler. */
  readonly verdicts: readonly Sign[]
  /** Messages for people. */
  readonly texts: readonly Sign[]
  /** Response headers, names in lower case, several values joined by `, `. */
  readonly headers: ReadonlyMap<string, string>
}

export interface Sign {
  readonly value: string
  /** Where it was found, for `cause_source`: `response.body.error.decline_code`, `response_flags`. */
  readonly where: string
}

/** One entry of a value: a Kafka value may hold none, one or many. `index` is its position inside the value. */
export type Decoded =
  | { readonly kind: 'record'; readonly index: number; readonly record: AccessRecord }
  | { readonly kind: 'skipped'; readonly index: number; readonly reason: SkipReason }
  | { readonly kind: 'unreadable'; readonly index: number; readonly failure: DecodeFailure; readonly message: string }

/** A layout, and the keys of the last entry by which it was told; empty for text. */
export interface Layout {
  readonly format: FormatName
  readonly marks: readonly string[]
}

/** Reads the values of one lane. It remembers the recognised layout, so each lane has a decoder of its own. */
export interface Decoder {
  /** Of the last entry that had one; null before the first. */
  readonly layout: Layout | null
  /**
   * What of the lane's past decides how the next entry is read: with `auto` the name of the current layout, empty before
   * the first, else the name of the one layout there is. Two decoders of the same options and state read alike.
   */
  readonly state: string
  /** Where plain records of the layout that `state` names keep their fields; null where it declares none. */
  readonly plain: PlainFields | null
  /** The places at which that layout looks for tenant and API, as dotted texts, best first. */
  readonly names: readonly string[]
  /**
   * The label that a text becomes as a name at one of these places; null where it is none, or where more than the text
   * decides.
   */
  labelAt(kind: 'tenant' | 'api', place: string, text: string): string | null
  /** Never throws: whatever cannot be read comes back as `unreadable`. Takes time linear in the value's size. */
  decode(value: Uint8Array | null): readonly Decoded[]
  /**
   * Reads one parsed object as `decode` does where the value is that object alone; null where `decode` would open it,
   * because it wraps records. It also reads a watched object, and then what is asked of the record later is noted too.
   */
  readObject(entry: JsonObject): Decoded | null
}
