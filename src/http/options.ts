import { z } from 'zod'
import { isLoopback, listenSetting, parseListen } from '../telemetry/address.ts'
import { otherLabel } from '../window/series.ts'
import { loopbackCaller, mainTokenName, scopes } from './caller.ts'

export const shortestToken = 16

const secret = z.string().min(shortestToken, { error: 'is too short to be a secret; use 16 characters or more' })

const tenantPrefix = 'tenant:'

/** The tenant that a scope is about; null for the other scopes. */
export function tenantOf(scope: string): string | null {
  return scope.startsWith(tenantPrefix) ? scope.slice(tenantPrefix.length) : null
}

const scopeText = z
  .string()
  .refine((text) => (scopes as readonly string[]).includes(text) || (tenantOf(text) ?? '') !== '', {
    error: 'is no scope; write read, operate, ingest or tenant:NAME',
  })
  .refine((text) => tenantOf(text) !== otherLabel, { error: `${otherLabel} is no tenant but the sum of many` })

const tokenSetting = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]{1,60}$/, { error: 'must be letters, digits, _ . or -, 60 at most' })
      .describe('Who has it; stands in the audit log.'),
    token: secret.optional().describe('Name an environment variable, not the secret itself.'),
    token_file: z.string().min(1).optional().describe('A file that holds the token.'),
    scopes: z
      .array(scopeText)
      .min(1, { error: 'is empty; write read, operate, ingest or tenant:NAME' })
      .describe(
        'read looks at everything, operate silences and drills, ingest hands in log lines, tenant:NAME sees that tenant alone.',
      ),
  })
  .superRefine(({ token, token_file, scopes: given }, context) => {
    if ((token === undefined) === (token_file === undefined)) {
      const message = 'or token_file must be set, and not both'
      context.addIssue({ code: 'custom', path: ['token'], message })
    }
    if (given.length > 1 && given.some((scope) => tenantOf(scope) !== null)) {
      const message = 'has tenant:NAME beside others; it must stand alone, or the token would see more than that tenant'
      context.addIssue({ code: 'custom', path: ['scopes'], message })
    }
  })

/** Settings under `http:`. */
export const httpOptions = z
  .strictObject({
    listen: listenSetting
      .default('127.0.0.1:8402')
      .describe('Where the page and the API listen. Any other place than loopback needs a token.'),
    token: secret
      .optional()
      .describe(
        'Callers of the API must send it as a bearer token. Name an environment variable, not the secret itself.',
      ),
    token_file: z.string().min(1).optional().describe('A file that holds the token.'),
    tokens: z
      .array(tokenSetting)
      .max(1_000)
      .default([])
      .describe('More tokens, each with what it may do. With any token here nobody is let in without one.'),
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
    reads_per_second: z
      .number()
      .min(1)
      .max(100_000)
      .default(50)
      .describe('How often one token, or one address without a token, may ask; four times as often in a burst.'),
  })
  .superRefine((options, context) => {
    if (options.token !== undefined && options.token_file !== undefined) {
      const message = 'is set beside token_file; keep one of the two'
      context.addIssue({ code: 'custom', path: ['token'], message })
    }
    const names = new Set<string>([loopbackCaller.name, mainTokenName])
    for (const [at, { name }] of options.tokens.entries()) {
      const message = `the name ${name} is taken; give each token a name of its own`
      if (names.has(name)) context.addIssue({ code: 'custom', path: ['tokens', at, 'name'], message })
      names.add(name)
    }
    const address = parseListen(options.listen)
    if (address === null || isLoopback(address.host)) return
    if (options.token === undefined && options.token_file === undefined && options.tokens.length === 0) {
      const message = `${options.listen} can be reached from other machines; set token, token_file or tokens, or listen on 127.0.0.1`
      context.addIssue({ code: 'custom', path: ['listen'], message })
    }
  })

export type HttpOptions = z.output<typeof httpOptions>
