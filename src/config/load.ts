import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { type FileProblem, formatPath, parseYamlFile, type YamlFile } from '../alert/yaml-file.ts'
import { messageOf } from '../fault/fault.ts'
import { type Config, configSchema } from './schema.ts'

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
  if (found === null) return checked(emptyFile, {}, overrides, folder, null, [])
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
  const parsed = configSchema.safeParse(merged(value, overrides))
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      for (const path of pathsOf(issue)) problems.push(yaml.problem(path, sentence(issue, path), fixOf(issue)))
    }
  }
  if (!parsed.success || problems.length > 0) return { ok: false, problems }
  return { ok: true, config: parsed.data, file, folder }
}

/** An unknown key is reported where it stands, each by itself. */
function pathsOf(issue: z.core.$ZodIssue): PropertyKey[][] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [[...issue.path]]
}

function sentence(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): string {
  if (issue.code === 'unrecognized_keys') return `there is no setting "${String(path.at(-1))}"`
  return issue.message
}

function fixOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return 'correct its spelling or remove it; tollwatch.example.yaml lists every setting'
  }
  if (issue.code === 'invalid_value') return `use one of ${issue.values.map(String).join(', ')}`
  return 'see tollwatch.example.yaml for this setting'
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
