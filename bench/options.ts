import { parseArgs } from 'node:util'

export interface BenchOptions {
  readonly quick: boolean
  readonly json: boolean
  readonly rounds: number
  /** How much of the usual number of records the parts take that read a file or a broker. */
  readonly scale: number
  /** Parts whose name begins with one of these; empty means all. */
  readonly only: readonly string[]
  /** This process is a child that runs one part. */
  readonly part: string | null
}

export const usage = `npm run bench -- [--quick] [--rounds N] [--scale S] [--json] [--only PART,...]

  --quick       fewer rounds, records and parts, for a first look
  --rounds N    rounds of every comparison after the warm-up (5, with --quick 2)
  --scale S     S times as many records from files and brokers, such as 0.2 on a slow machine
  --json        everything as JSON, with every round, instead of tables
  --only PART   only the parts whose name begins so: bytes, kafka, file, memory, alerts, lag, series, profile, flush,
                queries; those of records also as bytes-kong and bytes-flat

Needs Java for the Kafka broker (or KAFKA_BROKERS, one broker) and the packages chdb and @duckdb/node-api.`

/** @throws Error with what is wrong and how to call it */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      scale: { type: 'string', default: '1' },
      only: { type: 'string' },
      part: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const rounds = values.rounds === undefined ? (values.quick ? 2 : 5) : Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds wants a whole number from 1 up')
  const scale = Number(values.scale)
  if (!(scale > 0 && scale <= 10)) throw new Error('--scale wants a number above 0, up to 10')
  return {
    ...{ quick: values.quick, json: values.json, rounds, scale },
    only: values.only?.split(',').filter((name) => name !== '') ?? [],
    part: values.part ?? null,
  }
}
