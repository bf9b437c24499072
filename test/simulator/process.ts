import type { Clock, ManualClock } from '../../src/time/clock.ts'

/**
 * A process of the simulated world. Frozen, as by SIGSTOP, it does nothing, and all that reaches it waits until it
 * wakes; dead, nothing reaches it ever again. What it has sent goes its way in either case.
 */
export class Process {
  readonly name: string
  readonly clock: Clock
  #life: 'running' | 'frozen' | 'dead' = 'running'
  readonly #waiting: (() => void)[] = []

  constructor(name: string, time: ManualClock) {
    this.name = name
    this.clock = {
      now: () => time.now(),
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          void time.sleep(ms, signal).then(() => this.reach(resolve))
        }),
    }
  }

  get running(): boolean {
    return this.#life === 'running'
  }

  get dead(): boolean {
    return this.#life === 'dead'
  }

  /** Lets something happen in the process: now, when it wakes, or never. */
  reach(step: () => void): void {
    if (this.#life === 'running') step()
    else if (this.#life === 'frozen') this.#waiting.push(step)
  }

  freeze(): void {
    if (this.#life === 'running') this.#life = 'frozen'
  }

  wake(): void {
    if (this.#life !== 'frozen') return
    this.#life = 'running'
    for (const step of this.#waiting.splice(0)) this.reach(step)
  }

  die(): void {
    this.#life = 'dead'
    this.#waiting.length = 0
  }
}
