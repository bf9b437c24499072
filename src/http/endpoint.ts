import { z } from 'zod'
import type { HttpDeps } from './deps.ts'
import { badRequest, type Flaw } from './problem.ts'

/** One request as the server hands it over: parameters are still text. */
export interface RawCall {
  /** Parameters of the query and the path, by name. */
  readonly input: Readonly<Record<string, unknown>>
  /** The parsed body where the endpoint takes JSON, else undefined. */
  readonly json: unknown
  /** The body where the endpoint takes a stream; it throws when it grows too large. */
  readonly stream: AsyncIterable<Uint8Array>
}

/** A path of the API: what it takes, what it answers, and how. The OpenAPI document is made from the same. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With parameters as `{id}`. */
  readonly path: string
  readonly summary: string
  /** Parameters of the path and of the query. */
  readonly input: z.ZodObject
  readonly body: 'none' | 'json' | 'stream'
  /** What a JSON body must look like. */
  readonly json: z.ZodType
  readonly answer: z.ZodType
  readonly status: 200 | 201
  /** Error statuses of its own, beside 400, 401, 403 and 500, which every endpoint has. */
  readonly problems: readonly number[]
  handle(call: RawCall, deps: HttpDeps): Promise<unknown>
}

/** No parameters at all. */
export const noInput = z.strictObject({})

/** Puts an endpoint together. The handler is called only with what passed the schemas; all that did not is one 400. */
export function endpoint<Input extends z.ZodObject, Json extends z.ZodType = z.ZodUndefined>(
  spec: {
    readonly method: Endpoint['method']
    readonly path: string
    readonly summary: string
    readonly input: Input
    readonly json?: Json
    readonly stream?: true
    readonly answer: z.ZodType
    readonly status?: Endpoint['status']
    readonly problems?: readonly number[]
  },
  handle: (
    call: { readonly input: z.output<Input>; readonly json: z.output<Json>; readonly stream: RawCall['stream'] },
    deps: HttpDeps,
  ) => unknown,
): Endpoint {
  const { method, path, summary, input, answer, status = 200, problems = [] } = spec
  const json: z.ZodType = spec.json ?? z.undefined()
  const body = spec.stream === true ? 'stream' : spec.json === undefined ? 'none' : 'json'
  return {
    ...{ method, path, summary, input, body, json, answer, status, problems },
    async handle(call, deps) {
      const parsedInput = input.safeParse(call.input)
      const parsedJson = json.safeParse(call.json)
      if (parsedInput.success && parsedJson.success) {
        const given = { input: parsedInput.data, json: parsedJson.data as z.output<Json>, stream: call.stream }
        return handle(given, deps)
      }
      throw badRequest([...flawsOf(parsedInput.error), ...flawsOf(parsedJson.error)])
    },
  }
}

function flawsOf(error: z.ZodError | undefined): readonly Flaw[] {
  return (error?.issues ?? []).flatMap((issue): Flaw[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((parameter) => ({ parameter, detail: 'is not known here' }))
    }
    return [{ parameter: issue.path.join('.') || 'body', detail: issue.message }]
  })
}
