import { readFile, stat } from 'node:fs/promises'
import { messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import { type FileProblem, formatProblem } from '../file/yaml-file.ts'
import type { Clock } from '../time/clock.ts'
import type { Tenant, TenantDirectory } from './directory.ts'
import { parseTenants } from './parse-tenants.ts'

const fileBytes = 64 * 1024 * 1024
// A changed file shows within this time. Watching a file is not told of changes on network and mounted file systems.
const lookEveryMs = 5_000

export type LoadedTenants =
  | { readonly ok: true; readonly tenants: ReadonlyMap<string, Tenant>; readonly stamp: string }
  | { readonly ok: false; readonly problems: readonly FileProblem[]; readonly stamp: string | null }

/** Reads and checks a directory file once. */
export async function loadTenants(path: string): Promise<LoadedTenants> {
  let stamp: string | null = null
  try {
    stamp = await stampOf(path)
    const { size } = await stat(path)
    if (size > fileBytes) {
      return failed(stamp, path, `has more than ${fileBytes} bytes`, 'leave out tenants that left')
    }
    const parsed = await parseTenants(await readFile(path, 'utf8'), path)
    return { ...parsed, stamp }
  } catch (error) {
    return failed(stamp, path, `cannot be read (${messageOf(error)})`, 'check tenants.file and who may read it')
  }
}

/**
 * A directory file that is read again when it changes. A version that is broken or gone leaves the one before in use,
 * until a sound one is there.
 */
export class TenantFile implements TenantDirectory {
  /** What is wrong with the newest version; null when it is in use. */
  problem: string | null = null
  readonly #path: string
  readonly #clock: Clock
  readonly #log: Log
  #tenants: ReadonlyMap<string, Tenant>
  #stamp: string | null
  /** Worked out when first asked for, and again for each version. */
  #ending: readonly Tenant[] | null = null

  constructor(
    path: string,
    first: { readonly tenants: ReadonlyMap<string, Tenant>; readonly stamp: string | null },
    options: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#path = path
    this.#tenants = first.tenants
    this.#stamp = first.stamp
    this.#clock = options.clock
    this.#log = options.log
  }

  get size(): number {
    return this.#tenants.size
  }

  find(id: string): Tenant | null {
    return this.#tenants.get(id) ?? null
  }

  /** Every tenant of the file. */
  all(): Iterable<Tenant> {
    return this.#tenants.values()
  }

  ending(): readonly Tenant[] {
    this.#ending ??= [...this.#tenants.values()].filter(({ expires }) => expires !== undefined)
    return this.#ending
  }

  /** Looks for a new version every few seconds, until the signal aborts. Never throws. */
  async watch(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(lookEveryMs, signal)
      if (signal.aborted) return
      await this.look()
    }
  }

  /** Reads the file if it has changed since the last look. */
  async look(): Promise<void> {
    const stamp = await stampOf(this.#path).catch(() => null)
    if (stamp === this.#stamp) return
    const loaded = await loadTenants(this.#path)
    // What changes while it is read has another stamp at the next look.
    this.#stamp = loaded.stamp
    if (loaded.ok) {
      this.#tenants = loaded.tenants
      this.#ending = null
      this.problem = null
      this.#log.info(`tenants: ${this.#path} was read again: ${loaded.tenants.size} tenants`)
    } else {
      this.problem = `the tenants of the version before are still used: ${summaryOf(loaded.problems)}`
      this.#log.error(`tenants: ${this.problem}`)
    }
  }
}

/** Changes whenever the file does: another file of that name, another length, another time. */
async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(path)
  return [ino, size, mtimeMs, ctimeMs].join(' ')
}

function failed(stamp: string | null, file: string, message: string, fix: string): LoadedTenants {
  return { ok: false, problems: [{ file, line: null, path: '', message, fix }], stamp }
}

function summaryOf(problems: readonly FileProblem[]): string {
  const [first] = problems
  const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return first === undefined ? 'the file is broken' : `${formatProblem(first)}${rest}`
}
