import { readFileSync, writeFileSync } from 'node:fs'

export interface FaultRow {
  readonly what: string
  count: number
  /** From the end of the fault until everything in the topic was counted; null where none was timed. */
  longestRecoveryMs: number | null
}

/** One soak in one world. */
export interface Course {
  readonly store: 'embedded' | 'server'
  readonly seed: number
  minutes: number
  readonly faults: Map<string, FaultRow>
  /** Kills that fell between intent and commit of at least one partition. */
  killsInWrite: number
  interruptedWritesCompleted: number
  records: number
  refused: number
  unreadable: number
  lost: number
  doubled: number
  audits: number
  /** Everything that was ever wrong, in sentences. */
  readonly differences: string[]
  verify: 'clean' | 'not clean' | 'not run'
  peakMemoryMib: number
}

export function plain(course: Course): object {
  return { ...course, faults: Object.fromEntries(course.faults) }
}

/** The courses as two tables, for people and for docs/reliability.md. */
export function markdown(courses: readonly Course[]): string {
  return courses.map(table).join('\n')
}

function table(course: Course): string {
  const store = course.store === 'embedded' ? 'history inside the daemon' : 'history on a ClickHouse server'
  const rows = [...course.faults.values()].map(({ what, count, longestRecoveryMs }) => {
    const recovery = longestRecoveryMs === null ? '' : `${(longestRecoveryMs / 1000).toFixed(1)} s`
    return `| ${what} | ${count} | ${recovery} |`
  })
  const figures: [string, string][] = [
    ['kills that fell into a write', number(course.killsInWrite)],
    ['interrupted writes completed by the next daemon', number(course.interruptedWritesCompleted)],
    ['records in the topic', number(course.records)],
    ['refused with 402', number(course.refused)],
    ['unreadable values, all dead letters', number(course.unreadable)],
    ['**records lost**', `**${number(course.lost)}**`],
    ['**records doubled**', `**${number(course.doubled)}**`],
    ['audits of history and all four windows', number(course.audits)],
    ['`history verify`', course.verify],
    ['differences of any kind', number(course.differences.length)],
    ['most memory of a daemon', `${Math.round(course.peakMemoryMib)} MiB`],
  ]
  return [
    `**${course.minutes.toFixed(0)} minutes, ${store}, seed ${course.seed}**`,
    '',
    '| fault | times | longest recovery |',
    '|---|---:|---:|',
    ...rows,
    '',
    '| figure | |',
    '|---|---:|',
    ...figures.map(([name, value]) => `| ${name} | ${value} |`),
    '',
  ].join('\n')
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}

const begin = '<!-- soak: begin -->'
const end = '<!-- soak: end -->'

/** Writes the tables between the two marks of a page, or as the whole file where it has none. */
export function placeInto(file: string, text: string): void {
  let page = ''
  try {
    page = readFileSync(file, 'utf8')
  } catch {
    // A new file then.
  }
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  const whole = from < 0 || to < from ? text : `${page.slice(0, from + begin.length)}\n${text}${page.slice(to)}`
  writeFileSync(file, whole)
}
