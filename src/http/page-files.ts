import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One file of the page, ready to send. */
export interface PageFile {
  readonly bytes: Buffer
  readonly mediaType: string
  /** Files under assets/ have a hash of their content in the name, so browsers may keep them. */
  readonly immutable: boolean
}

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** `dist/page` as seen from `dist/http` and from `src/http`. */
const places = ['../page', '../../dist/page'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/**
 * Reads the built page into memory, by URL path. Only what was there at the start can be asked for, so no path of a
 * request ever reaches the file system.
 *
 * @returns an empty map when the page was not built
 */
export function loadPage(folders: readonly string[] = places): ReadonlyMap<string, PageFile> {
  for (const folder of folders) {
    const files = filesIn(folder)
    if (files.has('/')) return files
  }
  return new Map()
}

function filesIn(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>()
  for (const path of namesIn(folder)) {
    const mediaType = mediaTypes[extname(path)]
    if (mediaType === undefined) continue
    const url = `/${relative(folder, path).split(sep).join('/')}`
    const immutable = url.startsWith('/assets/')
    files.set(url === '/index.html' ? '/' : url, { bytes: readFileSync(path), mediaType, immutable })
  }
  return files
}

function namesIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  } catch {
    return []
  }
}
