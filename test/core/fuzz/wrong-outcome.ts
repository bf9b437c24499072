import { outcome } from '../../../src/core/engine.ts'
import type { Recogniser } from '../../../src/core/recogniser.ts'
import type { Decoded, Decoder } from '../../../src/decode/decode.ts'
import type { Reading } from '../../../src/history/intake.ts'
import type { Truth } from './truths.ts'

export interface Mismatch {
  readonly text: string
  /** The value, where one is to blame. */
  readonly value: Uint8Array | null
}

/** Whether the general decoder says of a value what the core says; null when it does, or cannot be compared. */
export function outcomeOf(
  recogniser: Recogniser,
  i: number,
  { decoder, reading, truth }: { decoder: Decoder; reading: Reading; truth: Truth | undefined },
): Mismatch | null {
  const { engine } = recogniser
  const found = engine.outcomes[i] ?? outcome.general
  // Only what is read in the same state of the lane is comparable.
  if (truth === undefined || (found < 0 && found !== outcome.skipped) || truth.state !== decoder.state) return null
  const { entries } = truth
  const entry = entries.length === 1 ? entries[0] : undefined
  const wrong = (said: object): Mismatch => ({
    text: `the core says ${JSON.stringify(said)}, the decoder ${JSON.stringify(entries.map(outlineOf))}`,
    value: engine.value(i),
  })
  if (found === outcome.skipped) return entry?.kind === 'skipped' ? null : wrong({ kind: 'skipped' })
  const names = recogniser.namesOf(found, decoder)
  // Read by the decoder after all.
  if (names === null || names === undefined) return null
  const { tenant, api } = names
  const status = engine.statuses[i]
  const timeMs = engine.times[i]
  const isSame =
    entry?.kind === 'record' &&
    entry.record.status === status &&
    (entry.record.timeMs ?? 0) === timeMs &&
    entry.record.tenant === tenant &&
    entry.record.api === api &&
    (recogniser.isWatched(status ?? null) || reading.judge(entry.record) === null)
  return isSame ? null : wrong({ kind: 'record', status, timeMs, tenant, api })
}

function outlineOf(entry: Decoded): object {
  if (entry.kind !== 'record') return entry
  const { status, timeMs, tenant, api, upstreamStatus, upstreamRefused } = entry.record
  return { kind: 'record', status, timeMs, tenant, api, upstreamStatus, upstreamRefused }
}
