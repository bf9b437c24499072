import { kindOf } from '../../../src/classify/watch.ts'
import { type Engine, stop } from '../../../src/core/engine.ts'
import type { Recogniser } from '../../../src/core/recogniser.ts'
import { Recognisers } from '../../../src/core/recognisers.ts'
import type { Decoder } from '../../../src/decode/decode.ts'
import type { Packed } from '../../../src/source/source.ts'
import type { FuzzCase } from './cases.ts'
import { TwinEngine } from './twin-engine.ts'
import { engineOptionsOf } from './world.ts'

export type MakeEngine = (one: FuzzCase) => Engine

/** Tells of every value that one of the engines has read. */
export class WatchedRecognisers extends Recognisers {
  onOutcome: (recogniser: Recogniser, decoder: Decoder, i: number) => void = () => {}
  readonly #watched = new WeakSet<Engine>()
  #inUse: { readonly recogniser: Recogniser; readonly decoder: Decoder } | null = null

  constructor(one: FuzzCase, make: MakeEngine) {
    const isSpecial = (record: Parameters<typeof kindOf>[0]) => kindOf(record, one.classify) !== null
    super({ ...engineOptionsOf(one), isSpecial, makeEngine: () => make(one) })
  }

  override of(decoder: Decoder, format: string | null): Recogniser | null {
    const recogniser = super.of(decoder, format)
    if (recogniser !== null) {
      this.#inUse = { recogniser, decoder }
      this.#watch(recogniser.engine)
    }
    return recogniser
  }

  /** Has the engine that a lane uses now read a whole chunk. */
  ask(decoder: Decoder, format: string | null, packed: Packed): void {
    const engine = this.of(decoder, format)?.engine
    const count = engine?.load(packed)
    if (typeof count === 'number') engine?.run(0, count)
  }

  /** A value of the chunk that was read last; null for none. */
  valueAt(i: number): Uint8Array | null {
    return i < 0 ? null : (this.#inUse?.recogniser.engine.value(i) ?? null)
  }

  #watch(engine: Engine): void {
    if (this.#watched.has(engine)) return
    this.#watched.add(engine)
    const tell = (i: number): void => {
      if (this.#inUse !== null) this.onOutcome(this.#inUse.recogniser, this.#inUse.decoder, i)
    }
    if (engine instanceof TwinEngine) {
      engine.onOutcome = tell
      return
    }
    const run = engine.run.bind(engine)
    engine.run = (from, to) => {
      run(from, to)
      for (let i = from; i < to; i++) tell(i)
    }
    const count = engine.count.bind(engine)
    engine.count = (from, to) => {
      const at = count(from, to)
      const isRead = engine.stopped !== stop.pair && engine.stopped !== stop.ahead && engine.stopped !== stop.end
      for (let i = from; i < (isRead ? at + 1 : at); i++) tell(i)
      return at
    }
  }
}
