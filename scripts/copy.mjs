// Puts beside the compiled code what it reads at run time, and makes the command executable.
import { chmodSync, cpSync } from 'node:fs'

const root = new URL('..', import.meta.url)
cpSync(new URL('src/history/migrations', root), new URL('dist/history/migrations', root), { recursive: true })
cpSync(new URL('src/core/core.wasm', root), new URL('dist/core/core.wasm', root))
cpSync(new URL('src/source/codecs.wasm', root), new URL('dist/source/codecs.wasm', root))
chmodSync(new URL('dist/main.js', root), 0o755)
