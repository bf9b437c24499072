import { setTimeout as sleep } from 'node:timers/promises'
import { BatchProducer } from './producer.ts'
import { makeRecords, type Shape } from './records.ts'
import { type BatchTemplate, templatesOf } from './template.ts'
import { partitions } from './topic.ts'

const stepMs = 10
const batchRecords = 250
const poolBatches = 80
const seed = 403
/** A pace that fell behind does not make up for more than this. */
const longestDebtMs = 200

/** Traffic of now at a steady rate, spread over all partitions. */
export class Pace {
  sent = 0
  readonly #shape: Shape
  readonly #producer: BatchProducer
  readonly #templates: readonly BatchTemplate[]
  readonly #perMs: number
  #running: Promise<void> = Promise.resolve()
  #isStopped = false

  private constructor(shape: Shape, producer: BatchProducer, perSecond: number) {
    this.#shape = shape
    this.#producer = producer
    this.#perMs = perSecond / 1_000
    this.#templates = templatesOf(
      makeRecords({ shape, count: poolBatches * batchRecords, seed, startMs: Date.now() }),
      batchRecords,
    )
  }

  static async start(one: { shape: Shape; brokers: string; topic: string; perSecond: number }): Promise<Pace> {
    const pace = new Pace(one.shape, await BatchProducer.open(one.brokers, one.topic), one.perSecond)
    pace.#running = pace.#run()
    // Whoever stops it hears of it.
    pace.#running.catch(() => undefined)
    return pace
  }

  /** Sends one record of this tenant now, on the same connection. */
  async probe(tenant: string): Promise<void> {
    const callers = () => ({ tenant, route: 'orders-v1-probe' })
    const [template] = templatesOf(makeRecords({ shape: this.#shape, count: 1, seed, startMs: Date.now(), callers }), 1)
    if (template === undefined) throw new Error('one record was just made')
    await this.#producer.send([{ partition: 0, batch: template.at(Date.now(), 0) }])
  }

  /** @throws Error when the broker refused something */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
    await this.#producer.flushed()
    this.#producer.close()
  }

  async #run(): Promise<void> {
    let next = 0
    let startedMs = performance.now()
    let done = 0
    while (!this.#isStopped) {
      const debtMs = performance.now() - startedMs - done / this.#perMs
      if (debtMs > longestDebtMs) startedMs += debtMs - longestDebtMs
      const owed = (performance.now() - startedMs) * this.#perMs - done
      const batches = Math.floor(owed / batchRecords)
      for (let left = batches; left > 0; left -= partitions) {
        const loads = Array.from({ length: Math.min(left, partitions) }, () => {
          const template = this.#templates[next % this.#templates.length] as BatchTemplate
          return { partition: next++ % partitions, batch: template.at(Date.now(), 0) }
        })
        await this.#producer.send(loads)
      }
      this.sent += batches * batchRecords
      done += batches * batchRecords
      await sleep(stepMs)
    }
  }
}
