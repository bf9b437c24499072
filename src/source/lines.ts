import type { RawValue } from './source.ts'

const newline = 0x0a
const carriageReturn = 0x0d

/**
 * Cuts a stream of bytes into lines with the byte offset of each, blank lines left out. A line longer than
 * `keepBytes` is cut there, so that one endless line cannot take the memory; what is left says that it is too long.
 */
export class LineCutter {
  /** Offset after the last complete line: everything below it has been handed out. */
  position: number
  readonly #keepBytes: number
  #rest: Buffer[] = []
  #restBytes = 0
  #keptBytes = 0

  constructor(position: number, keepBytes: number) {
    this.position = position
    this.#keepBytes = keepBytes
  }

  /** Bytes of a line that has not ended yet. */
  get pendingBytes(): number {
    return this.#restBytes
  }

  push(chunk: Buffer): RawValue[] {
    const values: RawValue[] = []
    let from = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      this.#keep(chunk.subarray(from, end))
      this.#finish(values, 1)
      from = end + 1
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from))
    return values
  }

  /** The last line when the input ends without a newline. */
  end(): RawValue[] {
    const values: RawValue[] = []
    if (this.#restBytes > 0) this.#finish(values, 0)
    return values
  }

  #keep(part: Buffer): void {
    this.#restBytes += part.length
    const room = this.#keepBytes - this.#keptBytes
    if (room <= 0) return
    const kept = part.subarray(0, room)
    this.#rest.push(kept)
    this.#keptBytes += kept.length
  }

  #finish(values: RawValue[], terminatorBytes: number): void {
    let line = this.#rest.length === 1 ? (this.#rest[0] as Buffer) : Buffer.concat(this.#rest)
    if (line.at(-1) === carriageReturn) line = line.subarray(0, -1)
    if (line.length > 0) values.push({ offset: this.position, bytes: line, arrivedMs: null })
    this.position += this.#restBytes + terminatorBytes
    this.#rest = []
    this.#restBytes = 0
    this.#keptBytes = 0
  }
}
