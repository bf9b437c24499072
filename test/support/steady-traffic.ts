import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka as Client, logLevel, type Producer } from 'kafkajs'
import { Dice } from './dice.ts'
import { waitFor } from './process.ts'

/** What one record says, in few words, for those who count by themselves: tenant, API, cause ('' for none), event time. */
export type Said = readonly [tenant: string, api: string, cause: string, timeMs: number]

/** Name of the header that carries the list of `Said` beside each value; an empty list marks an unreadable value. */
export const saidHeader = 'said'

const tenants = ['acme', 'blue-heron', 'cedar-row', 'dune', 'ember', 'fieldnote'] as const
const apis = ['chat', 'embeddings', 'images', 'speech'] as const
const refusals = [
  { cause: 'quota_exceeded', code: 'insufficient_quota' },
  { cause: 'insufficient_funds', code: 'insufficient_balance' },
  { cause: 'payment_failed', code: 'do_not_honor' },
  { cause: 'subscription_expired', code: 'subscription_expired' },
] as const

const roundMs = 100
/** Broken values, late records and refusals: often enough to be in most ranges. */
const brokenShare = 0.004
const lateShare = 0.01
const usualRefusedShare = 0.12
const arraySize = 4

/**
 * Produces gateway records at a rate, at the present time, until it is stopped, whatever happens to the broker. Even
 * partitions get one Kong record a value, odd ones arrays of APISIX records. A send without an answer is not repeated:
 * what the topic holds in the end is the truth, and each value carries what it says in a header.
 */
export class SteadyTraffic {
  readonly #topic: string
  readonly #partitions: number
  readonly #dice: Dice
  readonly #refusedShare: number
  readonly #producer: Producer
  #rate: number
  #running: Promise<void> | null = null
  #stopped = false
  #acknowledged = 0
  #unanswered = 0

  constructor(options: {
    brokers: string
    topic: string
    partitions: number
    perSecond: number
    seed: number
    refusedShare?: number
  }) {
    this.#refusedShare = options.refusedShare ?? usualRefusedShare
    this.#topic = options.topic
    this.#partitions = options.partitions
    this.#rate = options.perSecond
    this.#dice = new Dice(options.seed)
    const client = new Client({
      clientId: 'steady-traffic',
      brokers: [options.brokers],
      logLevel: logLevel.NOTHING,
      connectionTimeout: 1_000,
      requestTimeout: 3_000,
      retry: { retries: 0 },
    })
    this.#producer = client.producer({ allowAutoTopicCreation: false })
  }

  /** Records that the broker has confirmed; it may hold more. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Sends that had no answer. */
  get unanswered(): number {
    return this.#unanswered
  }

  /** Records a second from now on. */
  set perSecond(rate: number) {
    this.#rate = rate
  }

  start(): void {
    this.#stopped = false
    this.#running ??= this.#run()
  }

  /** Resolves once nothing of it is on its way any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
    this.#running = null
    await this.#producer.disconnect().catch(() => undefined)
  }

  async #run(): Promise<void> {
    await waitFor('the producer to connect', () => this.#producer.connect().then(() => true))
    while (!this.#stopped) {
      const began = performance.now()
      await this.#send(Math.max(1, Math.round((this.#rate * roundMs) / 1000)))
      await sleep(Math.max(1, roundMs - (performance.now() - began)))
    }
  }

  async #send(records: number): Promise<void> {
    const messages = []
    for (let left = records; left > 0; ) {
      const partition = Math.floor(this.#dice.next() * this.#partitions)
      const said = this.#dice.chance(brokenShare)
        ? []
        : Array.from({ length: partition % 2 === 0 ? 1 : arraySize }, () => this.#say())
      const headers = { [saidHeader]: JSON.stringify(said) }
      messages.push({ partition, value: written(said, partition), headers })
      left -= said.length === 0 ? 1 : said.length
    }
    try {
      await this.#producer.send({ topic: this.#topic, messages, acks: -1, timeout: 2_500 })
      this.#acknowledged += messages.reduce(
        (sum, { headers }) => sum + JSON.parse(headers[saidHeader] ?? '[]').length,
        0,
      )
    } catch {
      this.#unanswered++
      await sleep(200)
      // A connection that was cut in the middle is not mended by the client without retries of its own.
      if (!this.#stopped) await this.#producer.connect().catch(() => undefined)
    }
  }

  #say(): Said {
    const dice = this.#dice
    const lateMs = dice.chance(lateShare) ? dice.between(60_000, 600_000) : dice.between(0, 3_000)
    const cause = dice.chance(this.#refusedShare) ? dice.pick(refusals).cause : ''
    return [dice.pick(tenants), dice.pick(apis), cause, Math.floor(Date.now() - lateMs)]
  }
}

function written(said: readonly Said[], partition: number): string {
  const [first] = said
  if (first === undefined) return '{"request":{"id":"cut'
  return JSON.stringify(partition % 2 === 0 ? kong(first) : said.map(apisix))
}

function response(cause: string): object {
  const code = refusals.find((one) => one.cause === cause)?.code
  if (code === undefined) return { status: 200, headers: {}, size: 12 }
  return { status: 402, headers: {}, size: 40, body: JSON.stringify({ error: { code } }) }
}

function kong([tenant, api, cause, timeMs]: Said): object {
  return {
    request: { method: 'POST', uri: `/${api}`, headers: {} },
    response: response(cause),
    latencies: { kong: 1, proxy: 8, request: 9 },
    route: { name: api },
    consumer: { username: tenant },
    started_at: timeMs,
    source: 'upstream',
  }
}

function apisix([tenant, api, cause, timeMs]: Said): object {
  return {
    request: { uri: `/${api}`, method: 'POST', headers: {} },
    response: response(cause),
    route_id: api,
    consumer: { username: tenant },
    start_time: timeMs,
    latency: 4.5,
    apisix_latency: 1.5,
    upstream: '192.0.2.7:80',
  }
}
