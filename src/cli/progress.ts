import { Bar, Presets } from 'cli-progress'
import type { Terminal } from './terminal.ts'

/** How far long work has come. */
export interface Progress {
  advance(by: number): void
  done(): void
}

/** A bar on stderr; nothing where stderr is no terminal, so that logs and pipes stay clean. */
export function progressOn({ stderr }: Terminal, name: string, total: number): Progress {
  if (stderr.isTTY !== true) return { advance: () => {}, done: () => {} }
  const bar = new Bar(
    { format: `${name} {bar} {percentage} % · {duration_formatted} · {eta_formatted} left`, stream: stderr },
    Presets.shades_classic,
  )
  bar.start(total, 0)
  return { advance: (by) => bar.increment(by), done: () => bar.stop() }
}
