import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const project: string = fileURLToPath(new URL('../..', import.meta.url))

export interface Page {
  /** Relative to the root. */
  readonly name: string
  readonly text: string
}

/** The pages for people: those in the root, in docs/ and the runbooks. */
export function pages(): readonly Page[] {
  const folders = ['.', 'docs', 'docs/page', 'alerts/runbooks']
  const names = folders.flatMap((folder) =>
    readdirSync(join(project, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  )
  return names.map((name) => ({ name, text: readFileSync(join(project, name), 'utf8') }))
}

export interface Block {
  readonly page: string
  readonly language: string
  readonly text: string
}

/** The fenced blocks of a page. */
export function blocks({ name, text }: Page): readonly Block[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', body = '']) => {
    return { page: name, language, text: body }
  })
}
