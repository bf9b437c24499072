import { Readable } from 'node:stream'
import { startApp } from '../app.ts'
import { loadConfig, loadDefaults, type Overrides } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { messageOf } from '../fault/fault.ts'
import { takeStandardInput } from '../source/standard-input.ts'
import { createLog } from '../telemetry/log.ts'
import { systemClock } from '../time/clock.ts'
import { lookBehind } from './check-config.ts'
import { removeDaemonNote, writeDaemonNote } from './daemon-file.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'

/** `tollwatch run`: the daemon, until SIGTERM or SIGINT. Wrong settings: all of them are told and nothing is started. */
export async function runCommand(
  args: { file: string | null; overrides: Overrides; demo: boolean; version: string },
  terminal: Terminal,
): Promise<number> {
  // Simulated traffic must never reach the history that a tollwatch.yaml lying here names.
  const isDemoAlone = args.demo && args.file === null
  const loaded = isDemoAlone ? loadDefaults(args.overrides) : loadConfig(args.file, args.overrides, process.env)
  const behind = loaded.ok ? await lookBehind(loaded.config, loaded.folder) : loaded
  if (!loaded.ok || !('tenants' in behind) || behind.problems.length > 0) {
    printProblems(behind.problems, terminal)
    return exitCode.misused
  }
  const { config } = loaded
  const log = createLog({ level: config.telemetry.log_level, clock: systemClock })
  const app = await startApp({
    ...loaded,
    ...{
      tenants: behind.tenants,
      demo: args.demo,
      version: args.version,
      clock: systemClock,
      log,
      random: Math.random,
      environment: process.env,
      input: inputFor(config),
    },
  })
  const directory = config.history.data_dir
  writeDaemonNote(directory, { pid: process.pid, url: app.pageUrl })
  if (args.demo)
    terminal.stdout.write('Tollwatch shows DEMO DATA: simulated gateway traffic with scripted incidents.\n')
  terminal.stdout.write(`Page     ${app.pageUrl}\nMetrics  ${app.metricsUrl}\n`)
  log.info('tollwatch is up', { page: app.pageUrl, metrics: app.metricsUrl, version: args.version, demo: args.demo })
  try {
    return await untilStopped(app, log)
  } finally {
    removeDaemonNote(directory)
  }
}

/** Beside the embedded store nothing may stay at the place where the standard input usually is. */
function inputFor({ source, history }: Config): Readable {
  if (!source.stdin) return Readable.from([])
  return history.clickhouse === undefined ? takeStandardInput() : process.stdin
}

async function untilStopped(
  app: Awaited<ReturnType<typeof startApp>>,
  log: ReturnType<typeof createLog>,
): Promise<number> {
  const asked = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        // A second one means now: what was announced is completed by the next start.
        process.once(signal, () => process.exit(exitCode.failed))
        resolve(signal)
      })
    }
  })
  const failure = app.started.then(
    () => new Promise<never>(() => {}),
    (error: unknown) => `${messageOf(error)}`,
  )
  const reason = await Promise.race([asked.then((signal) => ({ signal })), failure.then((text) => ({ text }))])
  if ('text' in reason) log.error(`tollwatch cannot start: ${reason.text}`)
  else log.info(`${reason.signal}: writing what was read, then leaving`)
  const drained = await app.stop()
  log.info(drained ? 'everything that was read is in history' : 'left before everything was written')
  return 'text' in reason || !drained ? exitCode.failed : exitCode.ok
}
