import { recordBatch, seal } from './record-batch.ts'
import type { Records, Shape } from './records.ts'

/** How the time of an event begins in each layout, and how it is written. */
const timeFields: Readonly<Record<Shape, { readonly before: string; write(ms: number): string }>> = {
  kong: { before: '"started_at":', write: (ms) => String(ms) },
  flat: { before: '"time_iso8601":"', write: (ms) => new Date(ms).toISOString() },
}

/** Where the times of records stand that are one behind another in a buffer, to be given others of the same length. */
export class EventTimes {
  readonly #write: (ms: number) => string
  readonly #places: readonly number[]

  /** @throws Error when there are not as many times as records */
  constructor(shape: Shape, bytes: Buffer, records: number) {
    const { before, write } = timeFields[shape]
    this.#write = write
    this.#places = placesOf(bytes, before, records)
  }

  /**
   * @param bytes the same records, or a copy of them
   * @param timeOf the new time of a record, by its place among the others
   */
  set(bytes: Buffer, timeOf: (record: number) => number): void {
    let ms = -1
    let text = ''
    for (const [i, place] of this.#places.entries()) {
      const wanted = timeOf(i)
      if (wanted !== ms) {
        ms = wanted
        text = this.#write(ms)
      }
      bytes.write(text, place, 'latin1')
    }
  }
}

/**
 * An uncompressed batch whose records can be given other times in place: traffic of any length, at any rate, made of a
 * few records. Their own times must be as long as those that take their place.
 */
export class BatchTemplate {
  readonly records: number
  readonly #bytes: Buffer
  readonly #times: EventTimes

  constructor(shape: Shape, values: readonly Buffer[]) {
    this.records = values.length
    this.#bytes = recordBatch({ values, timesMs: values.map(() => 0), base: 0, codec: 'none' })
    this.#times = new EventTimes(shape, this.#bytes, values.length)
  }

  /**
   * The batch with times from `fromMs` on, evenly over `spanMs`. It is valid until the next call.
   *
   * @param spanMs how much event time passes within it
   */
  at(fromMs: number, spanMs: number): Buffer {
    this.#times.set(this.#bytes, (i) => Math.floor(fromMs + (i * spanMs) / this.records))
    seal(this.#bytes, { base: 0, firstMs: Math.floor(fromMs + spanMs), lastMs: Math.floor(fromMs + spanMs) })
    return this.#bytes
  }
}

function placesOf(bytes: Buffer, before: string, count: number): readonly number[] {
  const places: number[] = []
  for (let at = bytes.indexOf(before); at >= 0; at = bytes.indexOf(before, at + 1)) places.push(at + before.length)
  if (places.length !== count) throw new Error(`${places.length} times in ${count} records`)
  return places
}

/** Cuts records into templates of `size` records. */
export function templatesOf({ shape, values }: Records, size: number): readonly BatchTemplate[] {
  const templates: BatchTemplate[] = []
  for (let from = 0; from + size <= values.length; from += size) {
    templates.push(new BatchTemplate(shape, values.slice(from, from + size)))
  }
  return templates
}
