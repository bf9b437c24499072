import type { JsonObject } from './json.ts'
import type { LineField } from './options.ts'

/**
 * Apinto's `line` formatter writes values without names: the root is separated by tabs, a group inside by blanks in
 * quotes, one deeper by commas in brackets, one deeper by `|` in angles. Empty is `-`. It can be read only with the
 * same list of fields, in which a group is a nested list.
 *
 * @returns the record with its names, or why the line does not fit the list, or null when it is no such line
 */
export function lineEntry(text: string, fields: readonly LineField[] | null): JsonObject | string | null {
  if (fields === null) {
    if (!text.includes('\t') || /^[[{]/.test(text)) return null
    return "this looks like Apinto's `line` layout, which has no names: set decode.apipark_line.fields, or `type: json` in the Kafka output"
  }
  // Broken JSON is not a line, whatever the list says.
  if (/^[[{]/.test(text)) return null
  const entry: Record<string, unknown> = {}
  const problem = fill(entry, text, fields, 0)
  return problem ?? entry
}

const separators = ['\t', ' ', ',', '|']
const containers = [
  ['"', '"'],
  ['[', ']'],
  ['<', '>'],
] as const

// These are written as base64, so that their blanks cannot be taken for separators.
const encoded = new Set(['request_body', 'proxy_body', 'response', 'response_body', 'proxy_response_body'])

function fill(into: Record<string, unknown>, text: string, fields: readonly LineField[], level: number): string | null {
  const separator = separators[level]
  if (separator === undefined) return 'decode.apipark_line.fields is nested deeper than the line layout can be'
  const parts = text.split(separator, fields.length + 1)
  if (parts.length !== fields.length) {
    const found = parts.length > fields.length ? 'more' : String(parts.length)
    return `the line has ${found} values at level ${level + 1} where decode.apipark_line.fields has ${fields.length}`
  }
  for (const [i, field] of fields.entries()) {
    const part = parts[i] ?? ''
    if (typeof field === 'string') {
      into[field] = part === '-' ? '' : encoded.has(field) ? fromBase64(part) : part
    } else if (part !== '-') {
      const problem = fill(into, withoutContainer(part, level), field, level + 1)
      if (problem !== null) return problem
    }
  }
  return null
}

function withoutContainer(part: string, level: number): string {
  const [left, right] = containers[level] ?? ['', '']
  return left !== '' && part.startsWith(left) && part.endsWith(right) && part.length >= 2 ? part.slice(1, -1) : part
}

function fromBase64(part: string): string {
  return Buffer.from(part, 'base64').toString('utf8')
}
