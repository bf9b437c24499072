import type { FileProblem } from '../file/yaml-file.ts'
import { formatProblem } from '../file/yaml-file.ts'

/** Where a command reads and writes; tests give their own. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream | NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/** Exit codes: done; a check found something; the call or the settings were wrong. */
export const exitCode = { ok: 0, failed: 1, misused: 2 } as const

/** Lists problems the way compilers do, one a line. */
export function printProblems(problems: readonly FileProblem[], { stderr }: Terminal): void {
  for (const problem of problems) stderr.write(`${formatProblem(problem)}\n`)
  stderr.write(problems.length === 1 ? '1 problem\n' : `${problems.length} problems\n`)
}
