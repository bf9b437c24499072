const clearLine = '\u001b[K'

/** Tells on standard error how far one part is: a line that is rewritten at a terminal, a single line elsewhere. */
export class Progress {
  readonly #name: string
  readonly #steps: number
  readonly #startedMs = performance.now()
  #done = 0

  constructor(name: string, steps: number) {
    this.#name = name
    this.#steps = steps
    this.#show()
  }

  step(): void {
    this.#done++
    this.#show()
  }

  end(): void {
    const seconds = ((performance.now() - this.#startedMs) / 1_000).toFixed(0)
    process.stderr.write(`${process.stderr.isTTY ? `\r${clearLine}` : ''}${this.#name}: done in ${seconds} s\n`)
  }

  #show(): void {
    if (process.stderr.isTTY) process.stderr.write(`\r${clearLine}${this.#name}: ${this.#done} of ${this.#steps}`)
  }
}
