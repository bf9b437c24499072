import { table } from './table.ts'

/** What the hot path is to reach: a value that must hold in any run, and one to aim at. */
interface Goal {
  readonly title: string
  readonly unit: 'x' | 'B' | 'ms'
  readonly better: 'more' | 'less'
  readonly hold: number
  readonly aim: number
}

const goals = {
  bytes: {
    title: 'batch bytes to counters, against kafkajs decode + JSON.parse + Map',
    ...{ unit: 'x', better: 'more', hold: 6, aim: 12 },
  },
  loopback: {
    title: 'real broker to windows, against kafkajs + JSON.parse + Map, wall',
    ...{ unit: 'x', better: 'more', hold: 5, aim: 10 },
  },
  chdb: {
    title: 'NDJSON file to counts, against chDB with 1 thread',
    ...{ unit: 'x', better: 'more', hold: 1.5, aim: 2.5 },
  },
  duckdb: {
    title: 'NDJSON file to counts, against DuckDB with 1 thread',
    ...{ unit: 'x', better: 'more', hold: 1.2, aim: 2 },
  },
  whole: {
    title: 'windows + history + alerts, against the windows alone',
    ...{ unit: 'x', better: 'more', hold: 0.7, aim: 0.85 },
  },
  memory: {
    title: 'memory per live series at 1,000,000',
    ...{ unit: 'B', better: 'less', hold: 1_024, aim: 256 },
  },
  alerts: {
    title: 'alert inputs of 100,000 series x 3 windows',
    ...{ unit: 'ms', better: 'less', hold: 5, aim: 1 },
  },
  lag: {
    title: 'lag of a live record into /api/v1/live, p99 at half load',
    ...{ unit: 'ms', better: 'less', hold: 1_000, aim: 250 },
  },
  series: {
    title: 'records/s at 1,000,000 live series, against 1,000',
    ...{ unit: 'x', better: 'more', hold: 0.5, aim: 0.8 },
  },
} as const satisfies Readonly<Record<string, Goal>>

export type GoalName = keyof typeof goals

/** One value that a goal asks for. */
export interface Measured {
  readonly goal: GoalName
  /** Which records, and what else sets it apart: `kong, lz4`; empty where there is one only. */
  readonly of: string
  readonly value: number
  /** Extremes over the rounds; missing where there is one value. */
  readonly low?: number
  readonly high?: number
}

/** A measured value beside what it was to be, as numbers. */
export interface Judged extends Measured, Goal {
  readonly held: boolean
  readonly reached: boolean
}

/** In the order of the goals. */
export function judged(measured: readonly Measured[]): readonly Judged[] {
  const names = Object.keys(goals) as GoalName[]
  return names.flatMap((name) => measured.filter(({ goal }) => goal === name).map(judge))
}

function judge(measured: Measured): Judged {
  const goal: Goal = goals[measured.goal]
  const reaches = (bound: number) => (goal.better === 'more' ? measured.value >= bound : measured.value <= bound)
  return { ...measured, ...goal, held: reaches(goal.hold), reached: reaches(goal.aim) }
}

/** The goals as a table, with those that this run left out named below it. */
export function renderGoals(all: readonly Judged[]): string {
  const columns = ['figure', 'records', 'measured', 'hold', 'aim', '']
  const rows = all.map((one) => [one.title, one.of, spread(one), text(one, one.hold), text(one, one.aim), verdict(one)])
  const missing = Object.entries(goals).filter(([name]) => !all.some(({ goal }) => goal === name))
  const left = missing.map(([, { title }]) => `Not measured in this run: ${title}.`)
  return [...(rows.length === 0 ? [] : [table(columns, rows)]), ...left].join('\n')
}

function verdict({ held, reached }: Judged): string {
  if (!held) return 'NOT HELD'
  return reached ? 'aim reached' : 'held'
}

function spread(one: Judged): string {
  const { value, low, high } = one
  if (low === undefined || high === undefined || low === high) return text(one, value)
  return `${text(one, value)} (${number(one, low)}-${number(one, high)})`
}

function text(goal: Goal, value: number): string {
  return goal.unit === 'x' ? `${number(goal, value)}x` : `${number(goal, value)} ${goal.unit}`
}

function number({ unit }: Goal, value: number): string {
  if (unit === 'x') return value.toFixed(2)
  return value < 10 && unit === 'ms' ? value.toFixed(2) : value.toFixed(0)
}
