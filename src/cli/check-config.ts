import { isAbsolute, resolve } from 'node:path'
import { loadRules } from '../alert/rule-files.ts'
import { loadConfig, type Overrides, standardFile } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { type FileProblem, formatProblem } from '../file/yaml-file.ts'
import { loadRouting } from '../notify/routing-file.ts'
import { type LoadedTenants, loadTenants } from '../tenants/tenant-file.ts'
import { warningsIn } from './config-warnings.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'

/** What stands in the files that the settings point to. */
export interface Behind {
  readonly problems: readonly FileProblem[]
  /** What holds and yet may not do what its writer thought. */
  readonly warnings: readonly FileProblem[]
  /** The directory, which may be large; null where none is named. */
  readonly tenants: LoadedTenants | null
}

/** Everything the settings point to, checked together: rules, routes and tenants are part of the configuration. */
export async function lookBehind(config: Config, folder: string): Promise<Behind> {
  const problems: FileProblem[] = []
  const rules = loadRules(config.alerts.rules, folder)
  if (!rules.ok) problems.push(...rules.problems)
  const { file } = config.notify
  if (file !== undefined) {
    const routing = await loadRouting(isAbsolute(file) ? file : resolve(folder, file), process.env)
    if (!routing.ok) problems.push(...routing.problems)
  }
  const path = config.tenants.file
  const tenants = path === undefined ? null : await loadTenants(resolve(folder, path))
  if (tenants?.ok === false) problems.push(...tenants.problems)
  return { problems, warnings: rules.ok ? rules.warnings : [], tenants }
}

/** `tollwatch check-config`: every problem at once, each with its place and its fix. Warnings leave the exit code alone. */
export async function checkConfigCommand(
  file: string | null,
  overrides: Overrides,
  terminal: Terminal,
): Promise<number> {
  const loaded = loadConfig(file, overrides, process.env)
  const behind = loaded.ok ? await lookBehind(loaded.config, loaded.folder) : loaded
  if (!loaded.ok || !('warnings' in behind) || behind.problems.length > 0) {
    printProblems(behind.problems, terminal)
    return exitCode.misused
  }
  for (const one of [...warningsIn(loaded), ...behind.warnings]) {
    terminal.stderr.write(`warning: ${formatProblem(one)}\n`)
  }
  terminal.stdout.write(`${loaded.file ?? `no ${standardFile} here, so the defaults`}: no problem\n`)
  return exitCode.ok
}
