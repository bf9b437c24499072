import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { Fault } from '../fault/fault.ts'
import { isLoopback, listenSetting, parseListen } from '../telemetry/address.ts'

/** Settings under `http:`. */
export const httpOptions = z
  .strictObject({
    listen: listenSetting
      .default('127.0.0.1:8402')
      .describe('Where the page and the API listen. Any other place than loopback needs a token.'),
    token: z
      .string()
      .min(16, { error: 'is too short to be a secret; use 16 characters or more' })
      .optional()
      .describe(
        'Callers of the API must send it as a bearer token. Name an environment variable, not the secret itself.',
      ),
    token_file: z.string().min(1).optional().describe('A file that holds the token.'),
    allowed_hosts: z
      .array(z.string().min(1))
      .default([])
      .describe('Host names by which a proxy may ask for this server, beside those of the listen address.'),
    title: z.string().min(1).max(60).default('Tollwatch').describe('What the page is called.'),
    ingest_limit_mib: z
      .number()
      .positive()
      .max(1_024)
      .default(32)
      .describe('The largest body POST /api/v1/ingest takes, after decompression, in MiB.'),
  })
  .superRefine((options, context) => {
    if (options.token !== undefined && options.token_file !== undefined) {
      const message = 'is set beside token_file; keep one of the two'
      context.addIssue({ code: 'custom', path: ['token'], message })
    }
    const address = parseListen(options.listen)
    if (address === null || isLoopback(address.host)) return
    if (options.token === undefined && options.token_file === undefined) {
      const message = `${options.listen} can be reached from other machines; set token or token_file, or listen on 127.0.0.1`
      context.addIssue({ code: 'custom', path: ['listen'], message })
    }
  })

export type HttpOptions = z.output<typeof httpOptions>

/**
 * The token that callers must send, or null when none is asked for.
 *
 * @throws Fault `config-unreadable` when the file cannot be read, `config-invalid` when it holds no usable token
 */
export function readToken(options: Pick<HttpOptions, 'token' | 'token_file'>): string | null {
  if (options.token_file === undefined) return options.token ?? null
  let text: string
  try {
    text = readFileSync(options.token_file, 'utf8').trim()
  } catch (cause) {
    const message = `http.token_file ${options.token_file} cannot be read; check the path and who may read it`
    throw new Fault('config-unreadable', message, { retryable: false, cause })
  }
  if (text.length < 16) {
    const message = `http.token_file ${options.token_file} holds no token of 16 characters or more`
    throw new Fault('config-invalid', message, { retryable: false })
  }
  return text
}
