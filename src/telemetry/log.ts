import { pino } from 'pino'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import { formatInstant } from '../time/instant.ts'
import { prettyLine } from './pretty.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const

export type LogLevel = (typeof logLevels)[number]

/** Takes whole lines that end in a newline. */
export interface LogOutput {
  write(line: string): void
}

/** Field names whose values are never written, at the top and one level down. */
const secretFields = ['token', 'password', 'secret', 'authorization', 'cookie', 'webhook_url', 'url_token', 'sasl']

/**
 * The daemon's log on stderr: one JSON object a line, or one short line for people where stderr is a terminal.
 * Stdout stays free for what commands print.
 *
 * @param options `output` and `pretty` replace stderr and the look at the terminal
 */
export function createLog(options: {
  readonly level: LogLevel
  readonly clock: Clock
  readonly output?: LogOutput
  readonly pretty?: boolean
}): Log {
  const pretty = options.pretty ?? (options.output === undefined && process.stderr.isTTY === true)
  // Written synchronously, so that the lines about a crash are not lost with the process.
  const output = options.output ?? pino.destination({ fd: 2, sync: true })
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${formatInstant(options.clock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    },
    pretty ? { write: (line: string) => output.write(prettyLine(line)) } : output,
  )
  const write = (level: LogLevel) => (message: string, fields?: Record<string, unknown>) => {
    logger[level](plainFields(fields), mask(message))
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** Fields as they may be written: errors as code and message without their stack, texts masked. */
function plainFields(fields: Record<string, unknown> = {}): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) plain[name] = plainError(value)
    else plain[name] = typeof value === 'string' ? mask(value) : value
  }
  return plain
}

function plainError(error: Error): Record<string, unknown> {
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const cause = error.cause instanceof Error ? { cause: mask(error.cause.message) } : {}
  return { name: error.name, ...code, message: mask(error.message), ...cause }
}

/**
 * Hides what client libraries like to quote in their errors: credentials and query strings in URLs, bearer tokens,
 * and the path of a Slack webhook, which is a secret as a whole.
 */
export function mask(text: string): string {
  return text
    .replace(/(\/\/)[^\s/@]+@/g, '$1[redacted]@')
    .replace(/(https?:\/\/[^\s?#"']+)[?#][^\s"']*/g, '$1?[redacted]')
    .replace(/(hooks\.slack\.com\/)[^\s"']+/g, '$1[redacted]')
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, '$1 [redacted]')
}
