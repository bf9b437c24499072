/** What a token may do: look, change what is told to whom, hand in log lines. */
export const scopes = ['read', 'operate', 'ingest'] as const

export type Scope = (typeof scopes)[number]

/** Who asks. */
export interface Caller {
  /** The name of the token, or one of those below. */
  readonly name: string
  readonly scopes: readonly Scope[]
  /** Sees the rows of this tenant and nothing else; null for everybody else. */
  readonly tenant: string | null
}

/** Without any token in the settings: only this machine can ask. */
export const loopbackCaller: Caller = { name: 'loopback', scopes, tenant: null }

/** The name of whoever has `http.token`, which may do everything. */
export const mainTokenName = 'http.token'
