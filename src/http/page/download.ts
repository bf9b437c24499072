import { fetchFrom } from './ask/api.ts'
import { csv } from './csv.ts'

/** Hands a table to the reader as a CSV file. */
export function downloadCsv(name: string, rows: readonly (readonly (string | number | null)[])[]): void {
  save(name, new Blob([csv(rows)], { type: 'text/csv' }))
}

/**
 * Fetches a file from the daemon, with the token, which a plain link could not send.
 *
 * @throws ApiError
 */
export async function downloadFrom(path: string, name: string): Promise<void> {
  save(name, await (await fetchFrom(path, { accept: 'text/csv' })).blob())
}

function save(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
