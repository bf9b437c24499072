import { createHash } from 'node:crypto'
import { causeOf } from '../classify/classify.ts'
import { quotasIn } from '../classify/quota.ts'
import { kindOf } from '../classify/watch.ts'
import { bestEngine, Recognisers } from '../core/recognisers.ts'
import { createDecoder } from '../decode/create.ts'
import type { FormatName } from '../decode/decode.ts'
import { sketchOf } from '../decode/sketch.ts'
import type { Reading } from '../history/intake.ts'
import type { Config } from './schema.ts'

/** Decoding and classifying as the settings say. */
export function readingOf(config: Config): Reading {
  const { decode, classify, dead_letter } = config
  const settings = JSON.stringify({ decode, classify })
  const recognisers = new Recognisers({
    makeEngine: bestEngine,
    isSpecial: (record) => kindOf(record, classify) !== null,
    longestValue: decode.max_value_bytes,
    // A rule of the operator's may name a segment that looks like an id.
    templates: decode.paths.template && !decode.paths.rules.some((rule) => /\/[^/]*\d/.test(rule)),
    watched: [402, ...classify.watch.map(({ status }) => status)],
  })
  return {
    decoder: (format) => createDecoder(format === null ? decode : { ...decode, format: format as FormatName }),
    judge: (record) => {
      const kind = kindOf(record, classify)
      if (kind === null) return null
      const { cause, code, source } = causeOf(record, classify.rules)
      return { kind, cause, causeCode: code ?? '', causeSource: source ?? '' }
    },
    quotas: (record, timeMs) => quotasIn(record.evidence().headers, timeMs),
    sketch: (bytes) => sketchOf(bytes),
    recognisers,
    configHash: createHash('sha256').update(settings).digest('hex').slice(0, 12),
    keepRaw: dead_letter.keep_raw,
  }
}
