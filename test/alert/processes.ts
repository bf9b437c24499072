import { Chance } from './simulation.ts'

/** In minutes. */
export const day = 1440

/** Random numbers for long runs: sfc32 (C. Doty-Humphrey, PractRand), and Poisson counts exact at every mean. */
export class Dice extends Chance {
  #a = 0x9e3779b9
  #b = 0x243f6a88
  #c = 0xb7e15162
  #count = 1

  constructor(seed: number) {
    super(0)
    this.#a ^= seed
    for (let k = 0; k < 20; k++) this.uniform()
  }

  override uniform(): number {
    // The base class draws before these fields are there.
    if (!(#count in this)) return 0.5
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return ((sum >>> 0) + 0.5) / 2 ** 32
  }

  override poisson(mean: number): number {
    let rest = mean
    let count = 0
    for (; rest >= 25; rest -= 20) count += super.poisson(20)
    return count + super.poisson(rest)
  }

  /** How many of so many tries succeed. */
  binomial(tries: number, chance: number): number {
    let count = 0
    for (let k = 0; k < tries; k++) if (this.uniform() < chance) count++
    return count
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }
}

/** What one series does in a minute. */
export interface Amount {
  count: number
  exposure: number
}

/** How a series behaves, minute after minute; writes into `into`. */
export type Process = (minute: number, into: Amount) => void

/** Events a minute, on the average over what the process does by itself. */
export type RateAt = (minute: number) => number

export const processes = {
  poisson(dice: Dice, rateAt: RateAt): Process {
    return (at, into) => {
      into.count = dice.poisson(rateAt(at))
      into.exposure = 1
    }
  },

  /** Refused clients try again: batches of geometric size with mean 3. */
  batches(dice: Dice, rateAt: RateAt): Process {
    return (at, into) => {
      into.count = dice.batches(rateAt(at), batchMean)
      into.exposure = 1
    }
  },

  /** The logarithm of the rate is an AR(1) process with deviation 0.4 that forgets in an hour. */
  wandering(dice: Dice, rateAt: RateAt): Process {
    const keep = Math.exp(-1 / 60)
    const push = 0.4 * Math.sqrt(1 - keep * keep)
    let log = 0.4 * dice.normal()
    return (at, into) => {
      log = keep * log + push * dice.normal()
      into.count = dice.poisson(rateAt(at) * Math.exp(log - 0.08))
      into.exposure = 1
    }
  },

  /** Traffic swings by 80 % over a day and is known; a constant share of it is refused. */
  daily(dice: Dice, rateAt: RateAt): Process {
    return (at, into) => {
      const traffic = cycle(at)
      into.count = dice.poisson(rateAt(at) * traffic)
      into.exposure = traffic
    }
  },

  /** The same, but nobody knows the traffic. */
  dailyUnseen(dice: Dice, rateAt: RateAt): Process {
    return (at, into) => {
      into.count = dice.poisson(rateAt(at) * cycle(at))
      into.exposure = 1
    }
  },
} satisfies Record<string, (dice: Dice, rateAt: RateAt) => Process>

export type ProcessName = keyof typeof processes

const batchMean = 3

/** Traffic at a minute of the day, 1 on average; lowest at the 18th hour. */
export function cycle(at: number): number {
  return 1 + 0.8 * Math.sin((2 * Math.PI * at) / day)
}
