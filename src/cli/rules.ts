import { loadRules } from '../alert/rule-files.ts'
import { formatProblem } from '../file/yaml-file.ts'
import { exitCode, printProblems, type Terminal } from './terminal.ts'

/**
 * `tollwatch rules check FILE...`: lints rule files together. Warnings are about what is allowed and hardly meant.
 *
 * @param options `baseFolder` is what relative paths start from; `strict` takes warnings for problems
 * @returns exit code: 0 all is well, 2 there are problems
 */
export function rulesCheckCommand(
  files: readonly string[],
  terminal: Terminal,
  { baseFolder, strict = false }: { baseFolder: string; strict?: boolean },
): number {
  const loaded = loadRules(files, baseFolder)
  if (!loaded.ok) {
    printProblems(loaded.problems, terminal)
    return exitCode.misused
  }
  const { warnings } = loaded
  for (const warning of warnings) terminal.stderr.write(`warning: ${formatProblem(warning)}\n`)
  for (const file of loaded.files) {
    const count = loaded.rules.filter((rule) => rule.file === file).length
    const own = warnings.filter((warning) => warning.file === file).length
    const found = own === 0 ? 'no problem' : own === 1 ? '1 warning' : `${own} warnings`
    terminal.stdout.write(`${file}: ${count} ${count === 1 ? 'rule' : 'rules'}, ${found}\n`)
  }
  return strict && warnings.length > 0 ? exitCode.misused : exitCode.ok
}
