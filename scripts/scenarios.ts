/**
 * Lives through a library of incidents with the shipped rules, and on the same streams with the two usual ways to alert
 * on 402s, and prints who noticed what, when, and with how many messages. `--quiet-days N --tenants M` adds N ordinary
 * days of M customers, in which whoever speaks is wrong; `--quiet-only` leaves the incidents out. `--messages` prints
 * what Tollwatch said, `--no-rivals` leaves the others out, `--seed S` makes other customers and other days, `--json`.
 */
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { type Course, live, type Report } from '../test/scenarios/harness.ts'
import { incidents, quietDay } from '../test/scenarios/incidents.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '402' },
    tenants: { type: 'string', default: '2000' },
    'quiet-days': { type: 'string', default: '0' },
    'quiet-only': { type: 'boolean', default: false },
    'no-rivals': { type: 'boolean', default: false },
    messages: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const quietDays = Number(values['quiet-days'])
if (!Number.isInteger(seed) || !(quietDays >= 0) || !(Number(values.tenants) >= 50)) {
  console.error('scenarios: --seed takes a whole number, --quiet-days a number from 0 up, --tenants one from 50 up')
  process.exit(2)
}

const progress: NonNullable<Course['onProgress']> = (done, all) => {
  const percent = `${Math.round((100 * done) / all)} % of ${(all / 1440).toFixed(1)} days`
  if (process.stderr.isTTY) {
    if (done % 60 === 0 || done === all) process.stderr.write(`\r${percent}${done === all ? '\n' : ''}`)
  } else if (done % 1440 === 0) console.error(percent)
}

const common = { seed, warmUpMinutes: 24 * 60, rivals: !values['no-rivals'], onProgress: progress }
const incidentCourse = values['quiet-only']
  ? null
  : await live({ ...common, tenants: 200, gapMinutes: 6 * 60, incidents })
const quiet =
  quietDays === 0
    ? null
    : await live({
        ...{ ...common, tenants: Number(values.tenants), gapMinutes: 0 },
        incidents: [{ ...quietDay, minutes: Math.round(quietDays * 24 * 60) }],
      })

if (values.json) {
  console.log(
    JSON.stringify({ incidents: incidentCourse && plain(incidentCourse), quiet: quiet && plain(quiet) }, null, 2),
  )
} else {
  if (incidentCourse !== null) print(incidentCourse)
  if (quiet !== null) printFalse(`${quiet.days.toFixed(1)} ordinary days of ${values.tenants} tenants`, quiet)
}

function plain({ outcomes, falseAlerts, days }: Report) {
  return {
    days,
    outcomes: outcomes.map(({ incident, ...rest }) => ({ incident: incident.name, ...rest })),
    false_alerts: Object.fromEntries(falseAlerts),
  }
}

function print(report: Report): void {
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['incident', 'watcher', 'noticed after', 'alerts', 'messages', 'conversations'],
  })
  let last = ''
  for (const { incident, watcher, delayMinutes, alerts, messages, conversations } of report.outcomes) {
    const silent = incident.isAbout === null
    const noticed = silent ? (alerts === 0 && messages === 0 ? 'silent, rightly' : 'spoke') : delayText(delayMinutes)
    table.push([incident.name === last ? '' : incident.name, watcher, noticed, alerts, messages, conversations])
    last = incident.name
  }
  console.log(table.toString())
  if (values.messages) printMessages(report)
  printFalse(`${report.days.toFixed(1)} days of 200 tenants, beside the incidents`, report)
}

function printMessages({ outcomes }: Report): void {
  for (const { incident, watcher, told } of outcomes) {
    if (watcher !== 'Tollwatch') continue
    console.log(`\n${incident.name}: ${incident.story}`)
    for (const { minute, subject } of told) console.log(`  after ${minute.toFixed(1)} min  ${subject}`)
  }
}

function delayText(minutes: number | null): string {
  return minutes === null ? 'missed' : `${minutes} min`
}

function printFalse(where: string, { falseAlerts }: Report): void {
  console.log(`\nfalse alerts in ${where}`)
  for (const [watcher, found] of falseAlerts) {
    console.log(`  ${watcher}: ${found.length}`)
    if (watcher === 'Tollwatch') for (const one of found.slice(0, 20)) console.log(`    ${one}`)
  }
}
