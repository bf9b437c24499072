import type { Path, Report } from './routing-build.ts'
import { secretKeys } from './routing-schema.ts'

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/**
 * Replaces `${ENV_VAR}` in every text of the file. A variable that is not set is reported with its name, and a secret
 * that stands in the file itself is reported without its value.
 */
export function expandSecrets(
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
  report: Report,
  path: Path = [],
): unknown {
  if (Array.isArray(value))
    return value.map((item, place) => expandSecrets(item, environment, report, [...path, place]))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, expandSecrets(item, environment, report, [...path, key])]),
    )
  }
  if (typeof value !== 'string') return value
  const key = path.at(-1)
  if (typeof key === 'string' && secretKeys.has(key) && !/^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(value)) {
    report(path, 'a secret stands in the file', `write ${key}: \${ENV_VAR} or ${key}_file: PATH`)
    return value
  }
  return value.replace(reference, (_, name: string) => {
    const found = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (found !== undefined && found !== '') return found
    report(path, `the environment variable ${name} is not set`, `set ${name} for the daemon, or take the line out`)
    return ''
  })
}
