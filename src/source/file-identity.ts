import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'

const prefixBytes = 16 * 1024

/** Remembers the files seen, by what they begin with; the app keeps it in the store. */
export interface FileBook {
  /** Identities with the length of the prefix each was made of. */
  known(): Promise<ReadonlyMap<string, number>>
  remember(identity: string, length: number): Promise<void>
}

/**
 * Names a file by its first bytes, so that a rename or rotation does not make it another file. A file that has grown
 * keeps the identity it was given when it was shorter.
 *
 * @param read opens the content from its beginning
 */
export async function identify(read: () => Readable, book: FileBook): Promise<string> {
  const head = await readHead(read)
  const known = [...(await book.known())].sort((a, b) => b[1] - a[1])
  for (const [identity, length] of known) {
    if (length > 0 && length <= head.length && hashOf(head.subarray(0, length)) === identity) return identity
  }
  const identity = hashOf(head)
  if (head.length > 0) await book.remember(identity, head.length)
  return identity
}

async function readHead(read: () => Readable): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  const stream = read()
  for await (const chunk of stream) {
    parts.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes >= prefixBytes) break
  }
  stream.destroy()
  return Buffer.concat(parts).subarray(0, prefixBytes)
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 24)
}
