import { Fault, messageOf } from '../fault/fault.ts'
import { alerts } from '../http/api/alerts.ts'
import { explain } from '../http/api/alerts-explain.ts'
import { tenant } from '../http/api/tenant.ts'
import { tenantList } from '../http/api/tenants.ts'
import type { Caller } from '../http/caller.ts'
import type { HttpDeps, McpHandler } from '../http/deps.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { Problem, problemMediaType, toProblem } from '../http/problem.ts'
import type { Desk, LiveDesk } from './desk.ts'
import { answerPost } from './server.ts'

/** Answers the Model Context Protocol inside the daemon: the tools ask the very endpoints of the API. */
export function mcpHandler(deps: () => HttpDeps): McpHandler {
  const tenants = tenantList()
  return async ({ request, response, json, caller }) => {
    const own = deps()
    try {
      if (request.method !== 'POST')
        throw new Problem(405, 'Each POST stands alone here: there is no stream and no session.', {
          headers: { allow: 'POST' },
        })
      if (Array.isArray(json))
        throw new Problem(400, 'Send one message at a time; batches are no longer part of the protocol.')
      const desk = deskOf(own, { caller, tenants })
      await answerPost({ desk, version: own.version, log: own.log }, { request, response, json })
    } catch (error) {
      if (response.headersSent) {
        own.log.error(`the Model Context Protocol failed half-way: ${messageOf(error)}`, { error })
        response.destroy()
        return
      }
      const problem = problemOf(error)
      response.writeHead(problem.status, { ...problem.headers, 'content-type': problemMediaType })
      response.end(JSON.stringify(problem.body()))
    }
  }
}

/** What is missing here is a package, which its message names; elsewhere such a message may quote a setting. */
function problemOf(error: unknown): Problem {
  const isMissing = error instanceof Fault && error.code === 'config-invalid'
  return isMissing ? new Problem(501, error.message) : toProblem(error)
}

function deskOf(deps: HttpDeps, { caller, tenants }: { caller: Caller; tenants: Endpoint }): Desk {
  const ask = async (endpoint: Endpoint, input: Readonly<Record<string, string>>): Promise<unknown> => {
    const call = { caller, input, json: undefined, stream: nothing(), accept: 'application/json' }
    const answered = await endpoint.handle(call, deps)
    return answered.kind === 'text' ? JSON.parse(answered.text) : null
  }
  const live: LiveDesk = {
    alerts: () => ask(alerts, {}),
    explain: (fingerprint) => nullWhenMissing(ask(explain, { fingerprint })),
    tenant: (id) => nullWhenMissing(ask(tenant, { tenant: id })),
    tenants: (part) => ask(tenants, { q: part, limit: '10' }),
  }
  return { queries: deps.queries, clock: deps.clock, nameOf: (id) => deps.tenants.find(id)?.name ?? null, live }
}

async function nullWhenMissing(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null
    throw error
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
