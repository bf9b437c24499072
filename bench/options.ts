import { parseArgs } from 'node:util'

export interface BenchOptions {
  readonly quick: boolean
  readonly json: boolean
  readonly rounds: number
  /** Parts whose name begins with one of these; empty means all. */
  readonly only: readonly string[]
  /** This process is a child that runs one part. */
  readonly part: string | null
}

export const usage = `npm run bench -- [--quick] [--rounds N] [--json] [--only PART,...]

  --quick       fewer rounds, records and parts, for a first look
  --rounds N    rounds of every comparison after the warm-up (5, with --quick 2)
  --json        the figures as JSON, with every round, instead of tables
  --only PART   only the parts whose name begins so: bytes, profile, kafka, memory, alerts, flush, queries

Needs Java for the Kafka broker (or KAFKA_BROKERS) and the package chdb.`

/** @throws Error with what is wrong and how to call it */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string' },
      part: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const rounds = values.rounds === undefined ? (values.quick ? 2 : 5) : Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds wants a whole number from 1 up')
  return {
    ...{ quick: values.quick, json: values.json, rounds },
    only: values.only?.split(',').filter((name) => name !== '') ?? [],
    part: values.part ?? null,
  }
}
