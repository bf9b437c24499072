#!/usr/bin/env node
import { runProgram } from './cli/program.ts'

process.exitCode = await runProgram(process.argv.slice(2), {
  // Opened only by the command that reads it: see source/standard-input.ts.
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  stderr: process.stderr,
})
// Sockets that a library keeps open must not keep a finished command alive.
process.stdout.write('', () => process.exit())
