import type { Engine, EngineOptions } from '../../src/core/engine.ts'
import { PlainEngine } from '../../src/core/plain-engine.ts'
import { wasmEngine } from '../../src/core/wasm-engine.ts'
import type { Packed } from '../../src/source/source.ts'

export const engineOptions: EngineOptions = { longestValue: 100_000, templates: true, watched: [402] }

/** The core in use and its specification, for suites that run over both. */
export const engines: readonly [name: string, make: (options?: EngineOptions) => Engine][] = [
  ['the core', coreOf],
  ['its specification', (options = engineOptions) => new PlainEngine(options)],
]

function coreOf(options: EngineOptions = engineOptions): Engine {
  const core = wasmEngine(options)
  if (core === null) throw new Error('there is no core: npm run build makes it')
  return core
}

export function linesOf(values: readonly (string | Uint8Array)[]): Packed {
  const bytes = Buffer.concat(values.flatMap((value) => [Buffer.from(value), Buffer.from('\n')]))
  return { bytes, framing: { kind: 'lines', offset: 0 } }
}

/** One value that is not ended by anything: only its framing says how long it is. */
export function alone(value: Uint8Array, after: Uint8Array = new Uint8Array(0)): Packed {
  const length = (size: number): Buffer => {
    const bytes: number[] = []
    let rest = size * 2
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
    return Buffer.from([...bytes, rest])
  }
  const body = Buffer.concat([Buffer.from([0, 0, 0, 1]), length(value.length), value, after])
  const framing = { kind: 'records', base: 0, last: 0, count: 1, firstMs: 1, appendedMs: null, from: 0 } as const
  return { bytes: Buffer.concat([length(body.length), body]), framing }
}
