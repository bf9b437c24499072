/*
 * Measures the spike detector on simulated traffic and writes the tables of docs/detector.md to stdout, in Markdown.
 *
 *   tsx scripts/detector-tables.ts [--quick] [false-alarms|tails|steps|cold-start|seasons|slow-path ...]
 *
 * Everything is seeded: a second run writes the same. `--quick` takes a twentieth of the series, to see that it works.
 */
import { parseArgs } from 'node:util'
import { delays, firings, slicesPerMinute, type Tenant } from '../test/alert/cold-start.ts'
import { Dice, day, type ProcessName, processes } from '../test/alert/processes.ts'
import { type StepOptions, stepDelays, summary } from '../test/alert/steps.ts'
import { expectedAlarms } from '../test/alert/tails.ts'
import { Fleet, minutesPerYear } from '../test/alert/trial.ts'

const { values, positionals } = parseArgs({ options: { quick: { type: 'boolean' } }, allowPositionals: true })
const scale = values.quick === true ? 0.05 : 1
const sections = new Map<string, () => void>([
  ['false-alarms', falseAlarms],
  ['tails', tails],
  ['steps', steps],
  ['cold-start', coldStart],
  ['seasons', seasons],
  ['slow-path', slowPath],
])
const alpha = 1e-6

/** Episodes in a series-year, after four days of learning; the rule checks its own chances as it does in the product. */
function episodesPerYear(options: {
  readonly process: ProcessName
  readonly perMinute: number
  readonly minCount: number
}): number {
  const { process: name, perMinute, minCount } = options
  const dice = new Dice(1000 * perMinute + minCount)
  const size = Math.round(1000 * scale)
  const days = 20
  const fleet = new Fleet({
    size,
    process: () => processes[name](dice, () => perMinute),
    trueRate: perMinute,
    logAlpha: Math.log(alpha),
    gates: { minCount },
    calibrate: true,
  })
  fleet.run(4 * day)
  fleet.startCounting()
  fleet.run(days * day)
  return sum(fleet.episodes) / ((size * days * day) / minutesPerYear)
}

const everyday: readonly (readonly [ProcessName, string, readonly number[]])[] = [
  ['poisson', 'Poisson', [0.005, 0.02, 0.1, 0.5, 2, 10, 50]],
  ['batches', 'batches of 3', [0.005, 0.02, 0.1, 0.5, 2, 10, 50]],
  ['wandering', 'wandering rate', [0.02, 0.1, 0.5, 2, 10, 50]],
  ['daily', 'daily cycle, traffic known', [0.02, 0.1, 0.5, 2, 10]],
]

function falseAlarms(): void {
  heading(`False episodes per series-year; the bound is ${(alpha * minutesPerYear).toFixed(2)}`)
  row(['traffic', 'events a minute', 'min_count 5', 'min_count 10'])
  row(['---', '---', '---', '---'])
  for (const [name, title, rates] of everyday) {
    for (const perMinute of rates) {
      progress(`false alarms: ${title} ${perMinute}`)
      const usual = episodesPerYear({ process: name, perMinute, minCount: 5 }).toFixed(2)
      const strict = perMinute > 0.1 ? '' : episodesPerYear({ process: name, perMinute, minCount: 10 }).toFixed(2)
      row([title, String(perMinute), usual, strict])
    }
  }
}

function tails(): void {
  heading('Expected false tests per series-year, as multiples of the bound')
  row(['traffic', 'events a minute', 'alpha 1e-6', 'alpha 2e-8'])
  row(['---', '---', '---', '---'])
  for (const [name, title] of [
    ['poisson', 'Poisson'],
    ['daily', 'daily cycle, traffic known'],
    ['batches', 'batches of 3'],
  ] as const) {
    for (const perMinute of [0.02, 0.1, 0.5, 2, 10]) {
      const cells = [alpha, 2e-8].map((one) => {
        progress(`tails: ${title} ${perMinute} at ${one}`)
        const size = Math.round(1200 * scale)
        const { perYear, error, bound } = expectedAlarms({ process: name, perMinute, alpha: one, size, seed: 5 })
        return `${(perYear / bound).toFixed(2)} ± ${(error / bound).toFixed(2)}`
      })
      row([title, String(perMinute), ...cells])
    }
  }
}

