/** A part of a directory file that is a YAML document by itself: `tenants:` with some whole tenants beneath. */
export interface TenantBlock {
  readonly text: string
  /** What to add to a line number inside the block for the line in the file. */
  readonly lineOffset: number
}

const blockLines = 2_000

/**
 * Cuts a directory file into parts of some hundred tenants. The YAML parser compares every key of a map with all keys
 * before it and holds the thread while it reads, so a file of a hundred thousand tenants must not come to it whole.
 *
 * @returns null where the file does not have one tenant after another, each under a key at the same depth
 */
export function tenantBlocks(text: string): readonly TenantBlock[] | null {
  const lines = text.replace(/^\ufeff/, '').split('\n')
  const head = lines.findIndex((line) => isContent(line) && !/^---\s*$/.test(line))
  if (head < 0) return []
  if (!/^tenants:\s*(?:#.*)?$/.test(lines[head] ?? '')) return null
  const depth = indentOf(lines.slice(head + 1).find(isContent) ?? '')
  if (depth === 0) return lines.slice(head + 1).some(isContent) ? null : []

  const blocks: TenantBlock[] = []
  let start = head + 1
  const cut = (end: number): void => {
    blocks.push({ text: `tenants:\n${lines.slice(start, end).join('\n')}`, lineOffset: start - 1 })
    start = end
  }
  for (let i = start; i < lines.length; i++) {
    const line = lines[i] ?? ''
    if (i - start >= blockLines && isContent(line) && indentOf(line) === depth) cut(i)
  }
  cut(lines.length)
  return blocks
}

function isContent(line: string): boolean {
  return /^\s*[^\s#]/.test(line)
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}
