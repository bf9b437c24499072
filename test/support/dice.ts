/** Chance that can be repeated: the same seed throws the same numbers. Mulberry32, which is plenty for choosing faults. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** In [from, to). */
  between(from: number, to: number): number {
    return from + this.next() * (to - from)
  }

  /** Whether something that happens with this probability happens now. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** One of the values, each as likely as the others. There must be one. */
  pick<Value>(values: readonly Value[]): Value {
    const value = values[Math.floor(this.next() * values.length)]
    if (value === undefined) throw new RangeError('there is nothing to pick from')
    return value
  }
}
