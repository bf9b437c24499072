import type { Shape } from './records.ts'

/** What a variant counted, so that no variant is fast by counting less. */
export interface Tally {
  readonly requests: number
  readonly refused: number
}

/** @throws Error when a variant did not count what there was to count */
export function requireTally(name: string, counted: Tally, truth: Tally): void {
  if (counted.requests === truth.requests && counted.refused === truth.refused) return
  throw new Error(
    `${name} counted ${counted.requests} requests and ${counted.refused} refusals instead of ${truth.requests} and ${truth.refused}`,
  )
}

interface KongEntry {
  started_at: number
  response: { status: number; headers: { [name: string]: string } }
  consumer: { custom_id: string }
  route: { name: string }
}

interface FlatEntry {
  time_iso8601: string
  status: number
  consumer_name: string
  route_id: string
  resp_header_x_error_code?: string
}

interface Bucket {
  requests: number
  refused: number
}

const sliceMs = 10_000

/**
 * What one would write in an afternoon: parse, pick the fields, count in a `Map` under a concatenated key. It checks
 * nothing, knows one layout, keeps every bucket for ever and stores nothing.
 */
export class NaiveCounter {
  readonly buckets = new Map<string, Bucket>()
  readonly #shape: Shape

  constructor(shape: Shape) {
    this.#shape = shape
  }

  take(value: Buffer): void {
    this.takeText(value.toString())
  }

  takeText(text: string): void {
    if (this.#shape === 'kong') this.#kong(JSON.parse(text) as KongEntry)
    else this.#flat(JSON.parse(text) as FlatEntry)
  }

  #kong({ started_at, response, consumer, route }: KongEntry): void {
    const word = response.status === 402 ? (response.headers['x-error-code'] ?? 'unknown') : ''
    this.#count(started_at, consumer.custom_id, route.name, response.status, word)
  }

  #flat(entry: FlatEntry): void {
    const word = entry.status === 402 ? (entry.resp_header_x_error_code ?? 'unknown') : ''
    this.#count(Date.parse(entry.time_iso8601), entry.consumer_name, entry.route_id, entry.status, word)
  }

  #count(timeMs: number, tenant: string, api: string, status: number, word: string): void {
    const key = `${tenant}|${api}|${word}|${Math.floor(timeMs / sliceMs)}`
    let bucket = this.buckets.get(key)
    if (bucket === undefined) {
      bucket = { requests: 0, refused: 0 }
      this.buckets.set(key, bucket)
    }
    bucket.requests++
    if (status === 402) bucket.refused++
  }

  /** Lets go of the buckets of the slices before a time, which come first if records came in order of time. */
  forgetBefore(timeMs: number): void {
    for (const key of this.buckets.keys()) {
      if (Number(key.slice(key.lastIndexOf('|') + 1)) >= Math.floor(timeMs / sliceMs)) return
      this.buckets.delete(key)
    }
  }

  /** What is in the buckets that are there. */
  tally(): Tally {
    let requests = 0
    let refused = 0
    for (const bucket of this.buckets.values()) {
      requests += bucket.requests
      refused += bucket.refused
    }
    return { requests, refused }
  }
}
