import { Backtest } from '../alert/backtest.ts'
import { labelsText } from '../alert/backtest-report.ts'
import { MinuteView } from '../alert/minute-view.ts'
import type { Rule } from '../alert/rule.ts'
import { Fault } from '../fault/fault.ts'
import { minutesSpanMs, type Queries } from '../history/query.ts'
import { countMessages, wayName } from '../notify/message-counts.ts'
import { Rehearsal } from '../notify/rehearsal.ts'
import type { Routing } from '../notify/routing.ts'
import type { Silence } from '../notify/silence.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { minuteMs, secondMs } from '../time/duration.ts'
import { formatInstant } from '../time/instant.ts'
import { progressOn } from './progress.ts'
import { exitCode, type Terminal } from './terminal.ts'

export interface DryRunArguments {
  readonly rules: readonly Rule[]
  readonly routing: Routing
  /** Those that people have added to the daemon. */
  readonly silences: readonly Silence[]
  /** History before now that the rules learn from. */
  readonly warmUpMs: number
  /** How long after its end a minute is taken for complete: lateness and writing need their time. */
  readonly delayMs: number
  readonly baselineSeriesLimit: number
}

export interface DryRunDeps {
  readonly queries: Pick<Queries, 'minutes'>
  readonly terminal: Terminal
  readonly clock: Clock
  /** Ends the run; the summary comes all the same. */
  readonly signal: AbortSignal
}

/**
 * `tollwatch rules dry-run`: reads each minute that a running daemon has written, evaluates the rules on it and prints
 * what they find and what would be sent. Nothing is sent, and nothing is stored.
 */
export async function dryRunCommand(args: DryRunArguments, deps: DryRunDeps): Promise<number> {
  const { clock, signal, terminal } = deps
  const { delayMs, warmUpMs, rules, routing } = args
  const lastWhole = () => Math.floor((clock.now() - delayMs) / minuteMs) * minuteMs
  const fromMs = lastWhole()
  const startMs = fromMs - Math.floor(warmUpMs / minuteMs) * minuteMs
  const run: Run = {
    view: new MinuteView(startMs),
    test: new Backtest(rules, { reportFromMs: fromMs + 1, baselineSeriesLimit: args.baselineSeriesLimit }),
    rehearsal: await Rehearsal.open(routing, { startMs: fromMs, silences: args.silences }),
    printed: 0,
    ...deps,
  }
  const bar = progressOn(terminal, 'learning', warmUpMs / minuteMs)
  await takeTo(fromMs, run, () => bar.advance(1))
  bar.done()
  terminal.stdout.write(`${formatInstant(clock.now())} ${rules.length} rules are watching; Ctrl-C ends it\n`)
  while (!signal.aborted) {
    const dueMs = run.view.endMs + minuteMs + delayMs
    await clock.sleep(Math.max(secondMs, dueMs - clock.now()), signal)
    if (!signal.aborted) await patiently(run, lastWhole())
  }
  printSummary(run, { fromMs, rules, routing })
  return exitCode.ok
}

interface Run extends DryRunDeps {
  readonly view: MinuteView
  readonly test: Backtest
  readonly rehearsal: Rehearsal
  /** Messages that have been printed. */
  printed: number
}

/** A daemon that is being restarted is asked again a little later; nothing is missed, for history has it. */
async function patiently(run: Run, toMs: EpochMs): Promise<void> {
  try {
    await takeTo(toMs, run)
  } catch (error) {
    if (!(error instanceof Fault) || !error.retryable) throw error
    run.terminal.stderr.write(`${error.message}; trying again\n`)
    await run.clock.sleep(10 * secondMs, run.signal)
  }
}

async function takeTo(toMs: EpochMs, run: Run, closed: () => void = () => {}): Promise<void> {
  const { view, queries, signal } = run
  while (view.endMs < toMs && !signal.aborted) {
    const fromMs = view.endMs
    const untilMs = Math.min(toMs, fromMs + minutesSpanMs)
    const { rows } = await queries.minutes({ fromMs, toMs: untilMs })
    await view.take(rows, (untilMs - fromMs) / minuteMs, async () => {
      await step(run)
      closed()
    })
  }
}

async function step(run: Run): Promise<void> {
  const { test, view, rehearsal, terminal } = run
  const transitions = test.step(view)
  await rehearsal.passTo(view.endMs)
  for (const { alert } of transitions) {
    const trial = alert.shadow ? ' (on trial, nobody would be told)' : ''
    const summary = alert.annotations['summary'] ?? ''
    const line = `${alert.state} ${alert.rule} [${alert.severity}] ${labelsText(alert)}${trial}: ${summary}`
    terminal.stdout.write(`${formatInstant(view.endMs)} ${line}\n`)
  }
  await rehearsal.accept(transitions)
  for (const { atMs, integration, receiver, subject } of rehearsal.messages.slice(run.printed)) {
    terminal.stdout.write(`${formatInstant(atMs)} would send to ${receiver} (${integration}): ${subject}\n`)
  }
  run.printed = rehearsal.messages.length
}

function printSummary(
  { test, rehearsal, terminal: { stdout }, view }: Run,
  { fromMs, rules, routing }: { fromMs: EpochMs; rules: readonly Rule[]; routing: Routing },
): void {
  const minutes = (view.endMs - fromMs) / minuteMs
  stdout.write(`\n${minutes} ${minutes === 1 ? 'minute' : 'minutes'} judged, from ${formatInstant(fromMs)} on\n`)
  const episodes = test.episodes()
  for (const { name } of rules) {
    const own = episodes.filter(({ rule }) => rule === name)
    const open = own.filter(({ resolvedAtMs }) => resolvedAtMs === null).length
    stdout.write(
      `  ${name}: fired ${own.length} ${own.length === 1 ? 'time' : 'times'}${open > 0 ? `, ${open} still firing` : ''}\n`,
    )
  }
  const counts = countMessages(rehearsal.messages, routing)
  const sums = counts.map((one) => `${one.messages} to ${wayName(one, counts)}`)
  stdout.write(sums.length === 0 ? 'nothing would have been sent\n' : `would have been sent: ${sums.join(', ')}\n`)
}
