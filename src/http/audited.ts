import type { HttpDeps } from './deps.ts'
import type { Answered, Endpoint, RawCall } from './endpoint.ts'
import { toProblem } from './problem.ts'

/**
 * Answers a call, and notes in the audit log what was done or refused. What cannot be noted is said in the daemon's log:
 * what was done is done, and the caller must not be told otherwise.
 */
export async function audited(endpoint: Endpoint, call: RawCall, deps: HttpDeps): Promise<Answered> {
  const { operation } = endpoint
  if (operation === null) return endpoint.handle(call, deps)
  const note = async (result: string): Promise<void> => {
    const { what, target } = operation(call)
    try {
      await deps.audit.add({ who: call.caller.name, what, target, result })
    } catch (error) {
      deps.log.error('an operation could not be noted in the audit log', { who: call.caller.name, what, result, error })
    }
  }
  try {
    const answered = await endpoint.handle(call, deps)
    await note('done')
    return answered
  } catch (error) {
    const { status } = toProblem(error)
    // What was not understood was not tried.
    if (status !== 400) await note(`refused with ${status}`)
    throw error
  }
}
