import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { isUnreadable, partsOf } from '../../src/history/batch-parts.ts'
import { FileSource } from '../../src/source/file.ts'
import type { FileBook } from '../../src/source/file-identity.ts'
import { LineCutter } from '../../src/source/lines.ts'
import type { Batch, BatchConsumer, Lane, RawValue } from '../../src/source/source.ts'
import { systemClock } from '../../src/time/clock.ts'
import { waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'

/** A pipeline that remembers positions as the ledger does and keeps every line it was given. */
class Ledger {
  readonly positions = new Map<string, number>()
  readonly lines: string[] = []
  readonly ended: string[] = []

  consumer = (): BatchConsumer => ({
    assigned: async (lanes) => lanes.map((lane) => this.positions.get(lane.source) ?? lane.initial),
    take: async (lane, batch) => this.#take(lane, batch),
    lost: async () => {},
    ended: async (lane) => void this.ended.push(lane.source),
  })

  #take(lane: Lane, batch: Batch): void {
    expect(batch.lo).toBe(this.positions.get(lane.source) ?? lane.initial)
    this.positions.set(lane.source, batch.hi + 1)
    for (const { bytes } of linesOf([batch])) this.lines.push(Buffer.from(bytes ?? []).toString())
  }
}

class Book implements FileBook {
  readonly identities = new Map<string, number>()
  known = async () => this.identities
  remember = async (identity: string, length: number) => void this.identities.set(identity, length)
}

function files(paths: readonly string[], follow: boolean, book: Book): FileSource {
  return new FileSource({ paths, follow, keepBytes: 1_000, book, clock: systemClock, log: silentLog })
}

/** All lines of some batches, which follow each other without a gap. */
function linesOf(batches: readonly Batch[]): RawValue[] {
  for (const [i, { lo }] of batches.entries()) if (i > 0) expect(lo).toBe((batches[i - 1]?.hi ?? 0) + 1)
  return batches.flatMap((batch) =>
    [...partsOf(batch)].map((part) => {
      if (isUnreadable(part)) throw new Error(part.reason)
      const isInside = part.offset >= batch.lo && part.offset + (part.bytes?.length ?? 0) <= batch.hi + 1
      if (!isInside) throw new Error(`the line at ${part.offset} does not lie in its batch`)
      return part
    }),
  )
}

/** What lines are, with the whole input at hand. */
function slowLines(input: Buffer, keepBytes: number): [number, string][] {
  const lines: [number, string][] = []
  for (let at = 0; at < input.length; ) {
    const end = input.indexOf(10, at)
    const kept = input.subarray(at, end < 0 ? input.length : end).subarray(0, keepBytes)
    const line = kept.at(-1) === 13 ? kept.subarray(0, -1) : kept
    if (line.length > 0) lines.push([at, line.toString('latin1')])
    at = end < 0 ? input.length : end + 1
  }
  return lines
}

describe('LineCutter', () => {
  test('gives the same lines at the same offsets, whatever the bytes are and however they are cut', () => {
    const byte = fc.constantFrom(10, 10, 13, 97, 98, 0, 255)
    const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })
    fc.assert(
      fc.property(
        fc.array(byte, { maxLength: 80 }),
        cuts,
        fc.integer({ min: 1, max: 12 }),
        (bytes, sizes, keepBytes) => {
          const input = Buffer.from(bytes)
          const cutter = new LineCutter(1_000, keepBytes)
          const batches: Batch[] = []
          for (let at = 0, i = 0; at < input.length; i++) {
            const size = sizes[i % sizes.length] ?? 1
            batches.push(...cutter.push(input.subarray(at, at + size)))
            at += size
            // Exactly what ends with a newline has been handed out.
            expect(cutter.position).toBe(1_000 + input.subarray(0, at).lastIndexOf(10) + 1)
            expect((batches.at(-1)?.hi ?? 999) + 1).toBe(cutter.position)
          }
          batches.push(...cutter.end())
          expect(cutter.position).toBe(1_000 + input.length)
          const found = linesOf(batches).map(({ offset, bytes: line }) => [
            offset - 1_000,
            Buffer.from(line ?? []).toString('latin1'),
          ])
          expect(found).toEqual(slowLines(input, keepBytes))
        },
      ),
      { numRuns: 400 },
    )
  })

  test('hands over complete lines as they lie in the chunk, and copies only the one that was begun before', () => {
    const cutter = new LineCutter(0, 1_000)
    expect(cutter.push(Buffer.from('one\ntw'))).toHaveLength(1)
    const chunk = Buffer.from('o\nthree\r\n\nfour\nfi')
    const [batch, ...more] = cutter.push(chunk)
    expect(more).toEqual([])
    const [second, rest] = batch?.packed ?? []
    expect([batch?.lo, batch?.hi, batch?.values]).toEqual([4, 20, []])
    expect(second).toEqual({ bytes: Buffer.from('two\n'), framing: { kind: 'lines', offset: 4 } })
    expect(rest).toEqual({ bytes: Buffer.from('three\r\n\nfour\n'), framing: { kind: 'lines', offset: 8 } })
    expect(rest?.bytes.buffer).toBe(chunk.buffer)
  })

  test('keeps only the beginning of an endless line and its full length in the offsets', () => {
    const cutter = new LineCutter(0, 10)
    expect(cutter.push(Buffer.from('a'.repeat(50)))).toEqual([])
    const values = linesOf(cutter.push(Buffer.from('a\nb\n')))
    expect(values.map(({ offset, bytes }) => [offset, bytes?.length])).toEqual([
      [0, 10],
      [52, 1],
    ])
  })
})

