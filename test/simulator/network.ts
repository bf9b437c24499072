import { Fault } from '../../src/fault/fault.ts'
import type { ManualClock } from '../../src/time/clock.ts'
import type { Dice } from '../support/dice.ts'
import type { FaultRates } from './plan.ts'
import type { Process } from './process.ts'

/** What is asked of broker and store. Only inserts can come late, in part, or from a process that sleeps meanwhile. */
export type CallKind = 'read' | 'commit' | 'insert'

/** How far an insert gets before it fails: all of its tables, or some. */
export type Reach = 'whole' | 'partial'

type Fate = 'well' | 'dies before' | 'dies after' | 'request lost' | 'answer lost' | 'late' | 'partial' | 'zombie'

const patienceMs = 5_000

/** Writes one line of a run; the text is only made when somebody reads it. */
export type Trace = (who: string, text: () => string) => void

interface NetworkOptions {
  readonly time: ManualClock
  readonly dice: Dice
  readonly rates: FaultRates
  readonly longestLateMs: number
  readonly trace: Trace
  readonly kill: (process: Process) => void
  readonly freeze: (process: Process) => void
}

/** Every call between a process and the outside. What becomes of it is drawn from the seed. */
export class Network {
  /** No more faults: what is on its way still arrives. */
  calm = false
  /** Calls that have not had their last effect on the outside. */
  underWay = 0
  readonly #options: NetworkOptions

  constructor(options: NetworkOptions) {
    this.#options = options
  }

  /**
   * @param apply what the other side does; what it throws is its answer
   * @returns the answer, if the process lives to see it. @throws Fault retryable when there is none
   */
  call<Value>(process: Process, kind: CallKind, what: () => string, apply: (reach: Reach) => Value): Promise<Value> {
    const { time, dice, trace, kill, freeze, longestLateMs } = this.#options
    const fate = this.#fate(kind)
    if (fate !== 'well') trace(process.name, () => `${what()}: ${fate}`)
    if (fate === 'dies before') {
      kill(process)
      return new Promise(() => {})
    }
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        void time
          .sleep(patienceMs)
          .then(() =>
            process.reach(() => reject(new Fault('store-unreachable', 'no answer came in time', { retryable: true }))),
          )
      }
      if (fate === 'request lost') {
        giveUp()
        return
      }
      if (fate === 'late') giveUp()
      if (fate === 'zombie') freeze(process)
      this.underWay++
      const wayMs = fate === 'late' ? patienceMs + dice.between(0, longestLateMs) : this.#wayMs()
      void time.sleep(wayMs).then(() => {
        this.underWay--
        let answer: () => void
        try {
          const value = apply(fate === 'partial' ? 'partial' : 'whole')
          trace(process.name, () => `${what()}${fate === 'late' ? ' arrives late' : ''}${shown(value)}`)
          answer = () => resolve(value)
        } catch (error) {
          trace(process.name, () => `${what()} fails: ${(error as Error).message}`)
          answer = () => reject(error)
        }
        if (fate === 'dies after') kill(process)
        else if (fate === 'answer lost') giveUp()
        else if (fate !== 'late') void time.sleep(this.#wayMs()).then(() => process.reach(answer))
      })
    })
  }

  #fate(kind: CallKind): Fate {
    if (this.calm) return 'well'
    const { dice, rates } = this.#options
    let drawn = dice.next()
    const falls = (share: number): boolean => {
      drawn -= share
      return drawn < 0
    }
    // A read changes nothing outside, so its faults are fewer kinds.
    if (falls(rates.death)) return dice.chance(0.5) ? 'dies before' : 'dies after'
    if (falls(rates.lostRequest)) return 'request lost'
    if (falls(rates.lostAnswer)) return 'answer lost'
    if (kind !== 'insert') return 'well'
    if (falls(rates.late)) return 'late'
    if (falls(rates.partial)) return 'partial'
    return falls(rates.zombie) ? 'zombie' : 'well'
  }

  #wayMs(): number {
    const { dice } = this.#options
    return dice.chance(0.05) && !this.calm ? dice.between(500, 4_000) : dice.between(1, 40)
  }
}

function shown(value: unknown): string {
  if (value === undefined) return ''
  return ` = ${JSON.stringify(value)?.slice(0, 120)}`
}
