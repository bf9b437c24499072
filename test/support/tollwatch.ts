import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, type Exit, freePort, run, startChild, waitFor } from './process.ts'
import { fromDesk, tempDir } from './run-context.ts'

export interface DaemonOptions {
  /** Arguments after `run`; `--http`, `--metrics` and `-c` are added. */
  readonly args?: readonly string[]
  /** Text of a configuration file, written as `tollwatch.yaml` into the folder. */
  readonly config?: string
  readonly env?: Readonly<Record<string, string>>
  /** Working folder; give an earlier daemon's to go on with its data. A fresh one by default. */
  readonly dir?: string
  /** Where to listen; free ports by default. */
  readonly httpPort?: number
  readonly metricsPort?: number
  /** False returns as soon as the process runs, for starts that are meant to fail or to wait. */
  readonly waitUntilReady?: boolean
  readonly readyTimeoutMs?: number
}

/** The built daemon as a process of its own. */
export interface Daemon {
  /** Its working folder, which holds `data/` and its configuration. */
  readonly dir: string
  readonly url: string
  readonly metricsUrl: string
  readonly child: Child
  /** stdout and stderr so far. */
  logs(): string
  ready(timeoutMs?: number): Promise<void>
  /** JSON of a path such as `/api/v1/alerts`; throws for anything but 2xx. */
  get<T = unknown>(path: string): Promise<T>
  /** The text of `/metrics`. */
  metrics(): Promise<string>
  /** SIGKILL. */
  kill(): Promise<Exit>
  /** SIGTERM; resolves with how it ended. */
  stop(graceMs?: number): Promise<Exit>
}

/** `dist/main.js`, built from the sources as they are now, once in a test run. `TOLLWATCH_DIST` names another to use. */
export async function builtMain(): Promise<string> {
  return process.env['TOLLWATCH_DIST'] ?? fromDesk('dist')
}

/** Runs `tollwatch run` and waits until `/readyz` says yes. */
export async function startTollwatch(options: DaemonOptions = {}): Promise<Daemon> {
  const main = await builtMain()
  const dir = options.dir ?? tempDir('daemon')
  const httpPort = options.httpPort ?? (await freePort())
  const metricsPort = options.metricsPort ?? (await freePort())
  const config = join(dir, 'tollwatch.yaml')
  if (options.config !== undefined) writeFileSync(config, options.config)
  const child = startChild(
    process.execPath,
    [
      main,
      'run',
      ...(options.config === undefined ? [] : ['-c', config]),
      ...(options.args ?? []),
      '--http',
      `127.0.0.1:${httpPort}`,
      '--metrics',
      `127.0.0.1:${metricsPort}`,
    ],
    { cwd: dir, ...(options.env === undefined ? {} : { env: options.env }) },
  )
  const daemon = daemonOf(child, { dir, httpPort, metricsPort })
  if (options.waitUntilReady !== false) await daemon.ready(options.readyTimeoutMs)
  return daemon
}

function daemonOf(child: Child, place: { dir: string; httpPort: number; metricsPort: number }): Daemon {
  const url = `http://127.0.0.1:${place.httpPort}`
  const metricsUrl = `http://127.0.0.1:${place.metricsPort}/metrics`
  const fetched = async (address: string): Promise<Response> => {
    const response = await fetch(address)
    if (!response.ok) throw new Error(`${address} answered ${response.status}: ${await response.text()}`)
    return response
  }
  return {
    dir: place.dir,
    url,
    metricsUrl,
    child,
    logs: () => child.output(),
    ready: async (timeoutMs = 60_000) => {
      await waitFor('Tollwatch to be ready', async () => (await fetched(`${url}/readyz`)).ok, {
        timeoutMs,
        everyMs: 100,
        failed: () => (child.ended() ? `it ended:\n${child.output().slice(-4_000)}` : null),
      })
    },
    get: async <T>(path: string) => (await (await fetched(`${url}${path}`)).json()) as T,
    metrics: async () => (await fetched(metricsUrl)).text(),
    kill: () => child.kill(),
    stop: (graceMs) => child.stop(graceMs),
  }
}

/** Runs any command of the built program to its end. Never throws for its exit code. */
export async function tollwatch(
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>>; input?: string } = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  return run(process.execPath, [await builtMain(), ...args], options)
}
