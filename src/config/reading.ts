import { createHash } from 'node:crypto'
import { causeOf } from '../classify/classify.ts'
import { isPaymentChallenge, watchOf } from '../classify/watch.ts'
import { createDecoder } from '../decode/create.ts'
import type { AccessRecord, Decoder, FormatName } from '../decode/decode.ts'
import { sketchOf } from '../decode/sketch.ts'
import type { RefusedCall } from '../history/range.ts'
import type { Config } from './schema.ts'

/** A refused call's kind and cause; null for a record that is only a request. */
export type Judgement = Pick<RefusedCall, 'kind' | 'cause' | 'causeCode' | 'causeSource'> | null

/** What becomes of a record: settled by configuration, the same on every replay of it. */
export interface Reading {
  /** @param format the layout of one lane; null for the configured one */
  decoder(format: string | null): Decoder
  judge(record: AccessRecord): Judgement
  sketch(bytes: Uint8Array | null): string
  /** Hash of the settings behind all this, kept with every range. */
  readonly configHash: string
  readonly keepRaw: boolean
}

/** Decoding and classifying as the settings say. */
export function readingOf(config: Config): Reading {
  const { decode, classify, dead_letter } = config
  const settings = JSON.stringify({ decode, classify })
  return {
    decoder: (format) => createDecoder(format === null ? decode : { ...decode, format: format as FormatName }),
    judge: (record) => {
      const kind = kindOf(record, config)
      if (kind === null) return null
      const { cause, code, source } = causeOf(record, classify.rules)
      return { kind, cause, causeCode: code ?? '', causeSource: source ?? '' }
    },
    sketch: (bytes) => sketchOf(bytes),
    configHash: createHash('sha256').update(settings).digest('hex').slice(0, 12),
    keepRaw: dead_letter.keep_raw,
  }
}

function kindOf(record: AccessRecord, { classify }: Config): RefusedCall['kind'] | null {
  const watched = watchOf(record, classify)
  if (watched !== null) return watched
  return record.status === 402 && isPaymentChallenge(record) ? 'challenge' : null
}
