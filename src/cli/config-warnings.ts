import { readFileSync } from 'node:fs'
import { ruleWarnings } from '../classify/rule-lint.ts'
import type { LoadedConfig } from '../config/load.ts'
import { type FileProblem, formatPath, parseYamlFile } from '../file/yaml-file.ts'

/** Settings that hold and yet do not do what their writer thought. */
export function warningsIn({ config, file }: LoadedConfig): readonly FileProblem[] {
  const warnings = ruleWarnings(config.classify)
  if (file === null || warnings.length === 0) return []
  const parsed = parseYamlFile(readFileSync(file, 'utf8'), file)
  return warnings.map(({ index, message, fix }) => {
    const path = ['classify', 'rules', index]
    return parsed.ok
      ? parsed.yaml.problem(path, message, fix)
      : { file, line: null, path: formatPath(path), message, fix }
  })
}
