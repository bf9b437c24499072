import { type Document, isMap, isScalar, LineCounter, parseDocument } from 'yaml'

/** Something wrong in a file that a person wrote, with where it stands and how to mend it. */
export interface FileProblem {
  readonly file: string
  /** Counted from 1; null where the file could not be read at all. */
  readonly line: number | null
  /** Where in the document, such as `groups[0].rules[2].window`; empty for the whole file. */
  readonly path: string
  readonly message: string
  readonly fix: string
}

/** A YAML file as plain data that remembers on which line everything stood. */
export interface YamlFile {
  readonly file: string
  readonly value: unknown
  /** The line of the nearest thing at or above the path; 1 if there is none. */
  lineOf(path: readonly PropertyKey[]): number
  problem(path: readonly PropertyKey[], message: string, fix: string): FileProblem
}

/**
 * Reads YAML; all syntax errors come back at once. Used for rules, routes and settings alike.
 *
 * @param options.schema `failsafe` takes every key and value as the text that is written, such as `007`
 */
export function parseYamlFile(
  text: string,
  file: string,
  { schema = 'core' }: { readonly schema?: 'core' | 'failsafe' } = {},
): { ok: true; yaml: YamlFile } | { ok: false; problems: readonly FileProblem[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema })
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      file,
      line: Math.max(1, lines.linePos(error.pos[0]).line),
      path: '',
      message: `is no valid YAML: ${error.message}`,
      fix: 'mend the syntax; indentation is in spaces, texts with {{ or : stand in quotes',
    }))
    return { ok: false, problems }
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    const message = `cannot be expanded: ${error instanceof Error ? error.message : String(error)}`
    return { ok: false, problems: [{ file, line: 1, path: '', message, fix: 'use fewer YAML aliases' }] }
  }
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let depth = path.length; depth >= 0; depth--) {
      const start =
        startOf(keyAt(document, path.slice(0, depth))) ?? startOf(document.getIn(path.slice(0, depth), true))
      if (start !== null) return lines.linePos(start).line
    }
    return 1
  }
  const problem = (path: readonly PropertyKey[], message: string, fix: string): FileProblem => {
    return { file, line: lineOf(path), path: formatPath(path), message, fix }
  }
  return { ok: true, yaml: { file, value, lineOf, problem } }
}

/** The key of a setting stands above what is nested in it. */
function keyAt(document: Document, path: readonly PropertyKey[]): unknown {
  if (path.length === 0) return null
  const parent: unknown = document.getIn(path.slice(0, -1), true)
  if (!isMap(parent)) return null
  return parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1))?.key
}

function startOf(node: unknown): number | null {
  if (typeof node !== 'object' || node === null || !('range' in node)) return null
  const range: unknown = node.range
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : null
}

export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, depth) => (typeof key === 'number' ? `[${key}]` : `${depth === 0 ? '' : '.'}${String(key)}`))
    .join('')
}

/** One problem on one line, the way compilers write it. */
export function formatProblem(problem: FileProblem): string {
  const place = problem.line === null ? problem.file : `${problem.file}:${problem.line}`
  const path = problem.path === '' ? '' : ` ${problem.path}`
  return `${place}:${path} ${problem.message}. Fix: ${problem.fix}.`
}

/**
 * The same YAML with one value changed; everything else, comments too, stays.
 *
 * @param path where the value stands; what is missing on the way is made
 * @param value its text, read as YAML: a number, a word or a list
 */
export function withYamlValue(text: string, path: readonly PropertyKey[], value: string): string {
  const document = parseDocument(text)
  document.setIn(path, parseDocument(value).toJS())
  return document.toString()
}

/**
 * The same YAML with, of each list on the path, only the item that the path names; comments of what is kept stay.
 *
 * @param path such as `['groups', 0, 'rules', 2]`
 */
export function onlyAt(text: string, path: readonly PropertyKey[]): string {
  const document = parseDocument(text)
  for (const [depth, key] of path.entries()) {
    if (typeof key !== 'number') continue
    // Of a list that was cut already, the item kept is the first.
    const list = path.slice(0, depth).map((one) => (typeof one === 'number' ? 0 : one))
    document.setIn(list, document.createNode([document.getIn([...list, key], true)]))
  }
  return document.toString()
}
