/** The daemon answered, but not with what was asked for. */
export class ApiError extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

/** Kept for this tab only; it is never part of a URL. */
const tokenKey = 'tollwatch-token'

export function saveToken(token: string): void {
  sessionStorage.setItem(tokenKey, token)
}

/**
 * Asks the daemon.
 *
 * @throws ApiError with what the daemon said, or status 0 when it did not answer
 */
export async function ask<Answer>(path: string, signal: AbortSignal): Promise<Answer> {
  const token = sessionStorage.getItem(tokenKey)
  const headers: Record<string, string> = { accept: 'application/json' }
  if (token !== null) headers['authorization'] = `Bearer ${token}`
  let response: Response
  try {
    response = await fetch(path, { headers, signal, cache: 'no-store' })
  } catch {
    throw new ApiError(0, 'The daemon does not answer.')
  }
  if (!response.ok) throw new ApiError(response.status, await detailOf(response))
  return (await response.json()) as Answer
}

async function detailOf(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { detail?: string }
    return problem.detail ?? response.statusText
  } catch {
    return response.statusText
  }
}

/** A path with those parameters that have a value. */
export function pathOf(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') search.set(name, value)
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}
