import { STATUS_CODES } from 'node:http'
import { Fault } from '../fault/fault.ts'

/** One thing that is wrong with a request, and where. */
export interface Flaw {
  /** The parameter or the field of the body, such as `from` or `matchers.0`. */
  readonly parameter: string
  readonly detail: string
}

/** An error as RFC 9457 has it. */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly errors?: readonly Flaw[]
  readonly reasons?: readonly string[]
}

export const problemMediaType = 'application/problem+json'

/** Thrown to answer a request with an error. The detail is read by the caller: it holds no secret and no body. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly extra: { readonly errors?: readonly Flaw[]; readonly reasons?: readonly string[] }
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    detail: string,
    more: {
      readonly errors?: readonly Flaw[]
      readonly reasons?: readonly string[]
      readonly headers?: Readonly<Record<string, string>>
    } = {},
  ) {
    super(detail)
    const { headers = {}, ...extra } = more
    this.status = status
    this.headers = headers
    this.extra = extra
  }

  body(): ProblemBody {
    const title = STATUS_CODES[this.status] ?? 'Error'
    const type = `urn:tollwatch:problem:${title.toLowerCase().replaceAll(' ', '-')}`
    return { type, title, status: this.status, detail: this.message, ...this.extra }
  }
}

/** A 400 that names everything that is wrong at once. */
export function badRequest(errors: readonly Flaw[]): Problem {
  const detail = errors.map(({ parameter, detail }) => `${parameter}: ${detail}`).join('; ')
  return new Problem(400, detail, { errors })
}

/**
 * Whatever was thrown, as a problem. What we did not foresee keeps its words to itself: they belong into the log,
 * since they may quote a statement or a body.
 */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof Fault) {
    if (error.code === 'argument-invalid') return new Problem(400, error.message)
    if (error.retryable) return new Problem(503, error.message, { headers: { 'retry-after': '5' } })
    return new Problem(500, error.message)
  }
  const status = clientStatus(error)
  if (status !== null) return new Problem(status, STATUS_CODES[status] ?? 'The request cannot be read.')
  return new Problem(500, 'Something went wrong here; the log of the daemon has the reason.')
}

/** The status of errors that the HTTP library throws about the request itself, such as a malformed URL. */
function clientStatus(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return null
  const status = error.statusCode
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null
}
