import { readFileSync } from 'node:fs'
import { type Score, type ScoreInput, scoreSeries, usualStepMs } from '../alert/score.ts'
import { messageOf } from '../fault/fault.ts'
import { parseDuration } from '../time/duration.ts'
import { formatInstant, parseInstant } from '../time/instant.ts'
import { exitCode, type Terminal } from './terminal.ts'

export interface ScoreCommandOptions {
  readonly csv: string
  /** As on the command line: `5m`; `up`, `down` or `both`; a number as text or number. */
  readonly window?: string | undefined
  readonly direction?: string | undefined
  readonly falseAlertsPerWeek?: string | number | undefined
  readonly json?: boolean | undefined
}

/**
 * `tollwatch score --csv FILE`: the spike detector over a CSV of `time,count[,exposure]`.
 *
 * @returns exit code: 0, or 2 when an argument or the file cannot be used
 */
export function scoreCommand(options: ScoreCommandOptions, terminal: Terminal): number {
  const windowMs = parseDuration(options.window ?? '5m')
  const direction = options.direction ?? 'up'
  const falseAlertsPerWeek = Number(options.falseAlertsPerWeek ?? 1)
  const bad: string[] = []
  if (windowMs === null || windowMs <= 0) bad.push('--window is no duration. Fix: write one such as 5m.')
  if (direction !== 'up' && direction !== 'down' && direction !== 'both') {
    bad.push('--direction is not known. Fix: use up, down or both.')
  }
  if (!(falseAlertsPerWeek > 0)) bad.push('--false-alerts-per-week is no number above 0. Fix: write one such as 1.')
  let text = ''
  try {
    text = readFileSync(options.csv, 'utf8')
  } catch (error) {
    bad.push(`${options.csv}: cannot be read (${messageOf(error)}). Fix: check the path.`)
  }
  const parsed = parseCsv(text)
  bad.push(...parsed.problems.map((problem) => `${options.csv}:${problem}`))
  if (bad.length > 0 || windowMs === null || (direction !== 'up' && direction !== 'down' && direction !== 'both')) {
    for (const line of bad) terminal.stderr.write(`${line}\n`)
    return exitCode.misused
  }
  const stepMs = usualStepMs(parsed.rows)
  const scores = scoreSeries(parsed.rows, stepMs, { windowMs, direction, falseAlertsPerWeek })
  const lines = scores.map(options.json === true ? jsonLine : tableLine)
  if (options.json !== true) lines.unshift(tableHead)
  terminal.stdout.write(`${lines.join('\n')}\n`)
  const episodes = scores.filter(({ fired }, at) => fired && scores[at - 1]?.fired !== true).length
  const fired = scores.filter((score) => score.fired).length
  const alerts = episodes === 1 ? '1 alert' : `${episodes} alerts`
  terminal.stderr.write(`${scores.length} rows, ${fired} of them in ${alerts}\n`)
  return exitCode.ok
}

const mostProblems = 20

/** Reads the rows; a first line without numbers names the columns, else they are time, count, exposure. */
export function parseCsv(text: string): { rows: readonly ScoreInput[]; problems: readonly string[] } {
  const rows: ScoreInput[] = []
  const problems: string[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  let columns = { time: 0, count: 1, exposure: 2 }
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue
    const cells = line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
    if (rows.length === 0 && problems.length === 0 && readTime(cells[0] ?? '') === null) {
      const named = columnsOf(cells)
      if (named !== null) {
        columns = named
        continue
      }
    }
    const row = readRow(cells, columns, rows.at(-1)?.timeMs ?? null)
    if (typeof row === 'string') problems.push(`${at + 1}: ${row}`)
    else rows.push(row)
    if (problems.length >= mostProblems) break
  }
  if (rows.length === 0 && problems.length === 0) problems.push('1: has no rows. Fix: write lines of time,count.')
  return { rows, problems }
}

function columnsOf(cells: readonly string[]): { time: number; count: number; exposure: number } | null {
  const find = (...names: string[]) => cells.findIndex((cell) => names.includes(cell.toLowerCase()))
  const time = find('time', 'timestamp', 'date', 'bucket')
  const count = find('count', 'value', 'payment_required')
  if (time < 0 || count < 0) return null
  return { time, count, exposure: find('exposure', 'requests', 'total') }
}

function readRow(
  cells: readonly string[],
  columns: { time: number; count: number; exposure: number },
  lastMs: number | null,
): ScoreInput | string {
  const timeMs = readTime(cells[columns.time] ?? '')
  const count = readNumber(cells[columns.count])
  const exposureText = cells[columns.exposure] ?? ''
  const exposure = exposureText === '' ? null : readNumber(exposureText)
  if (timeMs === null) return 'the time cannot be read. Fix: write ISO 8601 in UTC or epoch milliseconds.'
  if (lastMs !== null && timeMs <= lastMs) return 'the time is not after the one before. Fix: sort the rows by time.'
  if (count === null) return 'the count is no number from 0 up. Fix: write one, such as 3.'
  if (exposureText !== '' && exposure === null)
    return 'the exposure is no number from 0 up. Fix: write one, such as 100.'
  return { timeMs, count, exposure }
}

function readTime(text: string): number | null {
  if (/^\d{9,10}$/.test(text)) return Number(text) * 1000
  // `2026-03-02 09:00:00` means UTC here as everywhere, never the zone of the machine.
  return parseInstant(text.replace(/^(\d{4}-\d{2}-\d{2}) /, '$1T'), 0)
}

function readNumber(text: string | undefined): number | null {
  if (text === undefined || text === '') return null
  const value = Number(text)
  return Number.isFinite(value) && value >= 0 ? value : null
}

function jsonLine(score: Score): string {
  return JSON.stringify({
    time: formatInstant(score.timeMs),
    count: score.count,
    expected: round(score.expected),
    upper: score.upper,
    p_value: score.pValue,
    fired: score.fired,
    window_count: score.windowCount,
    window_expected: round(score.windowExpected),
    learning: score.learning,
  })
}

const tableHead = `${'time'.padEnd(24)} ${'count'.padStart(8)} ${'expected'.padStart(9)} ${'upper'.padStart(8)} ${'p'.padStart(9)}`

function tableLine(score: Score): string {
  const cells = [
    formatInstant(score.timeMs).padEnd(24),
    String(score.count).padStart(8),
    score.expected.toFixed(2).padStart(9),
    String(score.upper).padStart(8),
    score.pValue.toPrecision(2).padStart(9),
  ]
  const note = score.fired ? '  FIRED' : score.learning ? '  learning' : ''
  return cells.join(' ') + note
}

function round(value: number): number {
  return Number(value.toPrecision(6))
}
