import { median, type Ratio, ratioOf } from './measure.ts'

/** One table of the result. */
export interface Figure {
  readonly title: string
  /** How it was measured, in a sentence or two. */
  readonly note: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** The same as numbers, with every round. */
  readonly data: unknown
}

/** How fast one variant was, round by round. */
export interface Rates {
  readonly name: string
  /** Records per CPU second. */
  readonly perCpuSecond: readonly number[]
  /** Records per second of wall time. */
  readonly perSecond: readonly number[]
}

/** A figure that sets variants of the same work side by side; a ratio is in CPU time, above 1 is faster than the base. */
export function ratesFigure(options: {
  title: string
  note: string
  rates: readonly Rates[]
  /** Names of the variants that the others are compared with. */
  bases: readonly string[]
  bytesPerRecord: number
}): Figure {
  const { rates, bytesPerRecord } = options
  const bases = options.bases.map((name) => {
    const base = rates.find((one) => one.name === name)
    if (base === undefined) throw new Error(`there is no variant ${name}`)
    return base
  })
  const compared = rates.map((one) => ({
    ...one,
    ratios: bases.map((base) => ratioOf(one.perCpuSecond, base.perCpuSecond)),
  }))
  return {
    title: options.title,
    note: options.note,
    columns: ['', 'k rec/CPU s', 'MB/CPU s', 'k rec/s wall', ...options.bases.map((name) => `x ${name}`)],
    rows: compared.map(({ name, perCpuSecond, perSecond, ratios }) => [
      name,
      thousands(median(perCpuSecond)),
      ((median(perCpuSecond) * bytesPerRecord) / 1e6).toFixed(0),
      thousands(median(perSecond)),
      ...ratios.map((ratio) => ratioText(ratio)),
    ]),
    data: { bytesPerRecord, variants: compared },
  }
}

function thousands(value: number): string {
  return (value / 1_000).toFixed(value < 100_000 ? 1 : 0)
}

function ratioText({ median: middle, low, high }: Ratio): string {
  return low === high ? middle.toFixed(2) : `${middle.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`
}

/** Milliseconds with their extremes. */
export function msText(values: readonly number[]): string {
  const text = (ms: number) => (ms < 10 ? ms.toFixed(2) : ms.toFixed(0))
  return `${text(median(values))} (${text(Math.min(...values))}-${text(Math.max(...values))})`
}

/** The figures as Markdown, columns padded so that they can be read as they stand. */
export function render(figures: readonly Figure[]): string {
  return figures.map((figure) => `### ${figure.title}\n${figure.note}\n\n${table(figure)}\n`).join('\n')
}

function table({ columns, rows }: Figure): string {
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
    return `| ${padded.join(' | ')} |`
  }
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(columns), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}
