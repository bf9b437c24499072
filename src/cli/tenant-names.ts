import { resolve } from 'node:path'
import type { LoadedConfig } from '../config/load.ts'
import { noDirectory, type TenantDirectory } from '../tenants/directory.ts'
import { loadTenants } from '../tenants/tenant-file.ts'
import type { OutputFormat } from './output.ts'
import { printProblems, type Terminal } from './terminal.ts'

/** Rows as they are printed, with the columns to print them in. */
export interface Answer {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly columns: readonly string[]
}

const column = 'tenant_name'

/**
 * Puts the name of its tenant into each row: the daemon's if it answered, else that of `tenants.file`. A table gets a
 * column for names only where one is known. For programs every row has the key, and CSV the column, at the end.
 */
export async function withTenantNames(
  { rows, columns }: Answer,
  { config, folder }: LoadedConfig,
  format: OutputFormat,
  terminal: Terminal,
): Promise<Answer> {
  const told = rows.every((row) => column in row)
  const directory = told ? noDirectory : await directoryOf(config.tenants.file, folder, terminal)
  const named = rows.map((row) => {
    const id = tenantIn(row)
    return { ...row, [column]: row[column] ?? (id === null ? null : (directory.find(id)?.name ?? null)) }
  })
  if (format !== 'table') return { rows: named, columns: [...columns, column] }
  if (named.every((row) => row[column] === null)) return { rows: named, columns }
  // Beside the id, or for alerts, whose id stands among the labels, before the sentence that speaks of it.
  const at = columns.includes('tenant') ? columns.indexOf('tenant') + 1 : columns.indexOf('summary')
  return { rows: named, columns: columns.toSpliced(at, 0, column) }
}

function tenantIn(row: Readonly<Record<string, unknown>>): string | null {
  const labels = row['labels']
  const among = typeof labels === 'object' && labels !== null && 'tenant' in labels ? labels.tenant : null
  const tenant = row['tenant'] ?? among
  return typeof tenant === 'string' ? tenant : null
}

/** A broken directory takes names away, never the answer itself. */
async function directoryOf(
  file: string | undefined,
  folder: string,
  terminal: Terminal,
): Promise<Pick<TenantDirectory, 'find'>> {
  if (file === undefined) return noDirectory
  const loaded = await loadTenants(resolve(folder, file))
  if (loaded.ok) return { find: (id) => loaded.tenants.get(id) ?? null }
  printProblems(loaded.problems, terminal)
  terminal.stderr.write('names of tenants are left out\n')
  return noDirectory
}
