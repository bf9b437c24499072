import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Timed } from './feed.ts'
import { makeRecords, type Shape } from './records.ts'
import { EventTimes } from './template.ts'

const newline = 10
/** Another time takes its place before anything is measured; it only has to be as long. */
const madeMs = Date.UTC(2026, 10, 21, 12, 0, 0)
const seed = 402

/** Sets of records on disk, a file each: made once, as that is slow, and read by every process that counts them. */
export interface RecordSets {
  readonly shape: Shape
  /** Records of each set. */
  readonly size: number
  readonly bytesPerRecord: number
  readonly sets: readonly { readonly path: string; readonly refused: number }[]
}

/** Part of an endless run of records: the sets follow one another again and again, each time with later event times. */
export interface Stretch {
  /** Sets that came before it. */
  readonly from: number
  readonly sets: number
}

export function makeSets(one: { shape: Shape; directory: string; sets: number; size: number }): RecordSets {
  const { shape, size, directory } = one
  let bytes = 0
  const sets = Array.from({ length: one.sets }, (_, i) => {
    const path = join(directory, `set-${i}.ndjson`)
    const records = makeRecords({ shape, count: size, seed: seed + i, startMs: madeMs })
    writeFileSync(path, records.values.join('\n'))
    bytes += records.bytes
    return { path, refused: records.refused }
  })
  return { shape, size, bytesPerRecord: bytes / (size * one.sets), sets }
}

/** What there is to know about a set, whatever its times are. */
interface Layout {
  readonly times: EventTimes
  /** Where each record ends. */
  readonly ends: readonly number[]
}

/** Reads stretches and moves their event time on. */
export class SetReader {
  readonly #records: RecordSets
  readonly #startMs: number
  readonly #density: number
  readonly #layouts = new Map<string, Layout>()

  /**
   * @param startMs event time of the first record of all
   * @param density how many records share a second of event time
   */
  constructor(records: RecordSets, { startMs, density }: { startMs: number; density: number }) {
    this.#records = records
    this.#startMs = startMs
    this.#density = density
  }

  read({ from, sets: wanted }: Stretch): Timed & { readonly refused: number } {
    const { size, sets } = this.#records
    const values: Buffer[] = []
    const timesMs: number[] = []
    let refused = 0
    for (let set = from; set < from + wanted; set++) {
      const stored = sets[set % sets.length]
      if (stored === undefined) throw new Error('there are no records')
      const bytes = readFileSync(stored.path)
      const { times, ends } = this.#layout(stored.path, bytes)
      const timeOf = (i: number): number => this.#startMs + Math.floor(((set * size + i) * 1_000) / this.#density)
      times.set(bytes, timeOf)
      let begin = 0
      for (const [i, end] of ends.entries()) {
        values.push(bytes.subarray(begin, end))
        timesMs.push(timeOf(i))
        begin = end + 1
      }
      refused += stored.refused
    }
    return { values, timesMs, refused }
  }

  #layout(path: string, bytes: Buffer): Layout {
    const known = this.#layouts.get(path)
    if (known !== undefined) return known
    const { shape, size } = this.#records
    const ends: number[] = []
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) ends.push(at)
    const layout = { times: new EventTimes(shape, bytes, size), ends: [...ends, bytes.length] }
    this.#layouts.set(path, layout)
    return layout
  }
}
