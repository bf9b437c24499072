/**
 * Random numbers that are the same in every run: sfc32 (Chris Doty-Humphrey's small fast counter). A month of
 * thousands of customers draws billions of them, more than a 32-bit congruential generator has.
 */
export class Chance {
  #a: number
  #b = 0x9e37_79b9
  #c = 0x243f_6a88
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    for (let k = 0; k < 20; k++) this.uniform()
  }

  /** In (0, 1). */
  uniform(): number {
    const next = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + next
    return ((next >>> 0) + 0.5) / 2 ** 32
  }

  /** Mean 0, variance 1. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** By inversion below 30, by the normal approximation above. */
  poisson(mean: number): number {
    if (mean >= 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()))
    const uniform = this.uniform()
    let chance = Math.exp(-mean)
    let below = chance
    let count = 0
    while (uniform > below && count < 200) {
      count++
      chance *= mean / count
      below += chance
    }
    return count
  }

  /** Batches arrive at random; each holds a geometric number of events with the given mean. */
  batches(mean: number, batchMean: number): number {
    let count = 0
    for (let batch = this.poisson(mean / batchMean); batch > 0; batch--) {
      count++
      if (batchMean > 1) while (this.uniform() > 1 / batchMean) count++
    }
    return count
  }
}
