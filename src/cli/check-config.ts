import { isAbsolute, resolve } from 'node:path'
import { loadRules } from '../alert/rule-files.ts'
import { loadConfig, type Overrides, standardFile } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { type FileProblem, formatProblem } from '../file/yaml-file.ts'
import { loadRouting } from '../notify/routing-file.ts'
import { loadTenants } from '../tenants/tenant-file.ts'
import { warningsIn } from './config-warnings.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'

/** Everything the settings point to, checked together: rules and routes are part of the configuration. */
export async function problemsBehind(config: Config, folder: string): Promise<readonly FileProblem[]> {
  const problems: FileProblem[] = []
  const rules = loadRules(config.alerts.rules, folder)
  if (!rules.ok) problems.push(...rules.problems)
  const { file } = config.notify
  if (file !== undefined) {
    const routing = await loadRouting(isAbsolute(file) ? file : resolve(folder, file), process.env)
    if (!routing.ok) problems.push(...routing.problems)
  }
  if (config.tenants.file !== undefined) {
    const tenants = await loadTenants(resolve(folder, config.tenants.file))
    if (!tenants.ok) problems.push(...tenants.problems)
  }
  return problems
}

/** `tollwatch check-config`: every problem at once, each with its place and its fix. Warnings leave the exit code alone. */
export async function checkConfigCommand(
  file: string | null,
  overrides: Overrides,
  terminal: Terminal,
): Promise<number> {
  const loaded = loadConfig(file, overrides, process.env)
  const problems = loaded.ok ? await problemsBehind(loaded.config, loaded.folder) : loaded.problems
  if (problems.length > 0) {
    printProblems(problems, terminal)
    return exitCode.misused
  }
  if (loaded.ok) {
    const rules = loadRules(loaded.config.alerts.rules, loaded.folder)
    const warnings = [...warningsIn(loaded), ...(rules.ok ? rules.warnings : [])]
    for (const one of warnings) terminal.stderr.write(`warning: ${formatProblem(one)}\n`)
  }
  const name = loaded.ok ? loaded.file : null
  terminal.stdout.write(`${name ?? `no ${standardFile} here, so the defaults`}: no problem\n`)
  return exitCode.ok
}
