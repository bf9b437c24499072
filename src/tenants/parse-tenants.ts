import { setImmediate } from 'node:timers/promises'
import type { z } from 'zod'
import { labelOf } from '../decode/label.ts'
import { type FileProblem, formatPath, parseYamlFile } from '../file/yaml-file.ts'
import type { Tenant } from './directory.ts'
import { expiryOf } from './expiry.ts'
import { tenantBlocks } from './tenant-blocks.ts'
import { tenantSchema } from './tenant-schema.ts'

/** Most tenants of a directory. */
export const tenantLimit = 100_000

// Beyond it a file must have one tenant after another, see tenantBlocks.
const wholeFileChars = 1024 * 1024
const problemLimit = 50

export type ParsedTenants =
  | { readonly ok: true; readonly tenants: ReadonlyMap<string, Tenant> }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

/**
 * Reads a directory of tenants, in YAML or JSON, and reports all that is wrong at once. All values are taken as text:
 * an id such as `007` stays as it is written. Lets others run in between, since a large directory takes seconds.
 */
export async function parseTenants(text: string, file: string): Promise<ParsedTenants> {
  const reading = new Reading(file)
  if (/^\s*\{/.test(text) && (await reading.json(text))) return reading.result()
  const blocks = tenantBlocks(text)
  if (blocks === null && text.length > wholeFileChars) {
    reading.add(null, [], 'is too large for its form', 'put one tenant below the other, indented under `tenants:`')
    return reading.result()
  }
  for (const block of blocks ?? [{ text, lineOffset: 0 }]) {
    reading.yaml(block.text, block.lineOffset)
    if (reading.full) break
    await setImmediate()
  }
  return reading.result()
}

type LineOf = (path: readonly PropertyKey[]) => number

class Reading {
  readonly #file: string
  readonly #tenants = new Map<string, Tenant>()
  readonly #problems: FileProblem[] = []

  constructor(file: string) {
    this.#file = file
  }

  get full(): boolean {
    return this.#problems.length >= problemLimit
  }

  result(): ParsedTenants {
    return this.#problems.length > 0
      ? { ok: false, problems: this.#problems.slice(0, problemLimit) }
      : { ok: true, tenants: this.#tenants }
  }

  yaml(text: string, lineOffset: number): void {
    const parsed = parseYamlFile(text, this.#file, { schema: 'failsafe' })
    if (!parsed.ok) {
      const moved = parsed.problems.map((one) => ({ ...one, line: one.line === null ? null : one.line + lineOffset }))
      this.#problems.push(...moved)
      return
    }
    const { yaml } = parsed
    this.#root(yaml.value, (path) => yaml.lineOf(path) + lineOffset)
  }

  /** False where the text is no JSON after all: YAML also begins with a brace, and says where it is broken. */
  async json(text: string): Promise<boolean> {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return false
    }
    await setImmediate()
    this.#root(value, null)
    return true
  }

  add(lineOf: LineOf | null, path: readonly PropertyKey[], message: string, fix: string): void {
    if (this.full) return
    const line = lineOf === null ? null : lineOf(path)
    this.#problems.push({ file: this.#file, line, path: formatPath(path), message, fix })
  }

  #root(value: unknown, lineOf: LineOf | null): void {
    const root = isGroup(value) ? value : {}
    for (const key of Object.keys(root)) {
      if (key === 'tenants') continue
      this.add(lineOf, [key], 'does not belong here', 'put all tenants under the one key `tenants`')
    }
    const tenants = root['tenants']
    if (tenants === '' || tenants === undefined) return
    if (!isGroup(tenants)) {
      this.add(lineOf, ['tenants'], 'must be a group of tenants, each under its id', example)
      return
    }
    for (const [id, one] of Object.entries(tenants)) {
      if (this.full) return
      this.#tenant(id, one, lineOf)
    }
  }

  #tenant(id: string, value: unknown, lineOf: LineOf | null): void {
    const path = ['tenants', id]
    if (labelOf(id) !== id) {
      this.add(lineOf, path, 'can be no id of a tenant in a log', 'write it as the access log has it')
    } else if (this.#tenants.has(id)) {
      this.add(lineOf, path, 'stands here a second time', 'keep one of the two')
    } else if (this.#tenants.size >= tenantLimit) {
      this.add(lineOf, path, `is one tenant too many: a directory holds ${tenantLimit}`, 'leave out tenants that left')
    } else {
      const parsed = tenantSchema.safeParse(value === '' || value === null ? {} : value)
      if (parsed.success) this.#tenants.set(id, tenantOf(id, parsed.data))
      else for (const issue of parsed.error.issues) this.#issue(issue, path, lineOf)
    }
  }

  #issue(issue: z.core.$ZodIssue, at: readonly PropertyKey[], lineOf: LineOf | null): void {
    const path = [...at, ...issue.path]
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) this.add(lineOf, [...path, key], 'is no key of a tenant', example)
    } else if (issue.code === 'invalid_key') {
      this.add(lineOf, path, issue.issues[0]?.message ?? issue.message, example)
    } else {
      this.add(lineOf, path, issue.message, example)
    }
  }
}

const example =
  'write it like acme: {name: Acme Ltd, plan: gold, timezone: Europe/Berlin, contacts: {billing: [ap@acme.example]}, expires: 2026-12-31}'

/** A tenant as a file has it. */
export function tenantOf(
  id: string,
  { name, plan, timezone, contacts, expires }: z.output<typeof tenantSchema>,
): Tenant {
  const expiry = expiryOf(expires ?? '', timezone ?? 'UTC')
  return {
    id,
    name: name ?? null,
    plan: plan ?? null,
    timezone: timezone ?? null,
    contacts: new Map(Object.entries(contacts ?? {})),
    ...(expiry === null ? {} : { expires: expiry }),
  }
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
