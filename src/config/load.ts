import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { messageOf } from '../fault/fault.ts'
import { type FileProblem, formatPath, parseYamlFile, type YamlFile } from '../file/yaml-file.ts'
import { type Config, configSchema } from './schema.ts'
import { complaintsOf } from './wording.ts'

export interface LoadedConfig {
  readonly config: Config
  /** The file it came from, null for the defaults alone. */
  readonly file: string | null
  /** What relative paths in it start from. */
  readonly folder: string
}

export type ConfigResult =
  | ({ readonly ok: true } & LoadedConfig)
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

/** Values from the command line, laid over the file's before anything is checked. */
export type Overrides = Readonly<Record<string, unknown>>

export const standardFile = 'tollwatch.yaml'

type Environment = Readonly<Record<string, string | undefined>>

/** Keys whose value must not stand in the file. */
const secretKeys = new Set(['password', 'token'])
const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/**
 * Reads the settings and reports all that is wrong with them at once.
 *
 * @param file null for `./tollwatch.yaml` if it is there, else the defaults
 */
export function loadConfig(file: string | null, overrides: Overrides, environment: Environment): ConfigResult {
  const found = file ?? (existsSync(standardFile) ? standardFile : null)
  const folder = found === null ? process.cwd() : dirname(resolve(found))
  if (found === null) return loadDefaults(overrides)
  let text: string
  try {
    text = readFileSync(found, 'utf8')
  } catch (error) {
    const message = `cannot be read (${messageOf(error)})`
    const fix = 'check the path after -c and who may read it'
    return { ok: false, problems: [{ file: found, line: null, path: '', message, fix }] }
  }
  const parsed = parseYamlFile(text, found)
  if (!parsed.ok) return parsed
  const problems: FileProblem[] = []
  const value = expanded(parsed.yaml.value ?? {}, environment, parsed.yaml, problems, [])
  return checked(parsed.yaml, value, overrides, folder, found, problems)
}

/** The defaults with the overrides alone, whatever file there is. */
export function loadDefaults(overrides: Overrides): ConfigResult {
  return checked(emptyFile, {}, overrides, process.cwd(), null, [])
}

const emptyFile: Pick<YamlFile, 'problem'> = {
  problem: (path, message, fix) => ({ file: 'command line', line: null, path: formatPath(path), message, fix }),
}

function checked(
  yaml: Pick<YamlFile, 'problem'>,
  value: unknown,
  overrides: Overrides,
  folder: string,
  file: string | null,
  problems: FileProblem[],
): ConfigResult {
  // A value that could not be filled in is reported once, as that, and not again for what the empty text breaks.
  const unfilled = new Set(problems.map((problem) => problem.path))
  // What is no group of settings at all must not vanish under the flags of the command line.
  const parsed = configSchema.safeParse(isPlain(value) ? merged(value, overrides) : value)
  for (const { path, message, fix } of parsed.error?.issues.flatMap(complaintsOf) ?? []) {
    if (!unfilled.has(formatPath(path))) problems.push(yaml.problem(path, message, fix))
  }
  if (!parsed.success || problems.length > 0) return { ok: false, problems: inOrder(problems) }
  return { ok: true, config: parsed.data, file, folder }
}

function inOrder(problems: readonly FileProblem[]): readonly FileProblem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}

/** Lays `over` on `under`, object by object; anything else replaces what was there. */
function merged(under: unknown, over: unknown): unknown {
  if (!isPlain(under) || !isPlain(over)) return over === undefined ? under : over
  const result: Record<string, unknown> = { ...under }
  for (const [key, value] of Object.entries(over)) result[key] = merged(result[key], value)
  return result
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function expanded(
  value: unknown,
  environment: Environment,
  yaml: YamlFile,
  problems: FileProblem[],
  path: readonly PropertyKey[],
): unknown {
  if (Array.isArray(value))
    return value.map((one, index) => expanded(one, environment, yaml, problems, [...path, index]))
  if (isPlain(value)) {
    const entries = Object.entries(value)
    return Object.fromEntries(
      entries.map(([key, one]) => [key, expanded(one, environment, yaml, problems, [...path, key])]),
    )
  }
  if (typeof value !== 'string') return value
  const key = String(path.at(-1))
  if (secretKeys.has(key) && value !== '' && !/^\$\{\w+\}$/.test(value)) {
    problems.push(yaml.problem(path, 'holds a secret in the clear', `write ${key}: \${ENV_VAR}, or ${key}_file: PATH`))
    return value
  }
  return value.replace(reference, (_, name: string) => {
    const found = environment[name]
    if (found !== undefined && found !== '') return found
    problems.push(
      yaml.problem(
        path,
        `the environment variable ${name} is not set`,
        `set ${name} for the daemon, or change the line`,
      ),
    )
    return ''
  })
}
