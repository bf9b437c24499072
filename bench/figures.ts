import type { Measured } from './goals.ts'
import { median, type Ratio, ratioOf } from './measure.ts'
import { table } from './table.ts'

/** One table of the result. */
export interface Figure {
  readonly title: string
  /** How it was measured, in a sentence or two. */
  readonly note: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** The same as numbers, with every round. */
  readonly data: unknown
  /** What of it the table of goals shows. */
  readonly measured?: readonly Measured[]
}

/** How fast one variant was, round by round. */
export interface Rates {
  /** Records per CPU second. */
  readonly perCpuSecond: readonly number[]
  /** Records per second of wall time. */
  readonly perSecond: readonly number[]
}

/** One variant while it is being measured. */
export class Sample implements Rates {
  readonly perCpuSecond: number[] = []
  readonly perSecond: number[] = []

  add(count: number, { cpuMs, wallMs }: { cpuMs: number; wallMs: number }): void {
    this.perCpuSecond.push((count / cpuMs) * 1_000)
    this.perSecond.push((count / wallMs) * 1_000)
  }
}

/** A variant and the one it is compared with; a ratio above 1 is faster. Those without a base have none. */
export interface Compared {
  readonly name: string
  readonly rates: Rates
  readonly base?: Rates
}

/** A figure that sets variants of the same work side by side, each with its ratio to its base. */
export function ratesFigure(options: {
  title: string
  note: string
  variants: readonly Compared[]
  bytesPerRecord: number
  measured: readonly Measured[]
}): Figure {
  const { variants, bytesPerRecord, title, note, measured } = options
  const compared = variants.map(({ name, rates, base }) => ({
    name,
    perCpuSecond: rates.perCpuSecond,
    perSecond: rates.perSecond,
    cpuRatio: base === undefined ? null : ratioOf(rates.perCpuSecond, base.perCpuSecond),
    wallRatio: base === undefined ? null : ratioOf(rates.perSecond, base.perSecond),
  }))
  return {
    ...{ title, note, measured },
    columns: ['', 'k rec/CPU s', 'MB/CPU s', 'x, CPU time', 'k rec/s wall', 'x, wall'],
    rows: compared.map(({ name, perCpuSecond, perSecond, cpuRatio, wallRatio }) => [
      name,
      thousands(median(perCpuSecond)),
      ((median(perCpuSecond) * bytesPerRecord) / 1e6).toFixed(0),
      ratioText(cpuRatio),
      thousands(median(perSecond)),
      ratioText(wallRatio),
    ]),
    data: { bytesPerRecord, variants: compared },
  }
}

/** The ratio of two variants as the table of goals wants it. */
export function measuredRatio(
  goal: Measured['goal'],
  of: string,
  rates: readonly number[],
  base: readonly number[],
): Measured {
  const { median: value, low, high } = ratioOf(rates, base)
  return { goal, of, value, low, high }
}

export function thousands(value: number): string {
  return (value / 1_000).toFixed(value < 100_000 ? 1 : 0)
}

export function ratioText(ratio: Ratio | null): string {
  if (ratio === null) return ''
  const { median: middle, low, high } = ratio
  return low === high ? middle.toFixed(2) : `${middle.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`
}

/** Milliseconds with their extremes. */
export function msText(values: readonly number[]): string {
  const text = (ms: number) => (ms < 10 ? ms.toFixed(2) : ms.toFixed(0))
  return `${text(median(values))} (${text(Math.min(...values))}-${text(Math.max(...values))})`
}

/** The figures as Markdown. */
export function render(figures: readonly Figure[]): string {
  return figures
    .map(({ title, note, columns, rows }) => `### ${title}\n${note}\n\n${table(columns, rows)}\n`)
    .join('\n')
}
