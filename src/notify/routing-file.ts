import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { shippedFolder } from '../alert/rule-files.ts'
import { messageOf } from '../fault/fault.ts'
import { type FileProblem, formatPath, parseYamlFile } from '../file/yaml-file.ts'
import type { Routing } from './routing.ts'
import { buildRouting, type Path, type Report, unknownReceiver } from './routing-build.ts'
import { insteadKeys, laterKeys, routingShape } from './routing-schema.ts'
import { expandSecrets } from './secrets.ts'

export type RoutingResult =
  | { readonly ok: true; readonly routing: Routing }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

export type Environment = Readonly<Record<string, string | undefined>>

/** The file of `notify.file`, or the one that comes with Tollwatch. @param folder what a relative path starts from */
export function routingPath(file: string | undefined, folder: string): string {
  return file === undefined ? join(shippedFolder, 'notify.yaml') : resolve(folder, file)
}

/** Reads `notify.yaml` with its secrets; every problem at once, none of them showing a secret. */
export async function loadRouting(file: string, environment: Environment): Promise<RoutingResult> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const fix = 'create it, start from alerts/notify.yaml, or point notify.file at the right place'
    return { ok: false, problems: [{ file, line: null, path: '', message: `cannot be read: ${codeOf(error)}`, fix }] }
  }
  const readSecret = (name: string) => readFileSync(resolve(dirname(file), name), 'utf8').trim()
  return parseRouting(text, { file, environment, readSecret })
}

/**
 * The same for a text at hand.
 *
 * @param sources the name for problems, and where `${ENV_VAR}` and `*_file` lead; `readSecret` throws when there is no
 *   such file
 */
export function parseRouting(
  text: string,
  sources: { file: string; environment: Environment; readSecret: (file: string) => string },
): RoutingResult {
  const parsed = parseYamlFile(text, sources.file)
  if (!parsed.ok) return parsed
  const { yaml } = parsed
  const problems: FileProblem[] = []
  const report: Report = (path, message, fix) => problems.push(yaml.problem(path, message, fix))
  const value = expandSecrets(yaml.value, sources.environment, report)
  // A value that could not be filled in is reported once, as that, and not again for what the empty text breaks.
  const unfilled = new Set(problems.map((problem) => problem.path))
  const read = routingShape.safeParse(value ?? {})
  if (read.success) {
    const routing = buildRouting(read.data, report, (path, file) => secretFrom(file, path, sources.readSecret, report))
    return problems.length === 0 ? { ok: true, routing } : { ok: false, problems: inOrder(problems) }
  }
  for (const issue of read.error.issues) {
    const path = issue.path.filter((part) => typeof part !== 'symbol')
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) report([...path, key], ...strangeKey(key))
    else if (!unfilled.has(formatPath(path))) report(path, ...worded(issue))
  }
  crossCheckLoosely(value, report)
  return { ok: false, problems: inOrder(problems) }
}

function strangeKey(key: string): [string, string] {
  const later = laterKeys.get(key)
  if (later !== undefined) return ['comes in a later release', later]
  const instead = insteadKeys.get(key)
  return instead === undefined
    ? ['is not known here', 'check the spelling against alerts/notify.yaml, or remove it']
    : ['is not used here', instead]
}

/** Zod's own words name types; our custom issues bring their fix along. Neither repeats the value of a secret. */
function worded(issue: {
  code: string
  message: string
  params?: Record<string, unknown> | undefined
}): [string, string] {
  const fix = issue.params?.['fix']
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return ['is missing', 'add it; alerts/notify.yaml shows an example']
  }
  const message = issue.message.replace(/^Invalid input: expected/, 'must be')
  return [message, typeof fix === 'string' ? fix : 'alerts/notify.yaml shows how it is written']
}

function secretFrom(file: string, path: Path, readSecret: (file: string) => string, report: Report): string {
  try {
    const secret = readSecret(file)
    if (secret !== '') return secret
    report(path, `${file} is empty`, 'put the secret into it')
  } catch (error) {
    report(path, `cannot read ${file}: ${codeOf(error)}`, 'check the path and that the daemon may read it')
  }
  return ''
}

/** `ENOENT` says enough; the full text may hold paths that are nobody's business. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error)
}

/** Names are checked even where the shape is wrong elsewhere, so that one run shows all there is to mend. */
function crossCheckLoosely(value: unknown, report: Report): void {
  const top = record(value)
  const names = new Set(['log', 'none'])
  for (const receiver of list(top['receivers'])) names.add(String(record(receiver)['name']))
  const walk = (route: Record<string, unknown>, path: Path) => {
    const name = route['receiver']
    if (typeof name === 'string' && !names.has(name)) report([...path, 'receiver'], ...unknownReceiver(name, names))
    list(route['routes']).forEach((child, place) => {
      walk(record(child), [...path, 'routes', place])
    })
  }
  walk(record(top['route']), ['route'])
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function inOrder(problems: readonly FileProblem[]): readonly FileProblem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}
