/**
 * Reads made-up log values by three ways that must agree: the general decoder, the core, and the core's specification in
 * TypeScript. Ends with 1 when they do not, and tells the smallest values that show it. `--help` has examples.
 *
 * It compiles itself with the compiler of the daemon and runs that in processes of its own: what tsx makes of it is slower.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fuzzed, isThorough } from '../test/core/fuzz/fuzz.ts'
import { told } from '../test/core/fuzz/told.ts'

const help = `usage: npm run fuzz -- [options]

  --records N   how many values at least (default 1000000)
  --minutes M   ends after so many minutes, whatever was done
  --seed S      a number, or "random" (default 402)
  --workers W   processes (default 2)
  --size Z      values in a round, which begins with an empty core (default 4000)
  --round R     this round alone

The core is held against the decoder in every round. In one of ten of each case, the first among them, its specification
reads everything too.

examples:
  npm run fuzz -- --records 10000000            ten million values
  npm run fuzz -- --minutes 120 --seed random   two hours of something new
  npm run fuzz -- --seed 7 --round 1234         one round again, as a mismatch says`

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: '402' },
    workers: { type: 'string', default: '2' },
    size: { type: 'string', default: '4000' },
    round: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
const seed = values.seed === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
const records = Number(values.records)
const minutes = Number(values.minutes)
const round = values.round === undefined ? null : Number(values.round)
const workers = round === null ? Number(values.workers) : 1
const size = Number(values.size)
const isUsable =
  [seed, records, workers, size, round ?? 0].every((number) => Number.isInteger(number) && number >= 0) && minutes >= 0
if (!isUsable || workers < 1 || size < 1) {
  console.error(`fuzz: only whole numbers are taken\n\n${help}`)
  process.exit(2)
}

/** What a worker tells of one round. */
interface Told {
  readonly values: number
  readonly name: string
  readonly recognised: number
  readonly isThorough: boolean
  readonly failure: string | null
}

const worker = process.env['TOLLWATCH_FUZZ_WORKER']
if (worker === undefined) process.exitCode = await all(compiled())
else work(Number(worker))

/** The compiled copy of this file. */
function compiled(): string {
  const project = new URL('..', import.meta.url)
  const { status } = spawnSync('npx', ['--no-install', 'tsc', '-p', 'test/core/fuzz/tsconfig.json'], {
    cwd: project,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) process.exit(1)
  const output = new URL('.cache/fuzz/', project)
  copyFileSync(new URL('src/core/core.wasm', project), new URL('src/core/core.wasm', output))
  return fileURLToPath(new URL('scripts/fuzz.js', output))
}

/** The one round that is asked for, or every so manieth until the parent has enough. */
function work(from: number): void {
  for (let number = round ?? from; ; number += workers) {
    const { failed, shares } = fuzzed(seed, { rounds: [number], size })
    for (const [{ name }, share] of shares) {
      const failure = failed === null ? null : told({ seed, number, size, mismatch: failed.mismatch })
      process.send?.({ ...share, name, isThorough: isThorough(number), failure } satisfies Told)
    }
    if (failed !== null || round !== null) {
      process.disconnect()
      return
    }
  }
}

async function all(script: string): Promise<number> {
  const startedMs = Date.now()
  const shares = new Map<string, { values: number; recognised: number }>()
  let done = 0
  let thoroughly = 0
  let failures = 0
  console.log(`seed ${seed}`)
  const children: ChildProcess[] = []
  const stop = (): void => {
    for (const child of children) child.kill()
  }
  process.once('SIGINT', stop)
  const isEnough = (): boolean => done >= records || (minutes > 0 && Date.now() - startedMs >= minutes * 60_000)
  const progress = setInterval(() => {
    console.log(`${done} values, ${perSecond()} a second`)
  }, 30_000)
  const perSecond = (): number => Math.round((done * 1000) / Math.max(1, Date.now() - startedMs))
  await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const child = fork(script, [...process.argv.slice(2), '--seed', String(seed)], {
        env: { ...process.env, TOLLWATCH_FUZZ_WORKER: String(i) },
        // Nothing that is made lives longer than its round, and with room for some chunks little of it is ever moved.
        execArgv: ['--max-semi-space-size=64'],
      })
      children.push(child)
      child.on('message', (told: Told) => {
        done += told.values
        if (told.isThorough) thoroughly += told.values
        const share = shares.get(told.name) ?? { values: 0, recognised: 0 }
        shares.set(told.name, { values: share.values + told.values, recognised: share.recognised + told.recognised })
        if (told.failure !== null) {
          failures++
          console.log(told.failure)
        }
        if (isEnough()) stop()
      })
      return new Promise<void>((resolve) => {
        child.once('exit', (code) => {
          // One that dies by itself has not looked at what it should have.
          if (code !== null && code !== 0) failures++
          resolve()
        })
      })
    }),
  )
  clearInterval(progress)
  for (const [name, share] of shares) {
    console.log(
      `${name}: ${share.values} values, ${((100 * share.recognised) / share.values).toFixed(0)} % by the core`,
    )
  }
  console.log(
    `${done} values in ${((Date.now() - startedMs) / 1000).toFixed(0)} s, ${perSecond()} a second, ${thoroughly} also by the specification, ${failures} mismatches, seed ${seed}`,
  )
  return failures === 0 ? 0 : 1
}
