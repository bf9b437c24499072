import { Bar, Presets } from 'cli-progress'
import { spanText } from '../alert/span.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import type { Terminal } from './terminal.ts'

/** How far long work has come. */
export interface Progress {
  advance(by: number): void
  done(): void
}

/** Lines closer together than this would only be noise: what is over sooner prints none. */
const quietMs = 10_000
/** Steps of work differ: the time that is left goes by so many of the last ones. */
const etaBuffer = 300

/** A bar on stderr; where stderr is no terminal, a line at each tenth, so that a log tells how far it is. */
export function progressOn(
  { stderr }: Terminal,
  name: string,
  total: number,
  clock: Pick<Clock, 'now'> = systemClock,
): Progress {
  if (stderr.isTTY !== true) return linesOn(stderr, { name, total, clock })
  const format = `${name} {bar} {percentage} % · {duration_formatted} · {eta_formatted} left`
  const bar = new Bar({ format, stream: stderr, etaBuffer }, Presets.shades_classic)
  bar.start(total, 0)
  return { advance: (by) => bar.increment(by), done: () => bar.stop() }
}

function linesOn(
  stderr: Terminal['stderr'],
  { name, total, clock }: { name: string; total: number; clock: Pick<Clock, 'now'> },
): Progress {
  const startMs = clock.now()
  let toldMs = startMs
  let passedTenth = 0
  let done = 0
  return {
    advance: (by) => {
      done += by
      const tenth = Math.floor((10 * done) / total)
      if (tenth <= passedTenth || tenth >= 10) return
      passedTenth = tenth
      const now = clock.now()
      if (now - toldMs < quietMs) return
      toldMs = now
      const left = spanText(((now - startMs) * (total - done)) / done)
      stderr.write(`${name}: ${10 * tenth} % after ${spanText(now - startMs)}, some ${left} left\n`)
    },
    done: () => {},
  }
}