function stepCell(options: Omit<StepOptions, 'alpha' | 'size' | 'seed'>): string {
  const { share, median } = summary(stepDelays({ ...options, alpha, size: Math.round(400 * scale) + 8, seed: 3 }))
  const percent = `${(100 * share).toFixed(0)} %`
  return median === null ? percent : `${percent}, ${median}`
}

function steps(): void {
  heading('A step found within 60 minutes, and the median of the minutes it took')
  row(['traffic', 'events a minute', '×2', '×2, min_ratio 1.5', '×3', '×5', '×10'])
  row(['---', '---', '---', '---', '---', '---', '---'])
  for (const [name, title, rates] of everyday) {
    for (const perMinute of rates.filter((rate) => rate >= 0.02)) {
      progress(`steps: ${title} ${perMinute}`)
      const cells = [2, 3, 5, 10].map((factor) => stepCell({ process: name, perMinute, factor }))
      const low = stepCell({ process: name, perMinute, factor: 2, gates: { minRatio: 1.5 } })
      row([title, String(perMinute), cells[0] ?? '', low, ...cells.slice(1)])
    }
  }
}

function coldStart(): void {
  const phases = Array.from({ length: 30 }, (_, slice) => slice * 10_000)
  heading('An incident after so many minutes of calm, of which nothing was known before: found within 10 minutes')
  const calms = [2, 10, 20, 35, 60, 120, 180]
  row(['requests a minute', 'refused', ...calms.map((minutes) => `${minutes} min`)])
  row(['---', '---', ...calms.map(() => '---')])
  const cases = [
    [6, 0.5],
    [60, 0.25],
    [60, 0.05],
    [600, 0.25],
    [600, 0.02],
  ] as const
  for (const [perMinute, share] of cases) {
    const cells = calms.map((calmMinutes) => {
      progress(`cold start: ${perMinute} a minute, ${share}, ${calmMinutes} min`)
      const tenantsEach = Math.max(1, Math.round(8 * scale))
      const found = delays({
        ...{ calmMinutes, incidentMinutes: 10, perMinute, calmShare: 0.005, share, phases, tenantsEach },
      })
      const { share: noticed, median } = summary(found)
      return `${(100 * noticed).toFixed(0)} %${median === null ? '' : `, ${median.toFixed(1)}`}`
    })
    row([String(perMinute), `0.5 % → ${100 * share} %`, ...cells])
  }
  newcomers()
}

/** Series that begin long after the others, with and without something to borrow from. */
function newcomers(): void {
  heading('A tenant that appears after three hours, beside a fleet that has 0.5 % refused')
  row(['requests a minute', 'its refusals', 'with an alert within an hour', 'median minutes'])
  row(['---', '---', '---', '---'])
  const born = 180
  for (const perMinute of [12, 60, 600]) {
    for (const share of [0.005, 0.015, 0.05, 0.25]) {
      progress(`newcomers: ${perMinute} a minute, ${share}`)
      const found: (number | null)[] = []
      for (let run = 0; run < Math.max(1, Math.round(6 * scale)); run++) {
        const old: Tenant[] = Array.from({ length: 30 }, () => ({ perMinute: 60, shareAt: () => 0.005 }))
        const young: Tenant[] = Array.from({ length: 20 }, () => ({
          perMinute,
          shareAt: () => share,
          fromMinute: born,
        }))
        const options = { minutes: born + 60, phaseMs: (run * 7 * 60_000) / slicesPerMinute, seed: run + perMinute }
        for (const at of firings([...old, ...young], options).slice(30)) found.push((at[0] ?? 0) - born)
      }
      const told = found.map((delay) => (delay !== null && delay > 0 ? delay : null))
      const { share: noticed, median } = summary(told)
      row([
        ...[String(perMinute), `${100 * share} %`],
        ...[`${(100 * noticed).toFixed(0)} %`, median === null ? '' : median.toFixed(1)],
      ])
    }
  }
}

