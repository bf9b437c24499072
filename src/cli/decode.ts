import { createReadStream } from 'node:fs'
import type { ClassifyOptions } from '../classify/options.ts'
import { createDecoder } from '../decode/create.ts'
import { formatNames } from '../decode/decode.ts'
import type { DecodeOptions } from '../decode/options.ts'
import { Fault } from '../fault/fault.ts'
import { linesOf } from './decode-lines.ts'
import { type Report, RowReport } from './decode-report.ts'
import { StoryReport } from './decode-stories.ts'
import { Tally } from './decode-tally.ts'
import { PatientOutput } from './patient-output.ts'

export interface DecodeArgs {
  /** Empty, or `-`, is the standard input. */
  readonly files: readonly string[]
  readonly format: string
  /** Whether an unreadable line makes the exit code 1. */
  readonly strict: boolean
  /** Whether the summary on stderr is JSON, and with `explain` the explanations. */
  readonly json?: boolean
  /** Whether to say how each record was read. */
  readonly explain?: boolean
  readonly options: DecodeOptions
  readonly classify: ClassifyOptions
}

export interface DecodeStreams {
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

/**
 * `tollwatch decode`: reads one Kafka message value per line and prints one JSON object per access record, in order, or
 * how the records were read. Lines are numbered from 1 in each file. Messages that are no access records are only
 * counted.
 *
 * @returns the exit code: 0, or 1 with `strict` if any line could not be read
 * @throws Fault `argument-invalid` for a format that does not exist, `file-unreadable`
 */
export async function decodeCommand(args: DecodeArgs, io: DecodeStreams): Promise<number> {
  const options = { ...args.options, format: formatOf(args.format) }
  const out = new PatientOutput(io.stdout)
  const tally = new Tally()
  const report = reportOf(args, options, tally)
  const files = args.files.length === 0 ? ['-'] : args.files
  try {
    for (const file of files) {
      await decodeFile(file, { options, report, tally, out, stdin: io.stdin, named: files.length > 1 })
      // Nobody reads on (`| head`): there is no use in going on, and it is no error.
      if (out.closed) return 0
    }
    await out.write(report.end())
    await out.flush()
    if (!out.closed) io.stderr.write(args.json === true ? `${JSON.stringify(tally.summary())}\n` : tally.text())
    return args.strict && tally.unreadable > 0 ? 1 : 0
  } finally {
    out.release()
  }
}

const pieceChars = 64 * 1024

interface Reading {
  readonly options: DecodeOptions
  readonly report: Report
  readonly tally: Tally
  readonly out: PatientOutput
  readonly stdin: NodeJS.ReadableStream
  /** Whether places name the file. */
  readonly named: boolean
}

async function decodeFile(file: string, { options, report, tally, out, stdin, named }: Reading): Promise<void> {
  // Each file is a lane: it has a decoder of its own.
  const decoder = createDecoder(options)
  const chunks = file === '-' ? stdin : createReadStream(file, { highWaterMark: 256 * 1024 })
  let line = 0
  for await (const value of linesOf(chunks, options.max_value_bytes, file)) {
    line++
    tally.lines++
    const place = named ? `${file}:${line}` : String(line)
    let text = ''
    for (const decoded of decoder.decode(value)) {
      tally.add(decoded)
      text += report.entry({ line, place, decoded, layout: decoder.layout })
      if (text.length > pieceChars) {
        await out.write(text)
        text = ''
      }
    }
    if (text !== '') await out.write(text)
    if (out.closed) return
  }
}

function reportOf({ explain, json, classify }: DecodeArgs, { format }: DecodeOptions, tally: Tally): Report {
  if (explain !== true) return new RowReport(classify, tally, null)
  const choice = format === 'auto' ? 'recognised' : 'set'
  return json === true ? new RowReport(classify, tally, choice) : new StoryReport(classify, tally, choice)
}

function formatOf(name: string): DecodeOptions['format'] {
  const known = (['auto', ...formatNames] as const).find((format) => format === name)
  if (known !== undefined) return known
  const message = `there is no format "${name.slice(0, 40)}"; there are auto, ${formatNames.join(', ')}`
  throw new Fault('argument-invalid', message, { retryable: false })
}
