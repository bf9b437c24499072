import type { Steps } from '../history/repair.ts'
import { type Progress, progressOn } from './progress.ts'
import type { Terminal } from './terminal.ts'

/** A bar that begins once the work knows how much there is. */
export function stepsOn(terminal: Terminal, name: string): { steps: Steps; done: () => void } {
  let bar: Progress | null = null
  return {
    steps: {
      begin: (total) => {
        bar = total === 0 ? null : progressOn(terminal, name, total)
      },
      advance: (by) => bar?.advance(by),
    },
    done: () => bar?.done(),
  }
}
