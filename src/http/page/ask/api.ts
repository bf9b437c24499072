/** The daemon answered, but not with what was asked for. */
export class ApiError extends Error {
  /** Of HTTP; 0 when nobody answered. */
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

interface Asked {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly json?: unknown
  readonly accept?: string
  readonly signal?: AbortSignal
}

/**
 * Asks the daemon, with the token if there is one.
 *
 * @returns an answer of 2xx
 * @throws ApiError with what the daemon said, or status 0 when it did not answer
 */
export async function fetchFrom(path: string, asked: Asked = {}): Promise<Response> {
  const token = sessionStorage.getItem(tokenKey)
  const headers: Record<string, string> = { accept: asked.accept ?? 'application/json' }
  if (token !== null) headers['authorization'] = `Bearer ${token}`
  if (asked.json !== undefined) headers['content-type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(path, {
      method: asked.method ?? 'GET',
      headers,
      cache: 'no-store',
      ...(asked.json === undefined ? {} : { body: JSON.stringify(asked.json) }),
      ...(asked.signal === undefined ? {} : { signal: asked.signal }),
    })
  } catch {
    throw new ApiError(0, 'The daemon does not answer.')
  }
  if (!response.ok) throw new ApiError(response.status, await detailOf(response))
  return response
}

/** As `fetchFrom`, and reads the JSON. */
export async function ask<Answer>(path: string, asked: Asked = {}): Promise<Answer> {
  return (await (await fetchFrom(path, asked)).json()) as Answer
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
