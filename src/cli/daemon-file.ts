import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a running daemon leaves in its data directory, so that other commands find it. */
export interface DaemonNote {
  readonly pid: number
  readonly url: string
}

const name = 'daemon.json'

export function writeDaemonNote(directory: string, note: DaemonNote): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, name), `${JSON.stringify(note)}\n`)
}

export function removeDaemonNote(directory: string): void {
  rmSync(join(directory, name), { force: true })
}

/** Null when there is none, or its process is gone. */
export function readDaemonNote(directory: string): DaemonNote | null {
  try {
    const note = JSON.parse(readFileSync(join(directory, name), 'utf8')) as DaemonNote
    process.kill(note.pid, 0)
    return note
  } catch {
    return null
  }
}
