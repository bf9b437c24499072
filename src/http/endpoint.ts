import type { ServerResponse } from 'node:http'
import { z } from 'zod'
import type { Caller, Scope } from './caller.ts'
import type { HttpDeps } from './deps.ts'
import { badRequest, type Flaw, Problem } from './problem.ts'
import { chosenFormat, formatInput, type Table, type TableFormat, tableMediaTypes, writeTable } from './table.ts'
import { narrowed } from './tenant-view.ts'

/** One request as the server hands it over: parameters are still text. */
export interface RawCall {
  readonly caller: Caller
  /** Parameters of the query and the path, by name. */
  readonly input: Readonly<Record<string, unknown>>
  /** The parsed body where the endpoint takes JSON, else undefined. */
  readonly json: unknown
  /** The body where the endpoint takes a stream; it throws when it grows too large. */
  readonly stream: AsyncIterable<Uint8Array>
  /** The Accept header, empty where there is none. */
  readonly accept: string
}

/** What an endpoint answers with. */
export type Answered = TextAnswer | EventStream

/** Server-sent events: takes over the response and goes on writing to it. */
export interface EventStream {
  readonly kind: 'events'
  readonly attach: (response: ServerResponse) => void
}

/** An answer that is ready to be sent. */
export interface TextAnswer {
  readonly kind: 'text'
  readonly mediaType: string
  readonly text: string
  /** The name of the file a browser would save; null for what is shown. */
  readonly fileName: string | null
  /** Where the next page begins; null where there is none, or the answer says so itself. */
  readonly next: string | null
}

/** An operation, for the audit log: what was done to what, as sentences could say it. */
export interface Operation {
  readonly what: string
  readonly target: string
}

/** A path of the API: what it takes, what it answers, and how. The OpenAPI document is made from the same. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With parameters as `{id}`. */
  readonly path: string
  readonly summary: string
  /** What a caller must be allowed; `any` is enough for whoever has a token, and `open` asks for none. */
  readonly scope: Scope | 'any' | 'open'
  /** Whether a token of one tenant may ask; it then sees that tenant's part. */
  readonly forTenants: boolean
  /** Parameters of the path and of the query. */
  readonly input: z.ZodObject
  readonly body: 'none' | 'json' | 'stream'
  /** What a JSON body must look like. */
  readonly json: z.ZodType
  readonly answer: z.ZodType
  readonly status: 200 | 201
  /** Error statuses of its own, beside 400, 401, 403, 429 and 500, which every endpoint has. */
  readonly problems: readonly number[]
  /** Whether it answers with server-sent events; `answer` then describes their data, by the name of the event. */
  readonly isStream: boolean
  /** Whether the answer is also given as CSV and NDJSON. */
  readonly isTable: boolean
  /** Whether an unchanged answer is told by its ETag alone. */
  readonly isTagged: boolean
  /** What is written into the audit log; null where nothing is done. */
  readonly operation: ((call: Pick<RawCall, 'input' | 'json'>) => Operation) | null
  handle(call: RawCall, deps: HttpDeps): Promise<Answered>
}

/** No parameters at all. */
export const noInput = z.strictObject({})

/** What may be answered where a schema describes it: our data is read-only, the schema's types are not. */
type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T

type Answer<Schema extends z.ZodType> = Frozen<z.input<Schema>>

interface Spec<Input extends z.ZodObject, Json extends z.ZodType, Schema extends z.ZodType> {
  readonly method: Endpoint['method']
  readonly path: string
  readonly summary: string
  readonly scope: Endpoint['scope']
  readonly forTenants?: true
  readonly input: Input
  readonly json?: Json
  readonly stream?: true
  readonly answer: Schema
  readonly status?: Endpoint['status']
  readonly problems?: readonly number[]
  readonly tagged?: true
  /** The answer as rows, where it is one of rows. */
  readonly table?: (answer: Answer<Schema>, input: z.output<Input>) => Table
  readonly operation?: (call: { readonly input: z.output<Input>; readonly json: z.output<Json> }) => Operation
}

/** One request, read. */
interface Call<Input extends z.ZodObject, Json extends z.ZodType> {
  readonly input: z.output<Input>
  readonly json: z.output<Json>
  readonly stream: RawCall['stream']
  readonly caller: Caller
}

/** Puts an endpoint together. The handler is called only with what passed the schemas; all that did not is one 400. */
export function endpoint<Input extends z.ZodObject, Schema extends z.ZodType, Json extends z.ZodType = z.ZodUndefined>(
  spec: Spec<Input, Json, Schema>,
  handle: (call: Call<Input, Json>, deps: HttpDeps) => Answer<Schema> | Promise<Answer<Schema>>,
): Endpoint {
  const { path, table, operation } = spec
  const { json, input, read } = readerOf(spec)
  return {
    ...described(spec),
    ...{ input, json },
    operation: operation === undefined ? null : (call) => operation(read(call)),
    async handle(call, deps) {
      const given = read({ ...call, input: ownInput(call, input) })
      const answered = await handle({ ...given, stream: call.stream, caller: call.caller }, ownDeps(call.caller, deps))
      const format = table === undefined ? 'json' : chosenFormat(given.format, call.accept)
      if (table === undefined || format === 'json') return shown(answered)
      const text = writeTable(table(answered, given.input), format)
      const fileName = `${nameOf(path)}.${format}`
      return { kind: 'text', mediaType: tableMediaTypes[format], text, fileName, next: nextOf(answered) }
    },
  }
}

