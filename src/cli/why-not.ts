import { labelsText } from '../alert/backtest-report.ts'
import { MinuteView } from '../alert/minute-view.ts'
import { lineOf, type Probe } from '../alert/probe.ts'
import type { Rule } from '../alert/rule.ts'
import { misfits, WhyNot, type WhyNotAnswer } from '../alert/why-not.ts'
import { minutesSpanMs, type Queries } from '../history/query.ts'
import type { Account } from '../notify/account.ts'
import { accountSentences } from '../notify/account-text.ts'
import { Rehearsal } from '../notify/rehearsal.ts'
import type { Routing } from '../notify/routing.ts'
import type { Silence } from '../notify/silence.ts'
import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import { formatInstant } from '../time/instant.ts'
import { misused } from './flags.ts'
import { progressOn } from './progress.ts'
import { exitCode, type Terminal } from './terminal.ts'

export interface WhyNotArguments {
  readonly rules: readonly Rule[]
  readonly rule: string
  /** As in `tenant=acme,api=chat`. */
  readonly labels: string
  readonly atMs: EpochMs
  readonly routing: Routing
  readonly silences: readonly Silence[]
  /** History before the moment that the rules learn from. */
  readonly warmUpMs: number
  readonly baselineSeriesLimit: number
  readonly json: boolean
}

/**
 * `tollwatch why-not`: lives through history up to a moment, with the real rules and the real routes, and tells what the
 * rule saw, which gates it passed, and who was told or why nobody was.
 *
 * @returns exit code: 0; 2 when there is no such rule or a label cannot be read
 */
export async function whyNotCommand(
  args: WhyNotArguments,
  { queries, terminal }: { queries: Pick<Queries, 'minutes'>; terminal: Terminal },
): Promise<number> {
  const rule = ruleOf(args)
  const labels = labelsOf(args.labels)
  const toMs = Math.floor(args.atMs / minuteMs) * minuteMs
  const startMs = toMs - Math.max(minuteMs, Math.floor(args.warmUpMs / minuteMs) * minuteMs)
  const { rules, baselineSeriesLimit, routing, silences } = args
  const whyNot = new WhyNot({ rules, rule, labels, atMs: toMs, baselineSeriesLimit })
  const rehearsal = await Rehearsal.open(routing, { startMs, silences })
  const view = new MinuteView(startMs)
  const bar = progressOn(terminal, 'replay', (toMs - startMs) / minuteMs)
  for (let at = startMs; at < toMs; at += minutesSpanMs) {
    const untilMs = Math.min(at + minutesSpanMs, toMs)
    const { rows } = await queries.minutes({ fromMs: at, toMs: untilMs })
    await view.take(rows, (untilMs - at) / minuteMs, async () => {
      const transitions = whyNot.step(view)
      await rehearsal.passTo(view.endMs)
      await rehearsal.accept(transitions)
      bar.advance(1)
    })
  }
  bar.done()
  const answer = whyNot.answer()
  const accounts = answer.series.map(({ alert }) =>
    alert === null ? null : rehearsal.account(alert.fingerprint, alert),
  )
  const found: Found = { rule, labels, toMs, answer, accounts }
  if (args.json) terminal.stdout.write(`${JSON.stringify(jsonOf(found), null, 2)}\n`)
  else print(found, terminal)
  return exitCode.ok
}

interface Found {
  readonly rule: Rule
  readonly labels: Readonly<Record<string, string>>
  readonly toMs: EpochMs
  readonly answer: WhyNotAnswer
  /** Who is told of each series' alert; null where there is none. */
  readonly accounts: readonly (Account | null)[]
}

function ruleOf({ rules, rule: name }: WhyNotArguments): Rule {
  const rule = rules.find((one) => one.name === name)
  if (rule !== undefined) return rule
  throw misused(`there is no rule ${name}; there are: ${rules.map((one) => one.name).join(', ')}`)
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').filter((part) => part.trim() !== '')
  return Object.fromEntries(
    pairs.map((part) => {
      const [, name, value] = /^\s*([a-z_]+)\s*=\s*"?([^"]*?)"?\s*$/.exec(part) ?? []
      if (name === undefined || value === undefined) throw misused(`--labels: "${part}" is no label; write tenant=acme`)
      return [name, value]
    }),
  )
}

