/**
 * How fast Tollwatch is on this machine, beside what one would use or write instead, and whether that is what it is to be:
 * `npm run bench`. The tables go to standard output, progress to standard error. docs/performance.md has what they mean.
 */
import { fork } from 'node:child_process'
import { cpus } from 'node:os'
import { type Kafka, startKafka } from '../test/support/kafka.ts'
import { type Figure, render } from './figures.ts'
import { judged, renderGoals } from './goals.ts'
import { type BenchOptions, parseOptions, usage } from './options.ts'
import { type Part, parts, partsFor } from './parts.ts'

const brokersVariable = 'TOLLWATCH_BENCH_BROKERS'

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    console.log(usage)
    return
  }
  if (options.part === null) await runAll(options)
  else await runPart(options, options.part)
}

/** In a child: one part, its figure sent to the parent. */
async function runPart(options: BenchOptions, name: string): Promise<void> {
  // An orphan must not go on measuring.
  process.once('disconnect', () => process.exit(1))
  const part = parts.find((one) => one.name === name)
  if (part === undefined) throw new Error(`there is no part ${name}`)
  const figure = await part.run(options, process.env[brokersVariable] ?? '')
  process.send?.(figure, () => process.exit(0))
}

async function runAll(options: BenchOptions): Promise<void> {
  if (globalThis.gc === undefined) throw new Error('run it with node --expose-gc, as npm run bench does')
  const chosen = partsFor(options)
  if (chosen.length === 0) throw new Error(`--only names no part\n\n${usage}`)
  const started = performance.now()
  const kafka = chosen.some(({ needsKafka }) => needsKafka) ? await broker() : null
  const figures: Figure[] = []
  try {
    for (const part of chosen) {
      if (!part.needsKafka || kafka !== null) figures.push(await inChild(part, kafka?.brokers ?? ''))
    }
  } finally {
    await kafka?.stop()
  }
  const seconds = Math.round((performance.now() - started) / 1_000)
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.versions.node}`
  const goals = judged(figures.flatMap(({ measured = [] }) => measured))
  const { json, rounds, scale } = options
  if (json) console.log(JSON.stringify({ machine, rounds, scale, seconds, goals, figures }, null, 2))
  else console.log(`${text(renderGoals(goals), figures)}\n${machine}; ${rounds} rounds; ${seconds} s in all`)
}

function text(goals: string, figures: readonly Figure[]): string {
  return `### What is to hold\nRatios within one run, in CPU time unless said. In brackets the extremes.\n\n${goals}\n\n${render(figures)}`
}

/** A broker for the whole run, or null, with a loud word, where none can be had. */
async function broker(): Promise<Kafka | null> {
  try {
    process.stderr.write('starting a Kafka broker\n')
    return await startKafka()
  } catch (error) {
    process.stderr.write(`LEFT OUT: the parts with Kafka: ${error instanceof Error ? error.message : String(error)}\n`)
    return null
  }
}

/** Each part has a process of its own, so that none inherits the heap, the compiled code or the threads of another. */
function inChild(part: Part, brokers: string): Promise<Figure> {
  const child = fork(process.argv[1] ?? '', [...process.argv.slice(2), '--part', part.name], {
    execArgv: [...process.execArgv],
    env: { ...process.env, [brokersVariable]: brokers },
  })
  return new Promise((resolve, reject) => {
    let figure: Figure | null = null
    child.once('message', (message) => {
      figure = message as Figure
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (figure === null) reject(new Error(`${part.name} ended with exit code ${code} and no figure`))
      else resolve(figure)
    })
  })
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  // What a part had opened must not keep a run that has failed alive.
  process.exit(1)
})
