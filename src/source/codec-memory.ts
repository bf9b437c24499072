import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Fault, messageOf } from '../fault/fault.ts'

/** What `wasm/codecs.ts` exports. Addresses are in bytes. */
export interface Codecs {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly firstFree: { readonly value: number }
  readonly marginBytes: { readonly value: number }
  readonly inputAt: { readonly value: number }
  readonly outputAt: { readonly value: number }
  /** Where the output ends; 0 for a block that is broken. */
  lz4Block(at: number, end: number, lowest: number, out: number, outEnd: number): number
  /** 0 for a block that is broken; else it may have ended before the input, at `inputAt` and `outputAt`. */
  snappyBlock(at: number, end: number, lowest: number, out: number, outEnd: number, pause: number): number
  hashBegin(): void
  hashOn(at: number, end: number): number
  hashEnd(at: number, end: number): number
}

/** As much of WebAssembly as is used; the types of Node have none. */
interface Host {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

const { WebAssembly: host } = globalThis as unknown as { readonly WebAssembly: Host }

const pageBytes = 65_536

let compiled: object | null = null

/** Makes an instance, and a memory that has as many bytes as the layout needs. */
function instance(needs: (codecs: Codecs) => number): Codecs {
  try {
    compiled ??= new host.Module(readFileSync(fileURLToPath(new URL('codecs.wasm', import.meta.url))))
    const codecs = new host.Instance(compiled).exports as Codecs
    const missing = needs(codecs) - codecs.memory.buffer.byteLength
    if (missing > 0) codecs.memory.grow(Math.ceil(missing / pageBytes))
    return codecs
  } catch (cause) {
    const message = `lz4 and snappy cannot be decompressed: ${messageOf(cause)}`
    throw new Fault('kafka-refused', message, { retryable: false, cause })
  }
}

/** In bytes. */
export interface Room {
  /** For the largest block. */
  readonly input: number
  /** For all that comes out. */
  readonly output: number
}

/** Work that may be interrupted where it yields. */
export type Steps<Result> = Generator<void, Result>

/** So much comes out before a piece of work yields: one to three milliseconds. */
export const stepBytes = 4 * 1024 * 1024

/** Does short work at once; what is longer lets everything else have its turn in between. */
export function inTurns<Result>(steps: Steps<Result>): Result | Promise<Result> {
  const first = steps.next()
  return first.done === true ? first.value : goOn(steps)
}

async function goOn<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    await turn()
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/**
 * An instance of the codecs with its memory: room for compressed bytes, and room in which what comes out of one block
 * after another stays until `rewind`. It never grows, so what it gave stays what it is until then.
 */
export class CodecMemory {
  readonly codecs: Codecs
  readonly bytes: Uint8Array
  /** Where compressed bytes are put. */
  readonly inputAt: number
  /** Where the room for output ends. */
  readonly outEnd: number
  readonly #inputBytes: number
  readonly #firstOut: number
  #out: number

  /** @throws Fault where `npm run build` has not made the codecs, the engine has no WebAssembly SIMD, or memory is out */
  constructor({ input, output }: Room) {
    this.codecs = instance(({ firstFree, marginBytes }) => firstFree.value + output + input + 2 * marginBytes.value)
    const { firstFree, marginBytes, memory } = this.codecs
    this.#firstOut = firstFree.value
    this.#out = this.#firstOut
    this.outEnd = this.#firstOut + output
    this.inputAt = this.outEnd + marginBytes.value
    this.#inputBytes = input
    this.bytes = new Uint8Array(memory.buffer)
  }

  fits(room: Room): boolean {
    return room.input <= this.#inputBytes && room.output <= this.outEnd - this.#out
  }

  /** Where the next output begins. */
  get out(): number {
    return this.#out
  }

  /** Puts compressed bytes in place, where those before them were. @returns where they end */
  put(bytes: Uint8Array): number {
    if (bytes.length > this.#inputBytes) throw new Error('more than there is room for')
    this.bytes.set(bytes, this.inputAt)
    return this.inputAt + bytes.length
  }

  /** What has come out up to an address; the next output begins there. */
  take(end: number): Uint8Array {
    if (end < this.#out || end > this.outEnd) throw new Error('more than there is room for')
    const taken = this.bytes.subarray(this.#out, end)
    this.#out = end
    return taken
  }

  /** XXH32, with seed 0. */
  hash(at: number, end: number): number {
    this.codecs.hashBegin()
    return this.codecs.hashEnd(this.codecs.hashOn(at, end), end) >>> 0
  }

  /** What came out until now is needed no longer. */
  rewind(): void {
    this.#out = this.#firstOut
  }
}
