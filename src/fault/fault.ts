/** Every way the world can fail us. `docs/faults.md` explains each code; a test compares the two lists. */
export const faultCodes = [
  'config-invalid',
  'config-unreadable',
  'kafka-unreachable',
  'kafka-refused',
  'kafka-fenced',
  'offset-above-latest',
  'offset-out-of-range',
  'store-missing',
  'store-locked',
  'store-unreachable',
  'store-busy',
  'store-refused',
  'file-unreadable',
  'daemon-unreachable',
  'receiver-failed',
  'argument-invalid',
] as const

export type FaultCode = (typeof faultCodes)[number]

/** A failure of the outside world: not bad input (that is a value) and not our bug (that is an assertion). */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean

  constructor(code: FaultCode, message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.code = code
    this.retryable = options.retryable
  }
}

/** The text of whatever was thrown, for messages; never for decisions. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
