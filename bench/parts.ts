import { alertInputsFigure } from './alert-inputs.ts'
import { bytesFigure } from './bytes.ts'
import type { Figure } from './figures.ts'
import { flushFigure } from './flush.ts'
import { fillSteps, historyQueriesFigure } from './history-queries.ts'
import { kafkaFigure } from './kafka.ts'
import { memoryFigure } from './memory.ts'
import type { BenchOptions } from './options.ts'
import { profileFigure } from './profile.ts'
import { Progress } from './progress.ts'

/** One figure of the result, measured in a process of its own. */
export interface Part {
  readonly name: string
  readonly needsKafka: boolean
  /** Whether it also belongs to a quick run, unless it is asked for by name. */
  readonly quick: boolean
  /** @param brokers empty for a part that needs none */
  run(options: BenchOptions, brokers: string): Promise<Figure>
}

export const parts: readonly Part[] = [
  bytesPart('kong'),
  bytesPart('flat'),
  profilePart('kong'),
  profilePart('flat'),
  kafkaPart('kong'),
  kafkaPart('flat'),
  {
    name: 'memory',
    needsKafka: false,
    quick: true,
    run: async ({ quick }) => {
      const progress = new Progress('memory', quick ? 2 : 4)
      return ended(progress, await memoryFigure({ quick, progress }))
    },
  },
  {
    name: 'alerts',
    needsKafka: false,
    quick: true,
    run: async ({ quick, rounds }) => {
      const progress = new Progress('alerts', rounds + 1)
      return ended(progress, alertInputsFigure({ rounds, series: quick ? 20_000 : 100_000, progress }))
    },
  },
  {
    name: 'flush',
    needsKafka: false,
    quick: true,
    run: async (options) => {
      const rounds = options.quick ? 1 : options.rounds
      const progress = new Progress('flush', rounds + 1)
      return ended(progress, await flushFigure({ rounds, progress }))
    },
  },
  {
    name: 'queries',
    needsKafka: false,
    quick: false,
    run: async ({ quick, ...options }) => {
      const rounds = quick ? 1 : options.rounds
      const progress = new Progress('queries', fillSteps + rounds + 1)
      return ended(progress, await historyQueriesFigure({ rounds, quick, progress }))
    },
  },
]

function bytesPart(shape: 'kong' | 'flat'): Part {
  return {
    name: `bytes-${shape}`,
    needsKafka: false,
    quick: true,
    run: async ({ quick, rounds }) => {
      const progress = new Progress(`bytes-${shape}`, rounds + 1)
      return ended(progress, await bytesFigure(shape, { rounds, count: quick ? 8_000 : 40_000, progress }))
    },
  }
}

function profilePart(shape: 'kong' | 'flat'): Part {
  return {
    name: `profile-${shape}`,
    needsKafka: false,
    quick: false,
    run: async ({ quick }) => {
      const rounds = quick ? 2 : 3
      const progress = new Progress(`profile-${shape}`, rounds + 3)
      return ended(progress, await profileFigure(shape, { rounds, count: quick ? 10_000 : 40_000, progress }))
    },
  }
}

function kafkaPart(shape: 'kong' | 'flat'): Part {
  return {
    name: `kafka-${shape}`,
    needsKafka: true,
    quick: shape === 'kong',
    run: async (options, brokers) => {
      const { quick } = options
      const rounds = quick ? 1 : options.rounds
      const progress = new Progress(`kafka-${shape}`, rounds + 2)
      const count = quick ? 10_000 : 60_000
      return ended(progress, await kafkaFigure(shape, { brokers, rounds, count, progress }))
    },
  }
}

function ended(progress: Progress, figure: Figure): Figure {
  progress.end()
  return figure
}

/** The parts that the options ask for: by name, or all, or the quick ones. */
export function partsFor({ only, quick }: BenchOptions): readonly Part[] {
  if (only.length > 0) return parts.filter(({ name }) => only.some((one) => name.startsWith(one)))
  return parts.filter((part) => part.quick || !quick)
}
