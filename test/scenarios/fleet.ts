import type { SliceRow } from '../../src/alert/scripted-view.ts'
import type { Cause } from '../../src/classify/cause.ts'
import type { EpochMs } from '../../src/time/clock.ts'
import { Chance } from './chance.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

/** One tenant's use of one API. */
export interface Flow {
  readonly tenant: string
  readonly api: string
  /** Requests a minute, the mean over a working day. */
  readonly perMinute: number
  /** Of every request, on a normal day, by cause. */
  readonly usual: readonly { readonly cause: Cause; readonly share: number }[]
  /** Its clients try again: refusals come in runs of so many, on average; the runs' lengths are geometric. */
  readonly runLength: number
  /** Hour of the day with most traffic. */
  readonly peakHour: number
}

/** What an incident does to one flow at one time. */
export interface Change {
  /** Multiplies the traffic; usual refusals keep their share of it. */
  readonly traffic?: number
  /** Refused on top of what is usual: this share of the requests, for this cause. */
  readonly refused?: { readonly cause: Cause; readonly share: number }
  /** The flow is somebody else's now. */
  readonly movedTo?: string
}

const apis = ['chat', 'embeddings', 'images', 'search', 'speech'] as const
const usualCauses: readonly Cause[] = [
  'quota_exceeded',
  'insufficient_funds',
  'payment_failed',
  'subscription_expired',
  'invalid_payment_info',
  'authentication_missing',
]
/** No customer is quite the same from hour to hour: the logarithms of these wander, and come back within the time. */
const wandering = {
  traffic: { deviation: 0.25, minutes: 60 },
  refusals: { deviation: 0.2, minutes: 240 },
} as const
/** The day, the week and the wandering move on in steps of so many minutes. */
const stepMinutes = 10
const weekendFactor = 0.6

/** A flow as it is in the present ten minutes. */
interface Present {
  readonly flow: Flow
  requests: number
  refusals: number
  trafficMood: number
  refusalMood: number
}

/**
 * Customers of an API company: rates from a call in half an hour to hundreds a minute, days that breathe, quiet
 * weekends, moods, and a few refusals on every normal day, in runs. The same seed gives the same fleet and days.
 */
export class Fleet {
  readonly #present: readonly Present[]
  readonly #chance: Chance
  #step = Number.NaN

  constructor(tenants: number, seed: number) {
    const chance = new Chance(seed)
    const flows = Array.from({ length: tenants }, (_, i) => flowsOf(i, chance)).flat()
    this.#chance = new Chance(seed ^ 0x5eed)
    this.#present = flows.map((flow) => ({
      ...{ flow, requests: 0, refusals: 1 },
      ...{ trafficMood: this.#chance.normal(), refusalMood: this.#chance.normal() },
    }))
  }

  /** The minute that begins at `atMs`, one row for each flow that has traffic. */
  minute(atMs: EpochMs, changeOf: ((flow: Flow) => Change | null) | null): readonly SliceRow[] {
    const step = Math.floor(atMs / (stepMinutes * minuteMs))
    if (step !== this.#step) this.#moveOn(step)
    const rows: SliceRow[] = []
    for (const present of this.#present) {
      const row = this.#row(present, changeOf?.(present.flow) ?? null)
      if (row !== null) rows.push(row)
    }
    return rows
  }

  #row({ flow, requests: expected, refusals }: Present, change: Change | null): SliceRow | null {
    const chance = this.#chance
    const requests = chance.poisson(expected * (change?.traffic ?? 1))
    if (requests === 0) return null
    const causes: Partial<Record<Cause, number>> = {}
    let room = requests
    if (change?.refused !== undefined) {
      const { cause, share } = change.refused
      const count = Math.min(room, share >= 1 ? requests : chance.poisson(requests * share))
      causes[cause] = count
      room -= count
    }
    for (const { cause, share } of flow.usual) {
      const count = Math.min(room, chance.batches(requests * share * refusals, flow.runLength))
      if (count === 0) continue
      causes[cause] = (causes[cause] ?? 0) + count
      room -= count
    }
    return { tenant: change?.movedTo ?? flow.tenant, api: flow.api, requests, causes }
  }

  #moveOn(step: number): void {
    this.#step = step
    const atMs = step * stepMinutes * minuteMs
    const weekday = new Date(atMs).getUTCDay()
    const week = weekday === 0 || weekday === 6 ? weekendFactor : 1
    for (const present of this.#present) {
      present.trafficMood = this.#wander(present.trafficMood, wandering.traffic.minutes)
      present.refusalMood = this.#wander(present.refusalMood, wandering.refusals.minutes)
      const { perMinute, peakHour } = present.flow
      const mood = Math.exp(wandering.traffic.deviation * present.trafficMood)
      present.requests = perMinute * week * hourFactor(atMs, peakHour) * mood
      present.refusals = Math.exp(wandering.refusals.deviation * present.refusalMood)
    }
  }

  #wander(mood: number, minutes: number): number {
    const kept = Math.exp(-stepMinutes / minutes)
    return kept * mood + Math.sqrt(1 - kept * kept) * this.#chance.normal()
  }
}

/** `customer-0007`; the first ones have known sizes, so that an incident can be put on somebody of a known size. */
export function tenantName(number: number): string {
  return `customer-${String(number).padStart(4, '0')}`
}

/** Tenants 0 to 9 make 120 requests a minute each, the next forty 12; of the others there are few large and many small. */
function sizeOf(number: number, chance: Chance): number {
  if (number < 10) return 120
  if (number < 50) return 12
  return 0.03 * Math.exp(chance.uniform() * Math.log(10_000))
}

function flowsOf(number: number, chance: Chance): readonly Flow[] {
  const size = sizeOf(number, chance)
  const used = 1 + Math.floor(chance.uniform() * 3)
  const first = Math.floor(chance.uniform() * apis.length)
  return Array.from({ length: used }, (_, i) => ({
    tenant: tenantName(number),
    api: apis[(first + i) % apis.length] ?? 'chat',
    // Each further API is used half as much as the one before.
    perMinute: (size * 2 ** (used - 1 - i)) / (2 ** used - 1),
    usual: usualOf(chance),
    runLength: 1 + Math.floor(chance.uniform() * 3),
    peakHour: 8 + chance.uniform() * 12,
  }))
}

function usualOf(chance: Chance): Flow['usual'] {
  return Array.from({ length: 2 }, () => ({
    cause: usualCauses[Math.floor(chance.uniform() * usualCauses.length)] ?? 'quota_exceeded',
    // From one in ten thousand to one in two hundred.
    share: 0.0001 * Math.exp(chance.uniform() * Math.log(50)),
  }))
}

/** Between 0.3 and 1.7 over the day. */
function hourFactor(atMs: EpochMs, peakHour: number): number {
  const hour = ((atMs % dayMs) / dayMs) * 24
  return 1 + 0.7 * Math.cos(((hour - peakHour) / 24) * 2 * Math.PI)
}
