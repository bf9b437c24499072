import { z } from 'zod'
import { scopes } from '../caller.ts'
import { endpoint, noInput } from '../endpoint.ts'

export const whoami = endpoint(
  {
    method: 'GET',
    path: '/api/v1/whoami',
    summary: 'Who asks, by the token, and what that may do.',
    scope: 'any',
    input: noInput,
    answer: z.object({
      name: z.string().describe('The name of the token; loopback where none is asked for.'),
      scopes: z.array(z.enum(scopes)).describe('Empty for a token of one tenant, which looks at its own rows.'),
      tenant: z.string().nullable().describe('The tenant whose rows it sees; null where it sees all.'),
    }),
  },
  (call) => ({ name: call.caller.name, scopes: call.caller.scopes, tenant: call.caller.tenant }),
)
