import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.ts'
import { tempDir } from './run-context.ts'

/** What promtool objects to in a metrics page, or '' when it is content. */
export async function checkMetrics(page: string): Promise<string> {
  const { code, stdout, stderr } = await run('promtool', ['check', 'metrics'], { input: page })
  const said = `${stdout}${stderr}`.trim()
  // It says its lint on standard error with exit code 3 and parse errors with 1.
  return code === 0 ? said : `exit ${code}: ${said}`
}

/** What promtool objects to in a configuration file of Prometheus, or '' when it is content. */
export async function checkConfig(path: string): Promise<string> {
  return complaints(['check', 'config', path])
}

/** What promtool objects to in a rules file's text, or '' when it is content. It also parses every PromQL expression. */
export async function checkRules(text: string): Promise<string> {
  const path = join(tempDir('promtool'), 'rules.yml')
  writeFileSync(path, text)
  return complaints(['check', 'rules', path])
}

async function complaints(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('promtool', args)
  return code === 0 ? '' : `exit ${code}: ${stdout}${stderr}`.trim()
}
