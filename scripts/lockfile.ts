/**
 * Adds to package-lock.json the optional platform packages that npm left out.
 *
 * A registry mirror that lacks the package for, say, Windows on ARM makes npm drop that package from the lock file in
 * silence, and `npm ci` then stops with "Missing: … from lock file", also on machines that never wanted it. An entry
 * with version, os, cpu and `optional: true`, but without `resolved` and `integrity`, satisfies `npm ci` here and is
 * resolved by name and version elsewhere. Run it after every change of dependencies; a second run changes nothing.
 *
 * Usage: tsx scripts/lockfile.ts [path of package-lock.json]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface LockEntry {
  version?: string
  cpu?: string[]
  dev?: boolean
  devOptional?: boolean
  libc?: string[]
  optional?: boolean
  os?: string[]
  optionalDependencies?: Record<string, string>
  [other: string]: unknown
}

export interface LockFile {
  packages: Record<string, LockEntry>
  [other: string]: unknown
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32']

/**
 * Completes a lock file.
 *
 * @returns the completed copy and the names that were added
 * @throws when an optional package is missing whose version is a range or whose name tells no platform: then nobody
 *   can know what belongs there
 */
export function completed(lock: LockFile): { lock: LockFile; added: readonly string[] } {
  const packages = { ...lock.packages }
  const added: string[] = []
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (findsFrom(path, name, packages)) continue
      packages[`node_modules/${name}`] = platformEntry(name, version, entry)
      added.push(name)
    }
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
  return { lock: { ...lock, packages: Object.fromEntries(sorted) }, added }
}

/** Whether `require(name)` from the package at `path` meets an entry, by Node's walk up the folders. */
function findsFrom(path: string, name: string, packages: Record<string, LockEntry>): boolean {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true
    if (at === '') return false
  }
}

function platformEntry(name: string, version: string, parent: LockEntry): LockEntry {
  const words = name.split(/[/-]/)
  const os = words.find((word) => systems.includes(word))
  const cpu = words.find((word) => processors.includes(word))
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
    throw new Error(`${name}@${version} is missing from the lock file and its platform cannot be told: add it by hand`)
  }
  const abi = words.find((word) => /^(gnu|musl)/.test(word))
  const libc = os === 'linux' && abi !== undefined ? { libc: [abi.startsWith('musl') ? 'musl' : 'glibc'] } : {}
  const dev = parent.dev === true ? { dev: true } : parent.devOptional === true ? { devOptional: true } : {}
  return { version, cpu: [cpu], ...dev, ...libc, optional: true, os: [os] }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = process.argv[2] ?? fileURLToPath(new URL('../package-lock.json', import.meta.url))
  const before = readFileSync(path, 'utf8')
  const { lock, added } = completed(JSON.parse(before) as LockFile)
  const after = `${JSON.stringify(lock, null, 2)}\n`
  if (after !== before) writeFileSync(path, after)
  console.log(added.length === 0 ? 'package-lock.json is complete' : `added ${added.length}: ${added.join(' ')}`)
}
