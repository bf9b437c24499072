import Table from 'cli-table3'
import type { Terminal } from './terminal.ts'

export const outputFormats = ['table', 'json', 'csv', 'ndjson'] as const

export type OutputFormat = (typeof outputFormats)[number]

type Row = Readonly<Record<string, unknown>>

/** Prints rows in the wished format. An empty table says so on stderr instead of printing a lone header. */
export function printRows(
  rows: readonly Row[],
  columns: readonly string[],
  format: OutputFormat,
  terminal: Terminal,
): void {
  const { stdout, stderr } = terminal
  switch (format) {
    case 'json':
      stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
      return
    case 'ndjson':
      for (const row of rows) stdout.write(`${JSON.stringify(row)}\n`)
      return
    case 'csv':
      stdout.write(`${columns.join(',')}\n`)
      for (const row of rows) stdout.write(`${columns.map((column) => csvCell(row[column])).join(',')}\n`)
      return
    case 'table':
      if (rows.length === 0)
        stderr.write('Nothing in this span. Widen it with --from, or check where the history is.\n')
      else stdout.write(`${tableOf(rows, columns)}\n`)
      return
    default:
      format satisfies never
  }
}

function tableOf(rows: readonly Row[], columns: readonly string[]): string {
  const rule = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' }
  const frame = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' }
  const chars = { ...rule, ...frame, 'bottom-left': '', 'bottom-right': '', left: '', right: '', middle: '  ' }
  const numeric = (column: string) => rows.every((row) => row[column] === null || typeof row[column] === 'number')
  const table = new Table({
    head: columns.map((column) => column),
    colAligns: columns.map((column) => (numeric(column) ? 'right' : 'left')),
    chars,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  })
  for (const row of rows) table.push(columns.map((column) => cell(column, row[column])))
  return table.toString()
}

function cell(column: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (column === 'ratio' && typeof value === 'number') return `${(value * 100).toFixed(value < 0.1 ? 2 : 1)} %`
  if (typeof value === 'number') return Number.isInteger(value) ? value.toLocaleString('en-US') : String(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** RFC 4180, and no cell that a spreadsheet would run as a formula. */
function csvCell(value: unknown): string {
  const text =
    value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
