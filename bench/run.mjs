// Compiles the bench with the compiler and the settings of the daemon and runs that: what is measured is the code that
// users run, not what tsx makes of it.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const project = new URL('..', import.meta.url)
const output = new URL('.cache/bench/', project)

const { status } = spawnSync('npx', ['--no-install', 'tsc', '-p', 'bench/tsconfig.json'], {
  cwd: project,
  stdio: ['ignore', 2, 2],
})
if (status !== 0) process.exit(1)
// What the daemon reads beside its code: migrations, a compiled core, the shipped rules, its version.
const isBesideCode = (path) => !/\.tsx?$/.test(path) && !path.includes('/http/page')
cpSync(new URL('src/', project), new URL('src/', output), { recursive: true, filter: isBesideCode })
for (const name of ['alerts', 'package.json'])
  cpSync(new URL(name, project), new URL(name, output), { recursive: true })

const script = fileURLToPath(new URL('bench/bench.js', output))
const bench = spawn(process.execPath, ['--expose-gc', script, ...process.argv.slice(2)], { stdio: 'inherit' })
bench.once('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1))
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => bench.kill(name))
