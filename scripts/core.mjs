// Compiles what is written in AssemblyScript to where the code that uses it looks for it; tests and the build take it
// from there. wasm/core.ts is the core, wasm/codecs.ts decompresses.
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const root = fileURLToPath(new URL('..', import.meta.url))

await compile('wasm/core.ts', 'src/core/core.wasm')
await compile('wasm/codecs.ts', 'src/source/codecs.wasm')

async function compile(source, target) {
  // A name of its own until it is whole: others may be reading the last one.
  const made = mkdtempSync(join(root, '.core-'))
  try {
    const output = join(made, 'made.wasm')
    const { error, stderr } = await asc.main(
      [
        ...[source, '--baseDir', root, '--outFile', output],
        ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'],
      ],
      {},
    )
    if (error !== null) throw new Error(`${source} does not compile\n${stderr.toString()}`)
    if (!readFileSync(output).equals(readOrNothing(join(root, target)))) renameSync(output, join(root, target))
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

function readOrNothing(file) {
  try {
    return readFileSync(file)
  } catch {
    return Buffer.alloc(0)
  }
}
