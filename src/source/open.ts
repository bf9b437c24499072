import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import { DemoSource, type Interrupted } from './demo.ts'
import { FileSource } from './file.ts'
import type { FileBook } from './file-identity.ts'
import { type KafkaContext, KafkaSource } from './kafka.ts'
import type { SourceOptions } from './options.ts'
import type { InputListener, Source } from './source.ts'
import { StdinSource } from './stdin.ts'

/** The seed of the demo: everybody sees the same traffic. */
const demoSeed = 402

/** Makes the sources that the settings name; none is started. */
export function openSources(
  { kafka, files, stdin }: SourceOptions,
  context: {
    clock: Clock
    log: Log
    demo: boolean
    /** Writes that earlier runs of the demo left unfinished. */
    interrupted: readonly Interrupted[]
    epoch: number
    /** Longest line kept whole. */
    keepBytes: number
    book: FileBook
    /** What relative paths start from. */
    folder: string
    input: Readable
    /** Hears which inputs wait for a person. */
    inputs: InputListener
    strays: NonNullable<KafkaContext['strays']>
  },
): Source[] {
  const { clock, log, demo, interrupted, epoch, keepBytes, book, folder, input, inputs, strays } = context
  const sources: Source[] = []
  if (kafka !== undefined) sources.push(new KafkaSource(kafka, { clock, log, epoch, inputs, strays }))
  if (files !== undefined) {
    const paths = files.paths.map((path) => resolve(folder, path))
    sources.push(new FileSource({ paths, follow: files.follow, keepBytes, book, clock, log }))
  }
  if (stdin) sources.push(new StdinSource(input, { keepBytes, clock }))
  if (demo) sources.push(new DemoSource({ seed: demoSeed, clock, interrupted }))
  return sources
}
