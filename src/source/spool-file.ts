import { createReadStream } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import type { EpochMs } from '../time/clock.ts'

const chunkBytes = 1024 * 1024

/**
 * One file of the spool: the bytes `[base, end)` of a lane. The `.commit` file beside it holds how many of them were
 * acknowledged; after a crash what lies beyond was never promised to anyone and is cut off.
 */
export class SpoolFile {
  readonly base: number
  /** When its first bytes came; null while it is empty, and for a file of an earlier run. */
  filledMs: EpochMs | null = null
  readonly #path: string
  readonly #data: FileHandle
  readonly #mark: FileHandle
  #end: number

  private constructor(path: string, base: number, open: { data: FileHandle; mark: FileHandle; length: number }) {
    this.#path = path
    this.base = base
    this.#data = open.data
    this.#mark = open.mark
    this.#end = base + open.length
  }

  /** Opens a file, or makes it; what a crash left half-made is an empty file. */
  static async open(path: string, base: number): Promise<SpoolFile> {
    const data = await openOrMake(path)
    const mark = await openOrMake(markOf(path))
    const acknowledged = Buffer.alloc(8)
    const { bytesRead } = await mark.read(acknowledged, 0, 8, 0)
    const length = bytesRead === 8 ? Number(acknowledged.readBigUInt64BE()) : 0
    await data.truncate(length)
    // The names must outlive a power cut as surely as the bytes.
    const directory = await open(dirname(path), 'r')
    await directory.sync().finally(() => directory.close())
    return new SpoolFile(path, base, { data, mark, length })
  }

  /** Offset after the last byte that was acknowledged. */
  get end(): number {
    return this.#end
  }

  get isEmpty(): boolean {
    return this.#end === this.base
  }

  /** Resolves when the bytes are on disk and will be found there. */
  async append(bytes: Buffer, now: EpochMs): Promise<void> {
    const at = this.#end - this.base
    // At its place and not at the end of the file, where a write that failed may have left some of its bytes.
    await writeAll(this.#data, bytes, at)
    await this.#data.datasync()
    const mark = Buffer.alloc(8)
    mark.writeBigUInt64BE(BigInt(at + bytes.length))
    await writeAll(this.#mark, mark, 0)
    await this.#mark.datasync()
    this.#end += bytes.length
    this.filledMs ??= now
  }

  /** The bytes from an offset to the end. */
  read(from: number): Readable {
    const span = { start: from - this.base, end: this.#end - this.base - 1 }
    return createReadStream(this.#path, { ...span, highWaterMark: chunkBytes })
  }

  async close(): Promise<void> {
    await this.#data.close().catch(() => undefined)
    await this.#mark.close().catch(() => undefined)
  }

  /** Takes it off the disk. Dying between the two leaves a mark without a file, which says nothing. */
  async remove(): Promise<void> {
    await this.close()
    await rm(this.#path, { force: true })
    await rm(markOf(this.#path), { force: true })
  }
}

/** Where the mark of a spool file is, and what its name ends with. */
export function markOf(path: string): string {
  return `${path}.commit`
}

/** Opens for reading and writing at any place; the flag that makes a missing file would write at its end alone. */
async function openOrMake(path: string): Promise<FileHandle> {
  await (await open(path, 'a')).close()
  return open(path, 'r+')
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
