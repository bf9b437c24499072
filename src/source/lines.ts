import type { Batch, Packed, RawValue } from './source.ts'

const newline = 0x0a
const carriageReturn = 0x0d

/**
 * Cuts a stream of bytes into batches of complete lines, which stay as they came: only a line that began in an earlier
 * chunk is copied together. A line longer than `keepBytes` is cut there and becomes a batch of its own, so that one endless
 * line cannot take the memory; what is left says that it is too long.
 *
 * An offset is that of a line's first byte. Batches follow each other without a gap and end where a line ends.
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

  push(chunk: Buffer): readonly Batch[] {
    const cut = chunk.lastIndexOf(newline) + 1
    const out = new Batches(this.position)
    if (cut > 0) {
      const from = this.#restBytes === 0 ? 0 : this.#finish(out, chunk)
      this.#cutLines(out, chunk.subarray(from, cut))
      this.position = out.position
    }
    if (cut < chunk.length) this.#keep(chunk.subarray(cut))
    return out.all()
  }

  /** The last line when the input ends without a newline. */
  end(): readonly Batch[] {
    const out = new Batches(this.position)
    if (this.#restBytes > 0) this.#value(out, Buffer.concat(this.#rest), this.#restBytes)
    this.position = out.position
    this.#forget()
    return out.all()
  }

  /** Ends the line that began in an earlier chunk, and gives where the next one begins. */
  #finish(out: Batches, chunk: Buffer): number {
    const end = chunk.indexOf(newline)
    const isTooLong = this.#restBytes + end > this.#keepBytes
    this.#keep(chunk.subarray(0, isTooLong ? end : end + 1))
    const line = Buffer.concat(this.#rest)
    if (isTooLong) this.#value(out, line, this.#restBytes + 1)
    else out.lines(line)
    this.#forget()
    return end + 1
  }

  /** Lines that are all complete. */
  #cutLines(out: Batches, bytes: Buffer): void {
    let from = 0
    for (let at = 0; at < bytes.length; ) {
      // None of the lines that end within reach of here is longer than that.
      const reach = at + this.#keepBytes
      const end = reach >= bytes.length ? bytes.length - 1 : bytes.lastIndexOf(newline, reach)
      if (end >= at) {
        at = end + 1
        continue
      }
      if (at > from) out.lines(bytes.subarray(from, at))
      const next = bytes.indexOf(newline, at) + 1
      this.#value(out, bytes.subarray(at, reach), next - at)
      from = next
      at = next
    }
    if (from < bytes.length) out.lines(bytes.subarray(from))
  }

  /** A line by itself, without what ends it. */
  #value(out: Batches, line: Buffer, bytes: number): void {
    const kept = line.subarray(0, this.#keepBytes)
    out.value(kept.at(-1) === carriageReturn ? kept.subarray(0, -1) : kept, bytes)
  }

  #keep(part: Buffer): void {
    this.#restBytes += part.length
    // One more than is kept: the newline of a line that is just short enough.
    const kept = part.subarray(0, Math.max(0, this.#keepBytes + 1 - this.#keptBytes))
    if (kept.length > 0) this.#rest.push(kept)
    this.#keptBytes += kept.length
  }

  #forget(): void {
    this.#rest = []
    this.#restBytes = 0
    this.#keptBytes = 0
  }
}

/** Batches in the making, one behind the other. */
class Batches {
  /** Offset after all that was added. */
  position: number
  readonly #done: Batch[] = []
  #lo: number
  #packed: Packed[] = []

  constructor(position: number) {
    this.position = position
    this.#lo = position
  }

  lines(bytes: Buffer): void {
    this.#packed.push({ bytes, framing: { kind: 'lines', offset: this.position } })
    this.position += bytes.length
  }

  /** @param bytes what the line takes in the input */
  value(line: Buffer, bytes: number): void {
    this.#close()
    const value: RawValue = { offset: this.position, bytes: line, arrivedMs: null }
    this.#lo = this.position + bytes
    this.#done.push({ lo: this.position, hi: this.#lo - 1, values: line.length === 0 ? [] : [value] })
    this.position = this.#lo
  }

  all(): readonly Batch[] {
    this.#close()
    return this.#done
  }

  #close(): void {
    if (this.#packed.length > 0) {
      this.#done.push({ lo: this.#lo, hi: this.position - 1, values: [], packed: this.#packed })
    }
    this.#packed = []
    this.#lo = this.position
  }
}
