import type { Log } from '../fault/log.ts'
import { openReceivers } from '../notify/receivers.ts'
import { defaultRouting } from '../notify/routing.ts'
import { type Environment, loadRouting } from '../notify/routing-file.ts'
import type { Fetch } from '../notify/slack.ts'
import { testMessage } from '../notify/test-message.ts'
import { noDirectory } from '../tenants/directory.ts'
import type { Clock } from '../time/clock.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'

export interface TestReceiverArguments {
  readonly name: string
  /** The routing file; null for the built-in receivers only. */
  readonly file: string | null
  readonly environment: Environment
  readonly runbookUrl: string
}

export interface TestReceiverDeps {
  readonly terminal: Terminal
  readonly clock: Clock
  readonly fetch?: Fetch
}

/**
 * `tollwatch test-receiver NAME`: sends one marked message through every way of a receiver, past routes, groups and
 * silences and without the daemon.
 *
 * @returns 0 when all took it, 1 when one failed, 2 when there is no such receiver or the file has problems
 */
export async function testReceiverCommand(args: TestReceiverArguments, deps: TestReceiverDeps): Promise<number> {
  const { terminal, clock } = deps
  const loaded = args.file === null ? null : await loadRouting(args.file, args.environment)
  if (loaded !== null && !loaded.ok) {
    printProblems(loaded.problems, terminal)
    return exitCode.misused
  }
  const routing = loaded?.routing ?? defaultRouting
  const integrations = routing.receivers.get(args.name)
  if (integrations === undefined) {
    const known = [...routing.receivers.keys()].join(', ')
    terminal.stderr.write(`tollwatch: there is no receiver "${args.name}"; there are: ${known}\n`)
    return exitCode.misused
  }
  const only = { ...routing, receivers: new Map([[args.name, integrations]]) }
  const receivers = openReceivers(only, {
    log: printing(terminal),
    ...(deps.fetch === undefined ? {} : { fetch: deps.fetch }),
  })
  let code: number = exitCode.ok
  for (const [key, receiver] of receivers) {
    const context = {
      demo: false,
      timezone: routing.timezone,
      file: args.file ?? 'the built-in routing',
      pageUrl: null,
      runbookUrl: args.runbookUrl,
      dashboardUrl: null,
      current: () => null,
      trend: () => null,
      tenants: noDirectory,
      operator: { name: null, contact: null },
    }
    const delivery = await receiver.deliver(testMessage(args.name, key, clock.now(), context), { receipt: null })
    if (delivery.kind === 'sent') {
      terminal.stdout.write(`${key}: sent\n`)
    } else {
      terminal.stderr.write(`${key}: failed: ${delivery.reason} (${delivery.detail})\n`)
      code = exitCode.failed
    }
    await receiver.close()
  }
  return code
}

/** The `log` receiver writes where the person who tests it looks. */
function printing({ stdout, stderr }: Terminal): Log {
  return {
    debug() {},
    info: (message, fields) => void stdout.write(`${message} ${JSON.stringify(fields ?? {})}\n`),
    warn: (message, fields) => void stderr.write(`${message} ${JSON.stringify(fields ?? {})}\n`),
    error: (message, fields) => void stderr.write(`${message} ${JSON.stringify(fields ?? {})}\n`),
  }
}
