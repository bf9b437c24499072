import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'

let files = 0

/**
 * Gives the pieces to `use` as a file, by a path that is good until it has ended. Between two pieces the event loop
 * turns.
 *
 * @param nameless takes the file's name away before anything is in it, so that nothing is left lying about by a process
 *   that dies. Linux opens such a file once more by its descriptor.
 */
export async function asFile<Result>(
  directory: string,
  pieces: Iterable<Uint8Array>,
  use: (path: string) => Promise<Result>,
  nameless: boolean = process.platform === 'linux',
): Promise<Result> {
  const name = join(directory, `insert-${files++}.native`)
  const file = await open(name, 'w', 0o600)
  try {
    if (nameless) await rm(name)
    for (const piece of pieces) await file.writeFile(piece)
    return await use(nameless ? `/dev/fd/${file.fd}` : name)
  } finally {
    await file.close()
    if (!nameless) await rm(name, { force: true })
  }
}
