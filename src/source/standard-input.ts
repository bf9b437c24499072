import { closeSync, createReadStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { Fault } from '../fault/fault.ts'

/**
 * Leaves nothing to read at descriptor 0. The embedded engine appends what waits there to the rows of its INSERTs, so a
 * command in a pipe or a loop would store strangers' bytes or fail on them.
 */
export function emptyStandardInput(): void {
  closeSync(0)
  // The lowest free descriptor is taken: 0.
  openSync('/dev/null', 'r')
}

/**
 * The standard input under another descriptor; descriptor 0 is left empty. Call it before anything reads `process.stdin`.
 *
 * @throws Fault `file-unreadable` when it cannot be opened a second time: sockets cannot
 */
export function takeStandardInput(): Readable {
  let fd: number
  try {
    fd = openSync('/dev/stdin', 'r')
  } catch (cause) {
    const message = 'the standard input cannot be opened beside the embedded store; put "cat |" in front of the command'
    throw new Fault('file-unreadable', message, { retryable: false, cause })
  }
  emptyStandardInput()
  // A read of a silent pipe must not keep a thread busy, or the process could not end.
  return fstatSync(fd).isFIFO() ? new Socket({ fd, readable: true, writable: false }) : createReadStream('', { fd })
}