/** The same for server-sent events. */
export function eventEndpoint<Input extends z.ZodObject, Schema extends z.ZodType>(
  spec: Spec<Input, z.ZodUndefined, Schema>,
  attach: (call: Call<Input, z.ZodUndefined>, deps: HttpDeps) => EventStream['attach'],
): Endpoint {
  const { json, input, read } = readerOf(spec)
  return {
    ...described(spec),
    ...{ input, json, isStream: true, operation: null },
    async handle(call, deps) {
      const given = read({ ...call, input: ownInput(call, input) })
      const own = ownDeps(call.caller, deps)
      return { kind: 'events', attach: attach({ ...given, stream: call.stream, caller: call.caller }, own) }
    },
  }
}

function readerOf<Input extends z.ZodObject, Json extends z.ZodType, Schema extends z.ZodType>(
  spec: Spec<Input, Json, Schema>,
) {
  const json: z.ZodType = spec.json ?? z.undefined()
  const input: z.ZodObject = spec.table === undefined ? spec.input : spec.input.extend(formatInput)
  const read = (call: Pick<RawCall, 'input' | 'json'>) => {
    const parsedInput = input.safeParse(call.input)
    const parsedJson = json.safeParse(call.json)
    if (parsedInput.success && parsedJson.success) {
      const { format, ...rest } = parsedInput.data as { format?: TableFormat }
      // Elsewhere a parameter of this name means something else.
      const own = spec.table === undefined ? parsedInput.data : rest
      return { input: own as z.output<Input>, json: parsedJson.data as z.output<Json>, format }
    }
    throw badRequest([...flawsOf(parsedInput.error), ...flawsOf(parsedJson.error)])
  }
  return { json, input, read }
}

/** The parts of an endpoint that stand in its specification. */
function described<Input extends z.ZodObject, Json extends z.ZodType, Schema extends z.ZodType>(
  spec: Spec<Input, Json, Schema>,
) {
  const { method, path, summary, scope, answer, status = 200, problems = [] } = spec
  return {
    ...{ method, path, summary, scope, answer, status, problems },
    body: spec.stream === true ? ('stream' as const) : spec.json === undefined ? ('none' as const) : ('json' as const),
    forTenants: spec.forTenants ?? false,
    isStream: false,
    isTable: spec.table !== undefined,
    isTagged: spec.tagged ?? false,
  }
}

function ownDeps({ tenant }: Caller, deps: HttpDeps): HttpDeps {
  return tenant === null ? deps : narrowed(deps, tenant)
}

/** Refuses whoever may not ask this at all. */
export function checkScope({ scope, forTenants }: Pick<Endpoint, 'scope' | 'forTenants'>, caller: Caller): void {
  if (scope === 'open' || scope === 'any') return
  if (caller.tenant !== null) {
    if (forTenants) return
    throw new Problem(403, `The token ${caller.name} sees one tenant alone; this is about more than that.`)
  }
  if (!caller.scopes.includes(scope)) {
    throw new Problem(403, `The token ${caller.name} lacks the scope ${scope}; give it one in http.tokens.`)
  }
}

/** A token of one tenant asks about that tenant, whether it says so or not. */
function ownInput({ caller, input }: RawCall, schema: z.ZodObject): RawCall['input'] {
  const { tenant } = caller
  if (tenant === null || !('tenant' in schema.shape)) return input
  if (input['tenant'] !== undefined && input['tenant'] !== tenant) {
    throw new Problem(403, `The token ${caller.name} sees one tenant alone, and not this one.`)
  }
  return { ...input, tenant }
}

function shown(answer: unknown): TextAnswer {
  return {
    kind: 'text',
    mediaType: 'application/json; charset=utf-8',
    text: JSON.stringify(answer),
    fileName: null,
    next: null,
  }
}

function nextOf(answer: unknown): string | null {
  const next = typeof answer === 'object' && answer !== null && 'next' in answer ? answer.next : null
  return typeof next === 'string' ? next : null
}

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? 'rows'
}

function flawsOf(error: z.ZodError | undefined): readonly Flaw[] {
  return (error?.issues ?? []).flatMap((issue): Flaw[] => {
    if (issue.code === 'unrecognized_keys') {
      const at = issue.path.length === 0 ? '' : `${issue.path.join('.')}.`
      return issue.keys.map((key) => ({ parameter: `${at}${key}`, detail: 'is not known here' }))
    }
    return [{ parameter: issue.path.join('.') || 'body', detail: issue.message }]
  })
}
