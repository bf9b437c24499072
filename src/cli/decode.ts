import { createReadStream } from 'node:fs'
import type { Cause } from '../classify/cause.ts'
import { causeOf } from '../classify/classify.ts'
import type { ClassifyOptions } from '../classify/options.ts'
import { createDecoder } from '../decode/create.ts'
import { type AccessRecord, type Decoded, type DecodeFailure, formatNames } from '../decode/decode.ts'
import type { DecodeOptions } from '../decode/options.ts'
import { Fault, messageOf } from '../fault/fault.ts'
import { formatInstant } from '../time/instant.ts'

export interface DecodeArgs {
  /** Empty, or `-`, is the standard input. */
  readonly files: readonly string[]
  readonly format: string
  /** Whether an unreadable line makes the exit code 1. */
  readonly strict: boolean
  /** Whether the summary on stderr is JSON. */
  readonly json?: boolean
  readonly options: DecodeOptions
  readonly classify: ClassifyOptions
}

export interface DecodeStreams {
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

/**
 * `tollwatch decode`: reads one Kafka message value per line and prints one JSON object per access record, in order.
 * Lines are numbered from 1 in each file. Messages that are no access records are only counted.
 *
 * @returns the exit code: 0, or 1 with `strict` if any line could not be read
 * @throws Fault `argument-invalid` for a format that does not exist, `file-unreadable`
 */
export async function decodeCommand(args: DecodeArgs, io: DecodeStreams): Promise<number> {
  const options = { ...args.options, format: formatOf(args.format) }
  const out = new Output(io.stdout)
  const tally = new Tally()
  const files = args.files.length === 0 ? ['-'] : args.files
  try {
    for (const file of files) {
      // Each file is a lane: it has a decoder of its own.
      const decoder = createDecoder(options)
      const chunks = file === '-' ? io.stdin : createReadStream(file, { highWaterMark: 256 * 1024 })
      let line = 0
      for await (const value of linesOf(chunks, options.max_value_bytes, file)) {
        line++
        tally.lines++
        let text = ''
        for (const decoded of decoder.decode(value)) {
          tally.add(decoded)
          if (decoded.kind === 'record') text += recordLine(line, decoded.record, args.classify, tally)
          else if (decoded.kind === 'unreadable') {
            text += `${JSON.stringify({ line, error: decoded.failure, message: decoded.message })}\n`
          }
          if (text.length > pieceChars) {
            await out.write(text)
            text = ''
          }
        }
        if (text !== '') await out.write(text)
        // Nobody reads on (`| head`): there is no use in going on, and it is no error.
        if (out.closed) return 0
      }
    }
    await out.flush()
    if (!out.closed) io.stderr.write(args.json === true ? `${JSON.stringify(tally.summary())}\n` : tally.text())
    return args.strict && tally.unreadable > 0 ? 1 : 0
  } finally {
    out.release()
  }
}

const pieceChars = 64 * 1024

function formatOf(name: string): DecodeOptions['format'] {
  const known = (['auto', ...formatNames] as const).find((format) => format === name)
  if (known !== undefined) return known
  const message = `there is no format "${name.slice(0, 40)}"; there are auto, ${formatNames.join(', ')}`
  throw new Fault('argument-invalid', message, { retryable: false })
}

function recordLine(line: number, record: AccessRecord, classify: ClassifyOptions, tally: Tally): string {
  const verdict = record.status === 402 ? causeOf(record, classify.rules) : null
  if (verdict !== null) tally.refused(verdict.cause)
  const row = {
    line,
    time: record.timeMs === null ? null : formatInstant(record.timeMs),
    status: record.status,
    tenant: record.tenant,
    api: record.api,
    cause: verdict?.cause ?? null,
    cause_code: verdict?.code ?? null,
    cause_source: verdict?.source ?? null,
    latency_ms: record.latencyMs,
    request_id: record.requestId,
    format: record.format,
  }
  return `${JSON.stringify(row)}\n`
}

/**
 * The lines of a byte stream without their line ends, as bytes: the decoder itself must see what is no UTF-8. A line
 * beyond the limit is cut one byte past it, enough for the decoder to refuse it and for memory to stay bounded.
 */
async function* linesOf(chunks: AsyncIterable<unknown>, limit: number, file: string): AsyncGenerator<Uint8Array> {
  const pending = new PendingLine(limit)
  for await (const chunk of readable(chunks, file)) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield pending.end(chunk.subarray(start, end))
      start = end + 1
    }
    if (start < chunk.length) pending.add(chunk.subarray(start))
  }
  if (pending.length > 0) yield pending.end(new Uint8Array(0))
}