/** One sentence that answers the question. */
function verdict({ rule, answer, accounts, labels }: Found): string {
  const [first] = answer.series
  if (first === undefined) {
    const others = misfits(rule, labels).length > 0 ? '' : ' (is the tenant spelt right?)'
    return `No alert: ${rule.name} had no such series in its windows${others}.`
  }
  const failed = first.gates.filter(({ passed }) => !passed)
  switch (first.state) {
    case 'inactive':
    case 'resolved': {
      const over = first.state === 'resolved' ? 'It has ended' : 'No alert'
      return failed.length === 0 ? `${over}.` : `${over}: ${failed.map(({ text }) => text).join('; ')}.`
    }
    case 'pending':
      return `Not yet: its condition holds, and must hold longer (${failed.map(({ text }) => text).join('; ')}).`
    case 'firing': {
      const told = accounts[0]?.ways ?? []
      const muted = told.flatMap((way) => (way.muted === null ? [] : [`${way.muted.by} ${way.muted.name}`]))
      if (rule.mode === 'shadow') return 'It fires, and nobody is told: the rule is on trial.'
      if (muted.length > 0) return `It fires, and is held back by ${[...new Set(muted)].join(', ')}.`
      return told.some((way) => way.told !== null) ? 'It fires, and was told.' : 'It fires, and will be told.'
    }
    default:
      return first.state satisfies never
  }
}

function print(found: Found, { stdout }: Terminal): void {
  const { rule, labels, toMs, answer, accounts } = found
  const asked = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  const write = (line: string) => void stdout.write(`${line}\n`)
  write(`${rule.name} {${asked.join(', ')}} at ${formatInstant(toMs)}`)
  write(verdict(found))
  for (const line of misfits(rule, labels)) write(line)
  const [first] = answer.series
  if (first !== undefined) {
    write(`\n${labelsText(first)}: ${first.state}`)
    for (const { passed, text } of first.gates) write(`  ${passed ? 'passed' : 'FAILED'}  ${text}`)
    for (const note of first.notes) write(`  ${note}`)
    write('\nthe minutes before')
    for (const one of answer.trail) write(`  ${formatInstant(one.atMs).slice(11, 16)}  ${lineOf(one)}`)
  }
  for (const one of answer.series.slice(1)) write(`\nalso ${lineOf(one)}`)
  if (answer.changes.length > 0) write('\nits states')
  for (const { atMs, state, labels: own } of answer.changes.slice(-20)) {
    write(`  ${formatInstant(atMs)} ${state} ${labelsText({ labels: own })}`)
  }
  for (const line of answer.status) write(`\n${line}`)
  const [account] = accounts
  if (account !== null && account !== undefined) {
    write('\nwho is told')
    for (const line of accountSentences(account, toMs)) write(`  ${line}`)
  }
}

function jsonOf(found: Found): unknown {
  const { rule, labels, toMs, answer, accounts } = found
  const seen = ({ atMs, labels: own, state, reading, gates, notes }: Probe) => ({
    ...{ at: formatInstant(atMs), labels: own, state, value: reading.value, observed: reading.observed },
    ...{ requests: reading.requests, window_ms: reading.windowMs, expected: reading.expected },
    ...{ p_value: reading.pValue, met: reading.met, gates, notes },
  })
  return {
    ...{ rule: rule.name, labels, at: formatInstant(toMs), verdict: verdict(found), misfits: misfits(rule, labels) },
    series: answer.series.map((one, place) => ({
      ...seen(one),
      told: accountSentences(accounts[place] ?? { ways: [], messages: [] }, toMs),
    })),
    trail: answer.trail.map(seen),
    changes: answer.changes.map(({ atMs, ...change }) => ({ at: formatInstant(atMs), ...change })),
    status: answer.status,
  }
}