function seasons(): void {
  heading('Traffic that swings by 80 % over a day: what knowing it is worth')
  row(['events a minute', 'what is known', 'false episodes', '×3', '×5', '×10'])
  row(['---', '---', '---', '---', '---', '---'])
  for (const perMinute of [0.1, 0.5, 2, 10]) {
    for (const [name, title] of [
      ['dailyUnseen', 'nothing (exposure: time)'],
      ['daily', 'the traffic, or a perfect season'],
    ] as const) {
      progress(`seasons: ${title} ${perMinute}`)
      const cells = [3, 5, 10].map((factor) => stepCell({ process: name, perMinute, factor }))
      row([String(perMinute), title, episodesPerYear({ process: name, perMinute, minCount: 5 }).toFixed(2), ...cells])
    }
  }
}

/** A one-sided CUSUM of log-likelihood ratios for a doubled rate beside the windows, at the same false-alarm bound. */
function cusum(name: ProcessName, perMinute: number, factor: number): { perYear: number; median: number | null } {
  const size = Math.round(400 * scale) + 8
  const from = 10 * day
  const height = Math.log(1e7)
  const levels = new Float64Array(size)
  const last = new Int32Array(size).fill(-60)
  const firstAfter = new Int32Array(size).fill(-1)
  let episodes = 0
  const dice = new Dice(17)
  const watch = (fleet: Fleet, series: number, at: number): void => {
    const { mean, spread } = fleet.baselines.predict(series, 0, fleet.lastExposure(series))
    const y = fleet.lastCount(series)
    const r = 1 / spread
    const ratio = y * Math.LN2 - (y + r) * Math.log((2 * mean + r) / (mean + r))
    levels[series] = Math.max(0, (levels[series] ?? 0) + ratio)
    if ((levels[series] ?? 0) <= height) return
    levels[series] = 0
    if (at > from && (firstAfter[series] ?? 0) < 0) firstAfter[series] = at
    if (at > 3 * day && at <= from && at - (last[series] ?? 0) >= 60) episodes++
    last[series] = at
  }
  const fleet = new Fleet({
    ...{ size, trueRate: perMinute, logAlpha: Number.NEGATIVE_INFINITY, onTest: watch },
    process: () => processes[name](dice, (at) => (at > from ? factor * perMinute : perMinute)),
  })
  fleet.run(from + 180)
  const found = [...firstAfter].map((at) => (at < 0 ? null : at - from))
  return { perYear: episodes / ((size * 7 * day) / minutesPerYear), median: summary(found).median }
}

function slowPath(): void {
  heading('A CUSUM for a doubled rate (h = ln 1e7) beside the two windows (min_ratio 1.5), three hours to find ×2')
  row(['traffic', 'events a minute', 'CUSUM: false a year', 'CUSUM: median', 'windows: found, median'])
  row(['---', '---', '---', '---', '---'])
  for (const [name, title] of everyday) {
    for (const perMinute of [0.1, 0.5, 2, 10]) {
      progress(`slow path: ${title} ${perMinute}`)
      const { perYear, median } = cusum(name, perMinute, 2)
      const ours = stepCell({ process: name, perMinute, factor: 2, gates: { minRatio: 1.5 }, lasts: 180 })
      row([title, String(perMinute), perYear.toFixed(1), median === null ? '' : String(median), ours])
    }
  }
}

function heading(text: string): void {
  process.stdout.write(`\n### ${text}\n\n`)
}

function row(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}

function sum(values: Int32Array): number {
  return values.reduce((total, value) => total + value, 0)
}

const unknown = positionals.filter((name) => !sections.has(name))
if (unknown.length > 0) {
  process.stderr.write(`no section ${unknown.join(', ')}. Fix: use ${[...sections.keys()].join(', ')}.\n`)
  process.exitCode = 2
} else for (const [name, section] of sections) if (positionals.length === 0 || positionals.includes(name)) section()
