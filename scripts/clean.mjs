// Removes what the last build left, so that a deleted source leaves no compiled file behind.
import { rmSync } from 'node:fs'

rmSync(new URL('../dist/', import.meta.url), { recursive: true, force: true })
