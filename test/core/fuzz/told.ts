import { roundOf } from './fuzz.ts'
import type { Round } from './round.ts'
import { shrunk } from './shrink.ts'
import type { Mismatch } from './wrong-outcome.ts'

const mostTold = 12

/** A mismatch for people: how to have it again, the values that are left of it, what both sides say. */
export function told(of: { seed: number; number: number; size: number; mismatch: Mismatch }): string {
  const { seed, number, size, mismatch } = of
  const round = roundOf(seed, number, size)
  const small = shrunk(round, mismatch)
  return [
    `seed ${seed}, round ${number} (${round.one.name}): npm run fuzz -- --seed ${seed} --round ${number} --size ${size}`,
    `settings: ${JSON.stringify({ decode: round.one.decode, classify: round.one.classify, format: round.one.format })}`,
    `first seen: ${mismatch.text}`,
    ...(mismatch.value === null ? [] : [`  of ${quoted(mismatch.value)}`]),
    `made smaller: ${small.mismatch.text}`,
    ...valuesOf(small.round),
  ].join('\n')
}

function valuesOf({ framing, chunks, options }: Round): readonly string[] {
  const values = chunks.flatMap(({ entries }, chunk) =>
    entries.map(({ value }) => `  chunk ${chunk}: ${value === null ? 'null' : quoted(value)}`),
  )
  const left = values.length > mostTold ? [`  and ${values.length - mostTold} more`] : []
  return [`as ${framing}, ${JSON.stringify(options)}:`, ...values.slice(-mostTold), ...left]
}

/** A value as a JSON string; bytes that are no UTF-8 as Latin-1, and said so. */
function quoted(value: Uint8Array): string {
  const text = Buffer.from(value).toString()
  return text.includes('\ufffd')
    ? `(latin1) ${JSON.stringify(Buffer.from(value).toString('latin1'))}`
    : JSON.stringify(text)
}
