import { type Command, Option } from 'commander'
import { type LoadedConfig, loadConfig, type Overrides } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { formatNames } from '../decode/decode.ts'
import { Fault } from '../fault/fault.ts'
import type { FileProblem } from '../file/yaml-file.ts'
import type { Terminal } from './terminal.ts'

/** What the command line gave, by the long name of the flag. */
export type Flags = Record<string, string | boolean | string[] | undefined>

/** Adds a command to the program; `done` takes its exit code. */
export type Add = (program: Command, terminal: Terminal, done: (code: number) => void) => void

/** Settings that cannot be used; the program prints them all. */
export class ConfigProblems extends Error {
  readonly problems: readonly FileProblem[]

  constructor(problems: readonly FileProblem[]) {
    super('the settings have problems')
    this.problems = problems
  }
}

export const configOption = () => new Option('-c, --config <file>', 'settings; ./tollwatch.yaml if it is there')
export const dataOption = () => new Option('--data <dir>', 'directory of the embedded store')
export const formatOption = () =>
  new Option('--format <name>', 'log layout of the gateway').choices(['auto', ...formatNames])
export const urlOption = () => new Option('--url <address>', 'a running daemon, such as http://127.0.0.1:8402')
export const tokenOption = () => new Option('--token <token>', 'for the daemon; better in TOLLWATCH_TOKEN')

export const standardUrl = 'http://127.0.0.1:8402'

/** @throws ConfigProblems */
export function loadedOf(flags: Flags, overrides: Overrides = {}): LoadedConfig {
  const loaded = loadConfig(text(flags, 'config'), overrides, process.env)
  if (!loaded.ok) throw new ConfigProblems(loaded.problems)
  return loaded
}

/** @throws ConfigProblems */
export function configOf(flags: Flags, overrides: Overrides = {}): Config {
  return loadedOf(flags, overrides).config
}

export function text(flags: Flags, name: string): string | null {
  const value = flags[name]
  return typeof value === 'string' ? value : null
}

/** Where the daemon is, and what lets us in. */
export function daemonOf(flags: Flags): { url: string; token: string | null } {
  return {
    url: text(flags, 'url') ?? standardUrl,
    token: tokenOf(flags),
  }
}

/** What lets us into a daemon; null when nothing was given. */
export function tokenOf(flags: Flags): string | null {
  return text(flags, 'token') ?? process.env['TOLLWATCH_TOKEN'] ?? null
}

/** Leaves out what was not given; undefined when nothing was. */
export function defined(values: Record<string, unknown>): Record<string, unknown> | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

export function examples(lines: readonly (readonly [string, string])[]): string {
  return `\nExamples:\n${lines.map(([command, why]) => `  $ ${command}\n      ${why}`).join('\n')}\n`
}

/** A call that makes no sense, with what to write instead. */
export function misused(message: string): Fault {
  return new Fault('argument-invalid', message, { retryable: false })
}

/** Lets a command that runs on and on come to its end when somebody interrupts it; `end` takes the signal off again. */
export function untilInterrupted(): { readonly signal: AbortSignal; readonly end: () => void } {
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.once(name, interrupt)
  return {
    signal: stop.signal,
    end: () => {
      for (const name of signals) process.off(name, interrupt)
    },
  }
}
