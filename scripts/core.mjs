// Compiles the core (wasm/core.ts, AssemblyScript) to src/core/core.wasm, from where tests and the build take it.
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'src/core/core.wasm')

// A name of its own until it is whole: others may be reading the last one.
const made = mkdtempSync(join(root, '.core-'))
try {
  const output = join(made, 'core.wasm')
  const { error, stderr } = await asc.main(
    [
      'wasm/core.ts',
      '--baseDir',
      root,
      '--outFile',
      output,
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--enable',
      'simd',
    ],
    {},
  )
  if (error !== null) throw new Error(`the core does not compile\n${stderr.toString()}`)
  if (!readFileSync(output).equals(readOrNothing(target))) renameSync(output, target)
} finally {
  rmSync(made, { recursive: true, force: true })
}

function readOrNothing(file) {
  try {
    return readFileSync(file)
  } catch {
    return Buffer.alloc(0)
  }
}
