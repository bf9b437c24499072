import type { Severity } from '../alert/alert.ts'
import { spanText } from '../alert/span.ts'
import type { DrillAnswer } from '../http/api/drills.ts'
import type { Clock } from '../time/clock.ts'
import { secondMs } from '../time/duration.ts'
import { exitCode, type Terminal } from './terminal.ts'

export interface DrillArguments {
  /** Null to let the routes decide. */
  readonly receiver: string | null
  readonly rule: string | null
  readonly severity: Severity
  /** How long to watch it. */
  readonly waitMs: number
  readonly json: boolean
}

/** Where a drill takes place: in a daemon, or in this process. */
export interface DrillPlace {
  /** Null when it cannot be, which has been said on stderr then. */
  start(asked: { receiver?: string; rule?: string; severity: Severity }): Promise<DrillAnswer | null>
  look(id: string): Promise<DrillAnswer | null>
  close(): Promise<void>
}

/**
 * `tollwatch drill [RECEIVER]`: sends a marked alert the way of a real one and says who was told, and after how long.
 *
 * @param signal ends the watching; the drill itself goes on to its end
 * @returns 0 when every way was told of the beginning, 1 when one was not
 */
export async function drillCommand(
  args: DrillArguments,
  deps: { place: DrillPlace; terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<number> {
  const { place, terminal, clock, signal } = deps
  const { receiver, rule, severity } = args
  const asked = { ...(receiver === null ? {} : { receiver }), ...(rule === null ? {} : { rule }), severity }
  const started = await place.start(asked)
  if (started === null) return exitCode.failed
  const shown = new Reporter(started, args.json ? { ...terminal, stdout: terminal.stderr } : terminal)
  const endMs = clock.now() + args.waitMs
  let drill = started
  shown.look(drill)
  while (!drill.done && clock.now() < endMs && !signal.aborted) {
    await clock.sleep(secondMs, signal)
    const next = await place.look(started.id)
    if (next === null) return exitCode.failed
    drill = next
    shown.look(drill)
  }
  if (args.json) terminal.stdout.write(`${JSON.stringify(drill, null, 2)}\n`)
  return shown.end(drill) ? exitCode.ok : exitCode.failed
}

/** Says what is new about a drill since the last look. */
class Reporter {
  readonly #terminal: Terminal
  readonly #startedMs: number
  readonly #said = new Set<string>()

  constructor({ id, rule, severity, labels, started_at }: DrillAnswer, terminal: Terminal) {
    this.#terminal = terminal
    this.#startedMs = Date.parse(started_at)
    const shown = Object.entries(labels).filter(([name]) => !['drill', 'drill_receiver', 'severity'].includes(name))
    const series = shown.map(([name, value]) => `${name}=${value}`).join(' ')
    terminal.stdout.write(`drill ${id}: ${rule} [${severity}] ${series}\n`)
  }

  look({ ways, messages }: DrillAnswer): void {
    for (const { receiver, integration, route, muted_by } of ways) {
      const name = `${receiver} (${integration})`
      this.#say(
        `way ${integration} ${route}`,
        `  ${route === '' ? 'the first route' : `route ${route}`} leads to ${name}`,
      )
      if (groupsItself(integration)) {
        this.#say(`self ${integration}`, `  ${name} takes alerts and groups them itself: look there`)
      }
      if (muted_by !== null)
        this.#say(`muted ${integration}`, `  ${name} is held back by ${muted_by.by} ${muted_by.name}`)
    }
    const told = new Map<string, number>()
    for (const { id, receiver, integration, state, settled_at, attempts, reason, subject } of messages) {
      const place = told.get(integration) ?? 0
      told.set(integration, place + 1)
      const name = `${receiver} (${integration})`
      const tried = attempts === null || attempts < 2 ? '' : `, at the ${attempts}th attempt`
      if (state === 'pending') {
        if (reason !== null) this.#say(`${id} ${attempts}`, `  ${name} failed ${attempts} times: ${reason}`)
        continue
      }
      const after = spanText(Date.parse(settled_at ?? '') - this.#startedMs)
      const what = place === 0 ? 'was told' : 'was told of the end'
      const text = state === 'sent' ? `${what} after ${after}${tried}: ${subject}` : `took nothing: ${reason}${tried}`
      this.#say(`${id} ${state}`, `  ${name} ${text}`)
    }
  }

  /** @returns whether everybody was told of the beginning */
  end({ ways, messages, done }: DrillAnswer): boolean {
    const wanted = ways.map(({ integration }) => integration).filter((one) => !groupsItself(one))
    const sent = new Set(messages.filter(({ state }) => state === 'sent').map(({ integration }) => integration))
    const missed = wanted.filter((integration) => !sent.has(integration))
    const { stdout } = this.#terminal
    if (ways.length === 0) stdout.write('nobody would be told: no route leads anywhere\n')
    else if (missed.length > 0) stdout.write(`not told: ${missed.join(', ')}\n`)
    else
      stdout.write(
        done ? 'everybody was told, and told of the end\n' : 'everybody was told; the end is still to come\n',
      )
    return ways.length > 0 && missed.length === 0
  }

  #say(key: string, line: string): void {
    if (this.#said.has(key)) return
    this.#said.add(key)
    this.#terminal.stdout.write(`${line}\n`)
  }
}

/** An Alertmanager gets alerts and no messages. */
function groupsItself(integration: string): boolean {
  return integration.split('/')[1] === 'alertmanager'
}
