import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../fault/fault.ts'
import type { FileProblem } from '../file/yaml-file.ts'
import { shippedRules } from './options.ts'
import { parseRules } from './parse-rules.ts'
import type { Rule } from './rule.ts'

export type LoadedRules =
  | {
      readonly ok: true
      readonly rules: readonly Rule[]
      readonly files: readonly string[]
      /** What is allowed and hardly meant. */
      readonly warnings: readonly FileProblem[]
    }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

/** The folder of the rules and runbooks that come with Tollwatch: beside `src/` in a checkout, `dist/` when built. */
export const shippedFolder: string = fileURLToPath(new URL('../../alerts', import.meta.url))

/**
 * Reads rule files and reports everything that is wrong in all of them at once.
 *
 * @param patterns paths, patterns with `*` in the last part, or `shipped`
 * @param baseFolder what relative paths start from
 */
export function loadRules(patterns: readonly string[], baseFolder: string): LoadedRules {
  const problems: FileProblem[] = []
  const files: string[] = []
  for (const pattern of patterns) {
    const found = expand(pattern, baseFolder)
    if (found.length === 0) {
      problems.push(unreadable(pattern, 'matches no file', 'correct the path in alerts.rules'))
    }
    for (const file of found) if (!files.includes(file)) files.push(file)
  }
  const texts: { file: string; text: string }[] = []
  for (const file of files) {
    try {
      texts.push({ file, text: readFileSync(file, 'utf8') })
    } catch (error) {
      problems.push(unreadable(file, `cannot be read (${messageOf(error)})`, 'check that it exists and may be read'))
    }
  }
  const parsed = parseRules(texts)
  if (!parsed.ok) problems.push(...parsed.problems)
  if (problems.length > 0 || !parsed.ok) return { ok: false, problems }
  return { ok: true, rules: parsed.rules, files, warnings: parsed.warnings }
}

function unreadable(file: string, message: string, fix: string): FileProblem {
  return { file, line: null, path: '', message, fix }
}

function expand(pattern: string, baseFolder: string): readonly string[] {
  const path = pattern === shippedRules ? join(shippedFolder, '*.rules.yaml') : pattern
  const full = isAbsolute(path) ? path : resolve(baseFolder, path)
  if (!basename(full).includes('*')) return [full]
  const escaped = basename(full).replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  const expression = new RegExp(`^${escaped.replaceAll('*', '[^/]*')}$`)
  let names: string[]
  try {
    names = readdirSync(dirname(full))
  } catch {
    return []
  }
  return names
    .filter((name) => expression.test(name))
    .sort()
    .map((name) => join(dirname(full), name))
}
