import { z } from 'zod'

export const tableFormats = ['json', 'csv', 'ndjson'] as const

export type TableFormat = (typeof tableFormats)[number]

export const formatInput = {
  format: z
    .enum(tableFormats, { error: `must be one of ${tableFormats.join(', ')}` })
    .optional()
    .describe('How the rows are written; without it the Accept header decides, and JSON is the rule.'),
}

/** An answer as rows, for spreadsheets and pipes. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

export const tableMediaTypes = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
} as const

/** The format that was asked for by name, else the first one that the Accept header lists. */
export function chosenFormat(named: TableFormat | undefined, accept: string): TableFormat {
  if (named !== undefined) return named
  for (const part of accept.toLowerCase().split(',')) {
    const mediaType = part.split(';')[0]?.trim()
    if (mediaType === 'text/csv') return 'csv'
    if (mediaType === 'application/x-ndjson') return 'ndjson'
    if (mediaType === 'application/json' || mediaType === '*/*') return 'json'
  }
  return 'json'
}

/** The rows as text; lines end as RFC 4180 has it, and in NDJSON with a line feed. */
export function writeTable({ columns, rows }: Table, format: 'csv' | 'ndjson'): string {
  if (format === 'ndjson') return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))]
  return lines.map((line) => `${line.map(csvCell).join(',')}\r\n`).join('')
}

/** No cell is one that a spreadsheet would run as a formula. */
function csvCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
