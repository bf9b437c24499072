import { alertInputsFigure } from './alert-inputs.ts'
import { bytesFigure, stepsBefore } from './bytes.ts'
import type { Figure } from './figures.ts'
import { fileFigure } from './file.ts'
import { flushFigure } from './flush.ts'
import { withAlertGoal, withMemoryGoal } from './goal-values.ts'
import { fillSteps, historyQueriesFigure } from './history-queries.ts'
import { kafkaFigure } from './kafka.ts'
import { lagFigure } from './lag.ts'
import { memoryFigure } from './memory.ts'
import type { BenchOptions } from './options.ts'
import { profileFigure } from './profile.ts'
import { Progress } from './progress.ts'
import { type Shape, shapes } from './records.ts'
import { seriesFigure } from './series.ts'

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
  ...shapes.map(bytesPart),
  ...shapes.map(kafkaPart),
  ...shapes.map(filePart),
  {
    name: 'memory',
    needsKafka: false,
    quick: true,
    run: async ({ quick }) => {
      const progress = new Progress('memory', quick ? 2 : 5)
      return ended(progress, withMemoryGoal(await memoryFigure({ quick, progress })))
    },
  },
  {
    name: 'alerts',
    needsKafka: false,
    quick: true,
    run: async ({ quick, rounds }) => {
      const progress = new Progress('alerts', (quick ? 1 : 2) * (rounds + 1))
      return ended(progress, withAlertGoal(alertInputsFigure({ rounds, series: quick ? 20_000 : 100_000, progress })))
    },
  },
  ...shapes.map(lagPart),
  ...shapes.map(seriesPart),
  ...shapes.map(profilePart),
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

function bytesPart(shape: Shape): Part {
  return {
    name: `bytes-${shape}`,
    needsKafka: false,
    quick: shape === 'kong',
    run: async ({ quick, rounds }) => {
      const progress = new Progress(`bytes-${shape}`, stepsBefore + rounds)
      const whole = { sets: 8, size: 50_000, warmUps: 30, setsARound: 2 }
      const some = { sets: 4, size: 10_000, warmUps: 10, setsARound: 2 }
      return ended(progress, await bytesFigure(shape, { rounds, sizes: quick ? some : whole, progress }))
    },
  }
}

function kafkaPart(shape: Shape): Part {
  return {
    name: `kafka-${shape}`,
    needsKafka: true,
    quick: shape === 'kong',
    run: async ({ quick, scale, rounds: asked }, brokers) => {
      const rounds = quick ? 1 : asked
      const progress = new Progress(`kafka-${shape}`, rounds + 2)
      const whole = { pool: 100, lead: 60_000, byHand: 400_000, busy: 2_000_000, sparse: 200_000 }
      const some = { pool: 20, lead: 8_000, byHand: 20_000, busy: 40_000, sparse: 8_000 }
      const { pool, lead, ...measured } = quick ? some : whole
      const counts = {
        ...{ pool, lead, byHand: scaled(measured.byHand, scale) },
        ...{ busy: scaled(measured.busy, scale), sparse: scaled(measured.sparse, scale) },
      }
      return ended(progress, await kafkaFigure(shape, { brokers, rounds, counts, progress }))
    },
  }
}

function filePart(shape: Shape): Part {
  return {
    name: `file-${shape}`,
    needsKafka: false,
    quick: shape === 'kong',
    run: async ({ quick, scale, rounds: asked }) => {
      const rounds = quick ? 1 : asked
      const progress = new Progress(`file-${shape}`, rounds + 2)
      const count = scaled(quick ? 20_000 : 1_000_000, scale)
      return ended(progress, await fileFigure(shape, { rounds, count, progress }))
    },
  }
}

function lagPart(shape: Shape): Part {
  return {
    name: `lag-${shape}`,
    needsKafka: true,
    quick: false,
    run: async ({ quick, scale }, brokers) => {
      const probes = quick ? 20 : 200
      const progress = new Progress(`lag-${shape}`, probes + 1)
      const count = scaled(quick ? 80_000 : 2_000_000, scale)
      return ended(progress, await lagFigure(shape, { brokers, count, probes, progress }))
    },
  }
}

function seriesPart(shape: Shape): Part {
  return {
    name: `series-${shape}`,
    needsKafka: false,
    quick: false,
    run: async ({ quick, rounds }) => {
      const progress = new Progress(`series-${shape}`, rounds + 2)
      const size = quick ? { count: 20_000, series: 100_000 } : { count: 200_000, series: 1_000_000 }
      return ended(progress, await seriesFigure(shape, { rounds, ...size, progress }))
    },
  }
}

function profilePart(shape: Shape): Part {
  return {
    name: `profile-${shape}`,
    needsKafka: false,
    quick: false,
    run: async ({ quick }) => {
      const rounds = quick ? 2 : 5
      const progress = new Progress(`profile-${shape}`, rounds + 3)
      return ended(progress, await profileFigure(shape, { rounds, count: quick ? 10_000 : 100_000, progress }))
    },
  }
}

/** Topics are filled in steps of so many. */
const stepRecords = 4_000

function scaled(count: number, scale: number): number {
  return Math.max(1, Math.round((count * scale) / stepRecords)) * stepRecords
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
