import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** How a process ended: by itself with a code, or by a signal. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running process that cannot outlive this one, with everything it has said so far. */
export interface Child {
  readonly pid: number
  readonly exited: Promise<Exit>
  /** Whether it has ended. */
  ended(): boolean
  stdout(): string
  stderr(): string
  /** stdout and stderr in the order they came. */
  output(): string
  signal(signal: NodeJS.Signals): void
  /** SIGKILL, resolved once the process is gone. */
  kill(): Promise<Exit>
  /** SIGTERM, and SIGKILL when it has not ended within the time. */
  stop(graceMs?: number): Promise<Exit>
}

export interface ChildOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Text for its standard input, which is closed afterwards; without it standard input is empty. */
  readonly input?: string
}

/** How much of a child's output is kept; a chatty server must not fill the memory of a test. */
const keptOutput = 4_000_000

/**
 * Starts a program. When this process dies, even by SIGKILL, the child is killed too: a guardian shell waits at a pipe
 * that only this process holds open.
 */
export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '', both: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8')
    child[name].on('data', (text: string) => {
      said[name] = (said[name] + text).slice(-keptOutput)
      said.both = (said.both + text).slice(-keptOutput)
    })
  }
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const guardian = child.pid === undefined ? null : guard(child.pid)
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      guardian?.dismiss()
      resolve({ code, signal })
    })
  })
  // A program that cannot be started shows in whoever awaits `exited`, never as an unhandled rejection.
  exited.catch(() => {})
  return handle(child, exited, said)
}

function handle(
  child: ChildProcess,
  exited: Promise<Exit>,
  said: { stdout: string; stderr: string; both: string },
): Child {
  const ended = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  const signal = (name: NodeJS.Signals) => void (ended() || child.kill(name))
  const kill = () => {
    signal('SIGKILL')
    return exited
  }
  return {
    pid: child.pid ?? -1,
    exited,
    ended,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    output: () => said.both,
    signal,
    kill,
    stop: async (graceMs = 20_000) => {
      signal('SIGTERM')
      // A stopped (SIGSTOP) process would never see the SIGTERM.
      signal('SIGCONT')
      const graceOver = new AbortController()
      const exit = await Promise.race([exited, sleep(graceMs, null, { signal: graceOver.signal, ref: false })])
      graceOver.abort()
      return exit ?? kill()
    },
  }
}

/** Runs a program to its end. Never throws for its exit code. */
export async function run(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  const child = startChild(command, args, options)
  return { ...(await child.exited), stdout: child.stdout(), stderr: child.stderr() }
}

function guard(pid: number): { dismiss(): void } {
  const script = `read -r _; kill -KILL ${pid} 2>/dev/null`
  // Detached, so that a Ctrl-C at the terminal reaches this process first and the guardian still does its duty.
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.on('error', () => {})
  shell.stdin.on('error', () => {})
  shell.unref()
  // A child's stdin is a socket underneath; the types only know a Writable.
  ;(shell.stdin as Socket).unref()
  return {
    dismiss: () => {
      shell.kill('SIGKILL')
      shell.stdin.destroy()
    },
  }
}

/** A TCP port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}

/**
 * Asks again and again until there is an answer other than undefined or false; an exception counts as "not yet".
 *
 * @param what completes the sentence "gave up waiting for …"
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  options: { timeoutMs?: number; everyMs?: number; failed?: () => string | null } = {},
): Promise<Exclude<T, undefined | false | null>> {
  const { timeoutMs = 30_000, everyMs = 50, failed } = options
  const giveUpAt = performance.now() + timeoutMs
  let trouble: unknown = null
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false && answer !== null) {
        return answer as Exclude<T, undefined | false | null>
      }
    } catch (error) {
      trouble = error
    }
    const reason = failed?.() ?? null
    if (reason !== null) throw new Error(`gave up waiting for ${what}: ${reason}`)
    if (performance.now() > giveUpAt)
      throw new Error(`gave up waiting for ${what} after ${timeoutMs} ms`, { cause: trouble })
    await sleep(everyMs)
  }
}
