import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the desk of `global-setup.ts`, where the servers that all test files share are asked for. */
    supportDesk: string
    /** Folder of this test run; it is removed as a whole when the run ends. */
    supportRoot: string
  }
}

/** A fresh folder, removed when the test run ends. */
export function tempDir(name = 'test'): string {
  // Outside Vitest (a bench, a script) there is no run folder; then the system's own will do.
  const root = provided('supportRoot') ?? tmpdir()
  mkdirSync(root, { recursive: true })
  return mkdtempSync(join(root, `${name}-`))
}

/** Asks the desk for something that is made once in a run: a shared broker, the built daemon. */
export async function fromDesk(what: 'kafka' | 'dist'): Promise<string> {
  const desk = provided('supportDesk')
  if (desk === null) throw new Error(`${what} comes from test/support/global-setup.ts: name it as globalSetup`)
  const response = await fetch(`${desk}/${what}`)
  const answer = await response.text()
  if (!response.ok) throw new Error(`the set-up could not provide ${what}: ${answer}`)
  return answer
}

function provided(name: 'supportDesk' | 'supportRoot'): string | null {
  try {
    return inject(name) ?? null
  } catch {
    return null
  }
}