async function* readable(chunks: AsyncIterable<unknown>, file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer)
  } catch (error) {
    const name = file === '-' ? 'the standard input' : file
    throw new Fault('file-unreadable', `${name} cannot be read: ${messageOf(error)}`, {
      retryable: false,
      cause: error,
    })
  }
}

class PendingLine {
  readonly #limit: number
  #pieces: Uint8Array[] = []
  length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(piece: Uint8Array): void {
    const room = this.#limit + 2 - this.length
    if (room <= 0) return
    const kept = piece.length > room ? piece.subarray(0, room) : piece
    this.#pieces.push(kept)
    this.length += kept.length
  }

  end(last: Uint8Array): Uint8Array {
    if (this.length > 0) {
      this.add(last)
      last = Buffer.concat(this.#pieces, this.length)
      this.#pieces = []
      this.length = 0
    }
    return last.at(-1) === 13 ? last.subarray(0, -1) : last
  }
}

/** Writes with back-pressure; a reader that went away (EPIPE) closes it instead of failing. */
class Output {
  closed = false
  readonly #stream: NodeJS.WritableStream
  #failure: Error | null = null
  #wake: (() => void) | null = null

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream
    stream.on('error', this.#onError)
    stream.on('drain', this.#onDrain)
    stream.on('close', this.#onClose)
  }

  async write(text: string): Promise<void> {
    if (this.closed) return
    if (!this.#stream.write(text)) await this.#drained()
    this.#check()
  }

  /** Resolves once all that was written has been handed on, so that the caller may exit. */
  async flush(): Promise<void> {
    if (this.closed) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#stream.write('', () => resolve())
    })
    this.#check()
  }

  release(): void {
    this.#stream.off('drain', this.#onDrain)
    this.#stream.off('close', this.#onClose)
    // The error listener stays when the reader is gone: a late EPIPE must not end the process.
    if (!this.closed) this.#stream.off('error', this.#onError)
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed || this.#failure !== null) resolve()
      else this.#wake = resolve
    })
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure
  }

  readonly #onDrain = (): void => {
    this.#wake?.()
    this.#wake = null
  }

  readonly #onClose = (): void => {
    this.closed = true
    this.#onDrain()
  }

  readonly #onError = (error: Error & { code?: string }): void => {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') this.closed = true
    else this.#failure = error
    this.#onDrain()
  }
}

class Tally {
  lines = 0
  unreadable = 0
  #records = 0
  #skipped = 0
  readonly #failures = new Map<DecodeFailure, number>()
  readonly #causes = new Map<Cause, number>()

  add(decoded: Decoded): void {
    if (decoded.kind === 'record') this.#records++
    else if (decoded.kind === 'skipped') this.#skipped++
    else {
      this.unreadable++
      this.#failures.set(decoded.failure, (this.#failures.get(decoded.failure) ?? 0) + 1)
    }
  }

  refused(cause: Cause): void {
    this.#causes.set(cause, (this.#causes.get(cause) ?? 0) + 1)
  }

  summary(): Record<string, unknown> {
    return {
      lines: this.lines,
      records: this.#records,
      payment_required: sum(this.#causes),
      causes: Object.fromEntries(this.#causes),
      skipped: this.#skipped,
      unreadable: this.unreadable,
      failures: Object.fromEntries(this.#failures),
    }
  }

  text(): string {
    return (
      `${plural(this.lines, 'line')}: ${plural(this.#records, 'record')}, ` +
      `${sum(this.#causes)} of them 402${listed(this.#causes)}, ` +
      `${this.#skipped} skipped, ${this.unreadable} unreadable${listed(this.#failures)}\n`
    )
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0
  for (const count of counts.values()) total += count
  return total
}

function listed(counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return ''
  return ` (${[...counts].map(([name, count]) => `${name} ${count}`).join(', ')})`
}