describe('FileSource', () => {
  test('reads a file once, and only what was added the next time', async () => {
    const path = join(tempDir('file'), 'a.log')
    const book = new Book()
    const ledger = new Ledger()
    const read = async () => {
      const source = files([path], false, book)
      await source.start(ledger.consumer)
      await source.finished()
    }
    writeFileSync(path, 'one\ntwo\n')
    await read()
    await read()
    appendFileSync(path, 'three')
    await read()
    expect(ledger.lines).toEqual(['one', 'two', 'three'])
  })

  test('knows a renamed file again and tells two files with a common beginning apart', async () => {
    const dir = tempDir('file')
    const book = new Book()
    const ledger = new Ledger()
    const read = async (name: string) => {
      const source = files([join(dir, name)], false, book)
      await source.start(ledger.consumer)
      await source.finished()
    }
    writeFileSync(join(dir, 'a.log'), 'same\nfirst\n')
    writeFileSync(join(dir, 'b.log'), 'same\nsecond\n')
    await read('a.log')
    await read('b.log')
    renameSync(join(dir, 'a.log'), join(dir, 'a.log.1'))
    await read('a.log.1')
    expect(ledger.lines).toEqual(['same', 'first', 'same', 'second'])
  })

  test('reads compressed files and goes on in them by unpacked bytes', async () => {
    const path = join(tempDir('file'), 'a.log.gz')
    const book = new Book()
    const ledger = new Ledger()
    const text = Array.from({ length: 5_000 }, (_, i) => `line ${i}`)
    writeFileSync(path, gzipSync(`${text.join('\n')}\n`))
    const source = files([path], false, book)
    await source.start(ledger.consumer)
    await source.finished()
    expect(ledger.lines).toEqual(text)
    const identity = [...ledger.positions.keys()][0] ?? ''
    ledger.positions.set(identity, Buffer.byteLength(`${text.slice(0, 4_990).join('\n')}\n`))
    const again = files([path], false, book)
    await again.start(ledger.consumer)
    await again.finished()
    expect(ledger.lines.slice(5_000)).toEqual(text.slice(4_990))
  })

  test('reads a file of many chunks and a line of several, and goes on in the middle of it', async () => {
    const path = join(tempDir('file'), 'a.log')
    const book = new Book()
    const ledger = new Ledger()
    const text = Array.from({ length: 30_000 }, (_, i) => `a line with the number ${i} and some words behind it`)
    text.splice(20_000, 0, 'x'.repeat(2_500_000))
    writeFileSync(path, `${text.join('\n')}\n`)
    const source = files([path], false, book)
    await source.start(ledger.consumer)
    await source.finished()
    const kept = text.map((line) => line.slice(0, 1_000))
    expect(ledger.lines).toEqual(kept)
    const identity = [...ledger.positions.keys()][0] ?? ''
    ledger.positions.set(identity, Buffer.byteLength(`${text.slice(0, 25_000).join('\n')}\n`))
    const again = files([path], false, book)
    await again.start(ledger.consumer)
    await again.finished()
    expect(ledger.lines.slice(text.length)).toEqual(kept.slice(25_000))
  })

  test('follows a file through growth, half lines and rotation', async () => {
    const path = join(tempDir('file'), 'a.log')
    const ledger = new Ledger()
    const source = files([path], true, new Book())
    await source.start(ledger.consumer)
    writeFileSync(path, 'one\nha')
    await waitFor('the first line', () => ledger.lines.length === 1)
    appendFileSync(path, 'lf\n')
    await waitFor('the second line', () => ledger.lines.length === 2)
    renameSync(path, `${path}.1`)
    writeFileSync(path, 'after rotation\n')
    await waitFor('the new file', () => ledger.lines.length === 3)
    await source.stop()
    expect(ledger.lines).toEqual(['one', 'half', 'after rotation'])
    expect(ledger.ended).toHaveLength(1)
  })

  test('names a file that is not there', async () => {
    await expect(files(['/nowhere/a.log'], false, new Book()).start(new Ledger().consumer)).rejects.toMatchObject({
      code: 'file-unreadable',
    })
  })
})
