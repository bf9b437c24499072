import { type Cause, causes } from '../classify/cause.ts'
import { dayMs } from '../time/duration.ts'
import { sliceMs } from '../window/view.ts'

/** Events of one series, one number for each interval. */
export interface InputSeries {
  readonly metric: 'requests' | 'payment_required'
  readonly tenant: string
  readonly api: string
  readonly cause: Cause | null
  readonly values: readonly number[]
}

export const seriesFix =
  'write requests{tenant="…",api="…"} or payment_required{tenant="…",api="…",cause="…"} with a cause of the list'

/** Reads `name{label="value",…}`; a text is what is wrong with it. */
export function parseSeries(text: string): Omit<InputSeries, 'values'> | string {
  const parts = /^\s*(\w+)\s*\{(.*)\}\s*$/s.exec(text)
  const metric = parts?.[1]
  if (metric !== 'requests' && metric !== 'payment_required') return `${text} is no series we know`
  const labels = new Map<string, string>()
  const body = parts?.[2] ?? ''
  const pairs = [...body.matchAll(/\s*(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/gs)]
  if (pairs.map((pair) => pair[0]).join('') !== body) return `${text} has labels that cannot be read`
  for (const [, name, value] of pairs) labels.set(name ?? '', (value ?? '').replace(/\\(.)/gs, '$1'))
  const tenant = labels.get('tenant')
  const api = labels.get('api')
  const cause = causes.find((one) => one === labels.get('cause')) ?? null
  if (tenant === undefined || api === undefined) return `${text} lacks a tenant or an api`
  if ((metric === 'payment_required') !== (cause !== null)) return `${text} needs a cause of the list`
  return { metric, tenant, api, cause }
}

export const valuesFix = 'write counts such as 1 2 3, 5x10 (eleven times 5), 1+2x3 (1 3 5 7), _ or _x5 for nothing'
/** A week of 10 s steps; more would be a typing error. */
export const mostValues: number = (7 * dayMs) / sliceMs

/**
 * Expands the notation of promtool: `a`, `axn` (a, n + 1 times), `a+bxn`, `a-bxn` (n further steps), `_`, `_xn`
 * (nothing, n times), `stale`. Values are events in one interval.
 */
export function expandValues(text: string): readonly number[] | string {
  const values: number[] = []
  for (const word of text.trim().split(/\s+/)) {
    if (word === 'stale' || word === '_') {
      values.push(0)
      continue
    }
    const parts = /^(_|\d+)(?:([+-])(\d+))?(?:x(\d+))?$/.exec(word)
    if (parts === null || (parts[2] !== undefined && parts[4] === undefined)) return `${word} is no value`
    const times = Number(parts[4] ?? 0)
    if (values.length + times >= mostValues) return `${word} makes more than a week of values`
    if (parts[1] === '_') {
      for (let k = 0; k < times; k++) values.push(0)
      continue
    }
    const step = Number(parts[3] ?? 0) * (parts[2] === '-' ? -1 : 1)
    for (let k = 0; k <= times; k++) values.push(Math.max(0, Number(parts[1]) + k * step))
  }
  return values
}

/** Made-up traffic that is the same in every run. */
export interface Generator {
  /** Events one by one, or in batches whose sizes are geometric, as retries of clients come. */
  readonly process: 'poisson' | 'batch'
  /** Events in one interval, on average. */
  readonly mean: number
  /** Events in one batch, on average, from 1 up. */
  readonly batch: number
  readonly seed: number
}

/** Counts of so many intervals. */
export function generateValues({ process, mean, batch, seed }: Generator, intervals: number): readonly number[] {
  const uniform = uniformFrom(seed)
  return Array.from({ length: intervals }, () => {
    if (process === 'poisson') return poisson(mean, uniform)
    let count = 0
    for (let batches = poisson(mean / batch, uniform); batches > 0; batches--) {
      // A geometric number from 1 up, by inversion.
      count += batch <= 1 ? 1 : 1 + Math.floor(Math.log(uniform()) / Math.log(1 - 1 / batch))
    }
    return count
  })
}

/** By Knuth's product below 30, by the normal approximation above. */
function poisson(mean: number, uniform: () => number): number {
  if (mean >= 30) {
    const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal))
  }
  const end = Math.exp(-mean)
  let count = -1
  for (let product = 1; product > end; product *= uniform()) count++
  return count
}

/** Numbers in (0, 1), the same for the same seed (mulberry32). */
function uniformFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32
  }
}
