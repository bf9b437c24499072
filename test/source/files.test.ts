import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { FileSource } from '../../src/source/file.ts'
import type { FileBook } from '../../src/source/file-identity.ts'
import { LineCutter } from '../../src/source/lines.ts'
import type { Batch, BatchConsumer, Lane } from '../../src/source/source.ts'
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
    for (const value of batch.values) this.lines.push(Buffer.from(value.bytes ?? []).toString())
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

describe('LineCutter', () => {
  test('gives every line once with its offset, however the bytes are cut', () => {
    const line = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, ' '))
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''))
        const cutter = new LineCutter(0, 1_000)
        const values = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] ?? 1
          values.push(...cutter.push(bytes.subarray(at, at + size)))
          at += size
        }
        values.push(...cutter.end())
        expect(values.map(({ bytes: value }) => Buffer.from(value ?? []).toString())).toEqual(
          lines.filter((text) => text !== ''),
        )
        expect(cutter.position).toBe(bytes.length)
        for (const { offset, bytes: value } of values) {
          expect(bytes.subarray(offset, offset + (value?.length ?? 0)).equals(Buffer.from(value ?? []))).toBe(true)
        }
      }),
    )
  })

  test('keeps only the beginning of an endless line and its full length in the offsets', () => {
    const cutter = new LineCutter(0, 10)
    expect(cutter.push(Buffer.from('a'.repeat(50)))).toEqual([])
    const values = cutter.push(Buffer.from('a\nb\n'))
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
