import { PassThrough, Writable } from 'node:stream'
import { runProgram } from '../../src/cli/program.ts'

/** Runs a command line in this process. */
export async function tollwatch(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' }
  const into = (name: 'out' | 'err') =>
    new Writable({
      write(chunk, _, done) {
        text[name] += String(chunk)
        done()
      },
    })
  const stdin = new PassThrough()
  stdin.end()
  const code = await runProgram(argv, { stdin, stdout: into('out'), stderr: into('err') })
  return { code, ...text }
}
