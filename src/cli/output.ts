import Table from 'cli-table3'
import { type Colour, type Paint, paintOn, printable } from './colour.ts'
import { misused } from './flags.ts'
import type { Terminal } from './terminal.ts'

export const outputFormats = ['table', 'json', 'csv', 'ndjson'] as const

export type OutputFormat = (typeof outputFormats)[number]

type Row = Readonly<Record<string, unknown>>

/** The format that the flags name. @throws Fault `argument-invalid` */
export function formatNamed(args: { readonly format?: string; readonly json?: boolean }): OutputFormat {
  if (args.json === true) return 'json'
  const format = outputFormats.find((one) => one === (args.format ?? 'table'))
  if (format === undefined) throw misused(`--format ${args.format} is unknown; use ${outputFormats.join(', ')}`)
  return format
}

/** Prints rows in the wished format. An empty table says so on stderr instead of printing a lone header. */
export function printRows(
  rows: readonly Row[],
  columns: readonly string[],
  format: OutputFormat,
  terminal: Terminal,
  nothing = 'Nothing in this span. Widen it with --from, or check where the history is.',
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
      if (rows.length === 0) stderr.write(`${nothing}\n`)
      else stdout.write(`${tableOf(rows, columns, paintOn(terminal))}\n`)
      return
    default:
      format satisfies never
  }
}

function tableOf(rows: readonly Row[], columns: readonly string[], paint: Paint): string {
  const rule = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' }
  const frame = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' }
  const chars = { ...rule, ...frame, 'bottom-left': '', 'bottom-right': '', left: '', right: '', middle: '  ' }
  const numeric = (column: string) => rows.every((row) => row[column] === null || typeof row[column] === 'number')
  const table = new Table({
    head: columns.map((column) => paint(printable(column), 'dim')),
    colAligns: columns.map((column) => (numeric(column) ? 'right' : 'left')),
    chars,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  })
  for (const row of rows) {
    table.push(
      columns.map((column) => {
        const text = printable(cell(column, row[column]))
        const colour = colourOf(column, row[column])
        return colour === null ? text : paint(text, colour)
      }),
    )
  }
  return table.toString()
}

/** What should catch the eye: shares of a hundredth and of a twentieth, and what an alert does. */
function colourOf(column: string, value: unknown): Colour | null {
  if (column === 'ratio' && typeof value === 'number') return value >= 0.05 ? 'red' : value >= 0.01 ? 'yellow' : null
  if (column === 'payment_required' && typeof value === 'number') return value > 0 ? 'bold' : 'dim'
  if (column === 'trend') return 'yellow'
  if (column !== 'state') return null
  return value === 'firing' ? 'red' : value === 'pending' ? 'yellow' : value === 'resolved' ? 'green' : null
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
